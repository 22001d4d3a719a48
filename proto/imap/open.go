package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
)

// A Transport opens imap: and imaps: URLs (RFC 5092) for an http.Client. imaps:
// is TLS from the beginning. Each request has a session of its own. Its fields
// are set before the first request; it may be used by several goroutines.
//
//	imap://user;AUTH=mechanism@host:port/      the mailboxes, a line each
//	.../INBOX                                  the messages: UID and subject
//	.../INBOX?SUBJECT%20hello                  the UIDs of those found
//	.../INBOX/;UID=20                          a message
//	.../INBOX/;UID=20/;SECTION=1.2             a part of it, as it is encoded
//	.../INBOX/;UID=20/;PARTIAL=0.1024          octets of it
//
// As curl has it, the slash before a semicolon may be missing, and ;MAILINDEX=
// is a sequence number. Nothing is changed by GET and HEAD, also not \Seen. PUT
// and POST append a message to a mailbox; LF alone becomes CRLF.
//
// Where the server refuses, the response has the nearest status and the
// server's words as its body: 401 for a login, 404 for a mailbox or message, 403
// for what is not allowed, 413 and 507 for what is too large, 503 where it may
// go well later.
type Transport struct {
	Options  Options
	StartTLS bool // imap: demands STARTTLS
	// Login gives what the URL lacks, mostly the password; nil: nothing. The
	// URL's own user, password and mechanism come first. Nobody is anonymous.
	Login func(ctx context.Context, u *url.URL) (auth.Credentials, error)
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip answers a request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	what, err := ParseURL(req.URL)
	if err != nil {
		return response(req, http.StatusBadRequest, err.Error()+"\n"), nil
	}
	var do func(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error)
	switch req.Method {
	case "", http.MethodGet, http.MethodHead:
		do = reading(what)
	case http.MethodPut, http.MethodPost:
		do = appending
		if what.Mailbox == "" || what.UID != 0 || what.Index != 0 || what.Search != "" {
			return response(req, http.StatusBadRequest, "a message goes into a mailbox\n"), nil
		}
	default:
		return response(req, http.StatusMethodNotAllowed, "IMAP has no "+req.Method+"\n"), nil
	}
	ctx := req.Context()
	c, err := t.dial(ctx, req.URL)
	if err != nil {
		return refusal(req, err)
	}
	resp, err := t.loggedIn(ctx, c, req, what, do)
	if err != nil {
		resp, err = refusal(req, err)
	}
	if resp != nil {
		if body, streams := resp.Body.(*content); streams { // it ends the session
			body.end = func() error { return quit(ctx, c) }
			return resp, err
		}
	}
	return resp, errors.Join(err, quit(ctx, c))
}

func (t *Transport) loggedIn(ctx context.Context, c *Client, req *http.Request, what URL,
	do func(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error),
) (*http.Response, error) {
	cred, err := t.credentials(ctx, req.URL, what)
	if err == nil {
		err = c.Login(ctx, cred)
	}
	if err != nil {
		return nil, err
	}
	return do(ctx, c, req, what)
}

// Session opens a session for what a URL names and logs in, for those who want
// more than a response. The caller ends it. The errors are ErrURL, and those of
// Dial and Client.Login.
func (t *Transport) Session(ctx context.Context, u *url.URL) (*Client, URL, error) {
	what, err := ParseURL(u)
	if err != nil {
		return nil, what, err
	}
	c, err := t.dial(ctx, u)
	if err != nil {
		return nil, what, err
	}
	cred, err := t.credentials(ctx, u, what)
	if err == nil {
		err = c.Login(ctx, cred)
	}
	if err != nil {
		return nil, what, errors.Join(err, c.Close())
	}
	return c, what, nil
}

func (t *Transport) dial(ctx context.Context, u *url.URL) (*Client, error) {
	e := dial.Endpoint{Scheme: dial.TCP, Host: u.Hostname(), Port: "143"}
	switch {
	case u.Scheme == "imaps":
		e.Scheme, e.Port = dial.TLS, "993"
	case t.StartTLS:
		e.Scheme = dial.StartTLS
	}
	if u.Port() != "" {
		e.Port = u.Port()
	}
	return Dial(ctx, e.String(), t.Options)
}

// credentials are the URL's, and what Login adds.
func (t *Transport) credentials(ctx context.Context, u *url.URL, what URL) (cred auth.Credentials, err error) {
	password, has := u.User.Password()
	if t.Login != nil && !has {
		if cred, err = t.Login(ctx, u); err != nil {
			return cred, err
		}
	}
	if what.User != "" {
		cred.User = what.User
	}
	if has {
		cred.Password = password
	}
	if what.Mechanism != "" {
		cred.Mechanism = what.Mechanism
	}
	cred.Anonymous = cred.Anonymous || cred.User == "" // RFC 5092 section 3.2
	return cred, nil
}

