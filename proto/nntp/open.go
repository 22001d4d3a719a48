package nntp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/message"
)

// A Transport opens nntp:, nntps: and news: URLs (RFC 5538) for an http.Client:
// GET, and PUT or POST for posting. nntps: is TLS from the beginning. Each
// request has a session of its own. Its fields are set before the first request;
// it may be used by several goroutines.
//
// A group is a listing, number and subject, a line each; an article is
// message/rfc822; several, as in nntp://host/group/1-10, are application/mbox;
// groups are a line each with their description. What is posted to a URL that
// names a group gets that group as its Newsgroups, if it has none; the answer has
// the article's identifier as its Message-Id.
//
// Where the server refuses, the response has the nearest status and the server's
// words as its body: 401 for a login, 403 for what is not permitted, 404 for a
// group or an article, 409 for an article that is not taken, 503 where it may go
// well later.
type Transport struct {
	Options  Options
	StartTLS bool // nntp: and news: demand STARTTLS
	// Server is where news: URLs without a host are opened, as host or
	// host:port; "": localhost.
	Server string
	// Login gives who we are where a server asks for that, or the URL names a
	// user; nil: the URL alone does.
	Login func(ctx context.Context, u *url.URL) (auth.Credentials, error)
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip answers a request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	target, err := ParseTarget(req.URL)
	if err != nil {
		return response(req, http.StatusNotFound, "The URL names neither a group nor an article\n"), nil
	}
	do := t.get
	switch req.Method {
	case "", http.MethodGet, http.MethodHead:
	case http.MethodPut, http.MethodPost:
		text, err := proposal(req, target)
		if err != nil {
			return nil, err
		}
		do = func(ctx context.Context, req *http.Request, c *Client, _ Target) (*http.Response, error) {
			return post(ctx, req, c, text)
		}
	default:
		return response(req, http.StatusMethodNotAllowed, "NNTP has no "+req.Method+"\n"), nil
	}
	ctx := req.Context()
	c, err := t.dial(ctx, req.URL)
	if err != nil {
		return refusal(req, err)
	}
	if req.URL.User != nil {
		err = t.login(ctx, c, req.URL)
	}
	var resp *http.Response
	if err == nil {
		resp, err = do(ctx, req, c, target)
	}
	if err != nil && t.mayHelp(err, req) {
		if err = t.login(ctx, c, req.URL); err == nil {
			resp, err = do(ctx, req, c, target)
		}
	}
	if err != nil {
		resp, err := refusal(req, err)
		return resp, errors.Join(err, quit(ctx, c))
	}
	return resp, nil
}

// mayHelp tells whether a login may change the answer. 480 comes before an
// article is sent.
func (t *Transport) mayHelp(err error, req *http.Request) bool {
	r, ok := errors.AsType[Reply](err)
	return ok && r.Code == 480 && req.URL.User == nil && t.Login != nil
}

func (t *Transport) dial(ctx context.Context, u *url.URL) (*Client, error) {
	e := dial.Endpoint{Scheme: dial.TCP, Host: u.Hostname(), Port: u.Port()}
	if e.Host == "" {
		e.Host = t.Server
		if host, port, ok := strings.Cut(t.Server, ":"); ok && !strings.Contains(port, ":") {
			e.Host, e.Port = host, port
		}
	}
	port := "119"
	switch {
	case u.Scheme == "nntps":
		e.Scheme, port = dial.TLS, "563"
	case t.StartTLS:
		e.Scheme = dial.StartTLS
	}
	if e.Port == "" {
		e.Port = port
	}
	return Dial(ctx, e.String(), t.Options)
}

// login says who we are: what the URL has, and what Login adds.
func (t *Transport) login(ctx context.Context, c *Client, u *url.URL) (err error) {
	var cred auth.Credentials
	password, has := u.User.Password()
	if t.Login != nil && !has {
		if cred, err = t.Login(ctx, u); err != nil {
			return err
		}
	}
	if user := u.User.Username(); user != "" {
		cred.User = user
	}
	if has {
		cred.Password = password
	}
	if cred.User == "" && !cred.External && !cred.Anonymous {
		return Reply{480, "A login is needed"}
	}
	return c.Login(ctx, cred)
}