// quit ends a session: what was asked has been answered.
func quit(ctx context.Context, c *Client) error {
	if c.Broken() {
		return c.Close()
	}
	if err := c.Logout(ctx); err != nil && !refused(err) && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// reading is what GET does.
func reading(what URL) func(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error) {
	switch {
	case what.Mailbox == "":
		return mailboxes
	case what.Search != "":
		return searching
	case what.UID == 0 && what.Index == 0:
		return subjects
	}
	return onePiece
}

func mailboxes(ctx context.Context, c *Client, req *http.Request, _ URL) (*http.Response, error) {
	all, err := c.List(List{Patterns: []string{"*"}}).Wait(ctx)
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, one := range all {
		text = append(append(text, tame(one.Name)...), '\n')
	}
	return listing(req, text), nil
}

func listing(req *http.Request, text []byte) *http.Response {
	resp := response(req, http.StatusOK, string(text))
	resp.Header.Set("Content-Type", "text/plain; charset=utf-8")
	return resp
}

// examine opens the mailbox that is meant.
func examine(ctx context.Context, c *Client, what URL) error {
	box, err := c.Examine(Select{Name: what.Mailbox}).Wait(ctx)
	if s, ok := errors.AsType[Status](err); ok && s.Kind == NO && s.Code.Name == "" {
		s.Code.Name = CodeNonExistent // what else it could be, servers say
		return s
	}
	if err == nil && what.UIDValidity != 0 && box.UIDValidity != what.UIDValidity {
		return Status{NO, Code{Name: CodeNonExistent}, fmt.Sprintf("UIDVALIDITY is %d now", box.UIDValidity)}
	}
	return err
}

func searching(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error) {
	s, err := ParseSearch([]byte(what.Search))
	if err != nil {
		return response(req, http.StatusBadRequest, err.Error()+"\n"), nil
	}
	if err := examine(ctx, c, what); err != nil {
		return nil, err
	}
	s.Return = nil
	found, err := c.Search(s, true).Wait(ctx)
	if err != nil {
		return nil, err
	}
	var text []byte
	for uid := range found.All.All() {
		text = append(strconv.AppendUint(text, uint64(uid), 10), '\n')
	}
	return listing(req, text), nil
}

func subjects(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error) {
	if err := examine(ctx, c, what); err != nil {
		return nil, err
	}
	var text []byte
	words := mime.WordDecoder{}
	f := Fetch{Where: Where{UID: true, Set: Set{{First: 1}}}, Items: []FetchItem{{Name: ItemEnvelope}}}
	for m, err := range c.Fetch(ctx, f) {
		if err != nil {
			return nil, err
		}
		if m.Envelope == nil || m.UID == 0 {
			continue // told of somebody else's change
		}
		subject := m.Envelope.Subject
		if decoded, err := words.DecodeHeader(subject); err == nil {
			subject = decoded
		}
		text = strconv.AppendUint(text, uint64(m.UID), 10)
		text = append(append(append(text, ' '), tame(subject)...), '\n')
	}
	return listing(req, text), nil
}

// onePiece is a message or a piece of one, which streams.
func onePiece(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error) {
	if err := examine(ctx, c, what); err != nil {
		return nil, err
	}
	where := Where{UID: true, Set: One(what.UID)}
	if what.UID == 0 {
		where = Where{Set: One(what.Index)}
	}
	item := FetchItem{Name: BodySection, Section: what.Section, Peek: true, Partial: what.Partial}
	p, err := c.first(ctx, Fetch{Where: where, Items: []FetchItem{item}})
	if err == io.EOF || err == nil && p.r != nil && p.Data == nil {
		return response(req, http.StatusNotFound, "no such message, or no such part of it\n"), nil
	}
	if err != nil {
		return nil, err
	}
	resp := response(req, http.StatusOK, "")
	resp.Header.Set("Content-Type", "application/octet-stream")
	if what.Section.Text == "" && what.Section.Part == nil && what.Partial == nil {
		resp.Header.Set("Content-Type", "message/rfc822")
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(p.Size, 10))
	resp.ContentLength = p.Size
	if req.Method != http.MethodHead {
		resp.Body = &content{Reader: p, left: func() bool { return p.m != nil && p.m.open.Left() > 0 }, close: c.Close}
	} else if p.m != nil { // it is on its way all the same
		return resp, c.Close()
	}
	return resp, nil
}

// first gives the first piece that a FETCH brings, beyond the loop: what is left
// of it is dropped by the next command. io.EOF: there is none.
func (c *Client) first(ctx context.Context, f Fetch) (*Content, error) {
	x := c.fetch(f)
	x.stream = true
	for !x.done {
		m, err := c.step(ctx)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		p, err := m.Next()
		if err == io.EOF { // it tells of something else
			continue
		}
		x.stream, x.fetch = false, func(*Letter) error { return nil }
		return p, err
	}
	if x.err != nil {
		return nil, x.err
	}
	return nil, io.EOF
}

// content is a message that ends its session.
type content struct {
	io.Reader
	left  func() bool
	close func() error
	end   func() error
	once  sync.Once
	err   error
}

// Close ends the session; a message that has not been read to its end is left
// where it is.
func (c *content) Close() error {
	c.once.Do(func() {
		if c.left() {
			c.err = c.close()
			return
		}
		c.err = c.end()
	})
	return c.err
}

// refusal makes a response of a negative answer; another error stays one.
func refusal(req *http.Request, err error) (*http.Response, error) {
	s, ok := errors.AsType[Status](err)
	if !ok || errors.Is(err, ErrNoTLS) {
		return nil, err
	}
	status := http.StatusBadGateway
	switch s.Code.Name {
	case CodeNonExistent, CodeTryCreate:
		status = http.StatusNotFound
	case CodeNoPerm, CodeReadOnly, CodeCannot:
		status = http.StatusForbidden
	case CodeTooBig:
		status = http.StatusRequestEntityTooLarge
	case CodeOverQuota:
		status = http.StatusInsufficientStorage
	case CodeUnavailable, CodeInUse, CodeLimit, CodeServerBug:
		status = http.StatusServiceUnavailable
	}
	if errors.Is(err, auth.ErrRefused) {
		status = http.StatusUnauthorized
	}
	text := strings.TrimSpace(s.Text)
	if text == "" {
		text = s.Error()
	}
	return response(req, status, text+"\n"), nil
}

func response(req *http.Request, status int, text string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "IMAP/4.0", ProtoMajor: 4, Header: http.Header{}, Request: req,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}