// quit ends a session that has nothing under way: how does not matter.
func quit(ctx context.Context, c *Client) error {
	if c.free() != nil {
		return c.Close()
	}
	if err := c.Quit(ctx); err != nil && !refused(err) && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (t *Transport) get(ctx context.Context, req *http.Request, c *Client, target Target) (*http.Response, error) {
	switch {
	case target.ID != "":
		return article(ctx, req, c, ByID(target.ID))
	case target.Group == "":
		return listing(req, c, "text/plain; charset=utf-8", groupLines(ctx, c, target.Groups))
	}
	g, err := c.Group(ctx, target.Group)
	switch {
	case err != nil:
		return nil, err
	case target.Range == nil:
		return listing(req, c, "text/plain; charset=utf-8", subjectLines(ctx, c, From(g.Low)))
	case target.Range.First == target.Range.Last:
		return article(ctx, req, c, ByNumber(target.Range.First))
	}
	_, numbers, err := c.ListGroup(ctx, target.Group, *target.Range)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, Reply{423, "No articles in that range"}
	}
	return listing(req, c, "application/mbox", letters(ctx, c, numbers))
}

// article is one text.
func article(ctx context.Context, req *http.Request, c *Client, ref Ref) (*http.Response, error) {
	resp := response(req, http.StatusOK, "")
	resp.Header.Set("Content-Type", "message/rfc822")
	resp.ContentLength = -1
	if req.Method == http.MethodHead {
		if _, err := c.Stat(ctx, ref); err != nil {
			return nil, err
		}
		return resp, quit(ctx, c)
	}
	b, err := c.Article(ctx, ref)
	if err != nil {
		return nil, err
	}
	resp.Header.Set("Message-Id", b.ID)
	resp.Body = &content{b, func() error { return quit(ctx, c) }}
	return resp, nil
}

// content is a text that ends its session.
type content struct {
	io.Reader
	end func() error
}

// Close ends the session; a text that has not been read to its end is cut off.
func (c *content) Close() error { return c.end() }

// listing is a text that is made as it is read. The first piece is made before
// the response, so that a refusal becomes its status.
func listing(req *http.Request, c *Client, kind string, pieces iter.Seq2[[]byte, error]) (*http.Response, error) {
	next, stop := iter.Pull2(pieces)
	first, err, ok := next()
	if ok && err != nil {
		stop()
		return nil, err
	}
	resp := response(req, http.StatusOK, "")
	resp.Header.Set("Content-Type", kind)
	resp.ContentLength = -1
	r := &pulled{next: next, piece: bytes.Clone(first), over: !ok}
	resp.Body = &content{r, func() error {
		var err error
		if r.over {
			err = quit(req.Context(), c)
		} else {
			err = c.Close() // first, or stop would wait for all of the rest
		}
		stop()
		return err
	}}
	return resp, nil
}

// pulled reads pieces.
type pulled struct {
	next  func() ([]byte, error, bool)
	piece []byte
	over  bool
	err   error
}

func (p *pulled) Read(b []byte) (int, error) {
	for len(p.piece) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if p.over {
			return 0, io.EOF
		}
		var ok bool
		p.piece, p.err, ok = p.next()
		p.over = !ok
	}
	n := copy(b, p.piece)
	p.piece = p.piece[n:]
	return n, nil
}

// lines makes a piece of each value.
func lines[T any](all iter.Seq2[T, error], line func(b []byte, v T) []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var b []byte
		for v, err := range all {
			if err == nil {
				b = append(line(b[:0], v), '\n')
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

func groupLines(ctx context.Context, c *Client, w Wildmat) iter.Seq2[[]byte, error] {
	return lines(c.List(ctx, w), func(b []byte, g Group) []byte { return append(b, g.Name...) })
}

func subjectLines(ctx context.Context, c *Client, r Range) iter.Seq2[[]byte, error] {
	return lines(c.Over(ctx, r), func(b []byte, o Overview) []byte {
		return append(append(strconv.AppendInt(b, o.Number, 10), ' '), o.Subject()...)
	})
}

// letters is articles as an mbox (RFC 4155), in which a line that begins as the
// one between two letters has a ">" more before it.
func letters(ctx context.Context, c *Client, numbers []int64) iter.Seq2[[]byte, error] {
	refs := make([]Ref, len(numbers))
	for i, n := range numbers {
		refs[i] = ByNumber(n)
	}
	return func(yield func([]byte, error) bool) {
		for b, err := range c.Fetch(ctx, refs...) {
			if errors.Is(err, ErrNoArticle) { // cancelled meanwhile
				continue
			}
			if err == nil {
				err = letter(b, yield)
			}
			if errors.Is(err, errLeft) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// errLeft is somebody who reads no further.
var errLeft = errors.New("nntp: left")

func letter(b *Body, yield func([]byte, error) bool) error {
	if !yield([]byte("From news@localhost "+time.Now().UTC().Format(time.ANSIC)+"\n"), nil) {
		return errLeft
	}
	r := bufio.NewReader(b)
	for whole := true; ; {
		piece, err := r.ReadSlice('\n')
		var out []byte
		if whole && bytes.HasPrefix(bytes.TrimLeft(piece, ">"), []byte("From ")) {
			out = append(out, '>')
		}
		if whole = err == nil; whole {
			piece = bytes.TrimSuffix(piece[:len(piece)-1], []byte{'\r'})
			out = append(append(out, piece...), '\n')
		} else {
			out = append(out, piece...)
		}
		if err == io.EOF {
			out = append(out, '\n')
		}
		if !yield(out, nil) {
			return errLeft
		}
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// proposal is the article that a request posts. Only its header has been read.
func proposal(req *http.Request, target Target) (io.Reader, error) {
	if req.Body == nil {
		return strings.NewReader("\r\n"), nil
	}
	header, rest, err := message.ReadHeader(req.Body, message.Limits{})
	if err != nil {
		return nil, err
	}
	if _, has := header.Lookup("Newsgroups"); !has && target.Group != "" {
		if err := header.Add("Newsgroups", target.Group); err != nil {
			return nil, err
		}
	}
	return io.MultiReader(bytes.NewReader(header.Append(nil)), rest), nil
}

// post posts it.
func post(ctx context.Context, req *http.Request, c *Client, text io.Reader) (*http.Response, error) {
	id, err := c.Post(ctx, text)
	if err != nil {
		return nil, err
	}
	resp := response(req, http.StatusCreated, fmt.Sprintf("posted %s\n", id))
	if id != "" {
		resp.Header.Set("Message-Id", id)
	}
	return resp, quit(ctx, c)
}

// refusal makes a response of a negative reply; another error stays one.
func refusal(req *http.Request, err error) (*http.Response, error) {
	r, ok := errors.AsType[Reply](err)
	if !ok {
		return nil, err
	}
	status := http.StatusBadGateway
	switch {
	case r.Code == 480 || r.Code == 481 || r.Code == 482:
		status = http.StatusUnauthorized
	case errors.Is(r, ErrNotAllowed):
		status = http.StatusForbidden
	case errors.Is(r, ErrNoGroup), errors.Is(r, ErrNoArticle):
		status = http.StatusNotFound
	case r.Code == 441 || errors.Is(r, ErrNotWanted):
		status = http.StatusConflict
	case errors.Is(r, ErrLater):
		status = http.StatusServiceUnavailable
	}
	return response(req, status, r.Text+"\n"), nil
}

func response(req *http.Request, status int, text string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "NNTP/2.0", ProtoMajor: 2, Header: http.Header{}, Request: req,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}
