package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/dial"
)

// A Transport opens pop: and pops: URLs (also pop3: and pop3s:) for an
// http.Client: GET and HEAD. pops: is TLS from the beginning. Each request has
// a session of its own, for a session locks the maildrop. Its fields are set
// before the first request; it may be used by several goroutines.
//
// pop://user;AUTH=mechanism@host:port (RFC 2384) lists the messages: number and
// size, a line each. /2 behind it is the second message, as message/rfc822.
// AUTH=+APOP is APOP, AUTH=* or none the best that the server offers.
//
// Where the server refuses, the response has the nearest status and the
// server's words as its body: 401 for a login, 404 for a message, 503 where it
// may go well later.
type Transport struct {
	Options  Options
	StartTLS bool // pop: demands STLS
	// Login gives what the URL lacks, mostly the password; nil: nothing. The
	// URL's own user, password and mechanism come first.
	Login func(ctx context.Context, u *url.URL) (auth.Credentials, error)
}

var _ http.RoundTripper = (*Transport)(nil)

// ParseUser takes the user of a URL apart (RFC 2384 section 4). The mechanism
// is "" for any.
func ParseUser(u *url.URL) (user, mechanism string) {
	user = u.User.Username()
	if i := strings.LastIndex(strings.ToUpper(user), ";AUTH="); i >= 0 {
		user, mechanism = user[:i], user[i+len(";AUTH="):]
	}
	if mechanism == "*" {
		mechanism = ""
	}
	return user, mechanism
}

// RoundTrip answers a request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.Method != "" && req.Method != http.MethodGet && req.Method != http.MethodHead {
		return response(req, http.StatusMethodNotAllowed, "POP3 has no "+req.Method+"\n"), nil
	}
	number := 0
	if path := strings.Trim(req.URL.Path, "/"); path != "" {
		var err error
		if number, err = strconv.Atoi(path); err != nil || number < 1 {
			return response(req, http.StatusNotFound, fmt.Sprintf("%q is no message number\n", path)), nil
		}
	}
	ctx := req.Context()
	c, err := t.dial(ctx, req.URL)
	if err != nil {
		return refusal(req, err, http.StatusBadGateway)
	}
	cred, err := t.credentials(ctx, req.URL)
	if err == nil {
		err = c.Login(ctx, cred)
	}
	if err != nil {
		resp, err := refusal(req, err, http.StatusUnauthorized)
		return resp, errors.Join(err, t.quit(ctx, c))
	}
	if number == 0 {
		return t.listing(ctx, req, c)
	}
	return t.message(ctx, req, c, number)
}

func (t *Transport) dial(ctx context.Context, u *url.URL) (*Client, error) {
	e := dial.Endpoint{Scheme: dial.TCP, Host: u.Hostname(), Port: "110"}
	switch {
	case strings.HasSuffix(u.Scheme, "s"):
		e.Scheme, e.Port = dial.TLS, "995"
	case t.StartTLS:
		e.Scheme = dial.StartTLS
	}
	if u.Port() != "" {
		e.Port = u.Port()
	}
	return Dial(ctx, e.String(), t.Options)
}

// credentials are the URL's, and what Login adds.
func (t *Transport) credentials(ctx context.Context, u *url.URL) (cred auth.Credentials, err error) {
	user, mechanism := ParseUser(u)
	password, has := u.User.Password()
	if t.Login != nil && !has {
		if cred, err = t.Login(ctx, u); err != nil {
			return cred, err
		}
	}
	if user != "" {
		cred.User = user
	}
	if has {
		cred.Password = password
	}
	if mechanism != "" {
		cred.Mechanism = mechanism
	}
	return cred, nil
}

// quit ends a session that has changed nothing: how does not matter.
func (t *Transport) quit(ctx context.Context, c *Client) error {
	if c.Broken() {
		return c.Close()
	}
	if err := c.Quit(ctx); err != nil && !refused(err) && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (t *Transport) listing(ctx context.Context, req *http.Request, c *Client) (*http.Response, error) {
	all, err := c.List(ctx)
	if err != nil {
		resp, err := refusal(req, err, http.StatusBadGateway)
		return resp, errors.Join(err, t.quit(ctx, c))
	}
	var text []byte
	for _, e := range all {
		text = append(e.appendScan(text), '\n')
	}
	resp := response(req, http.StatusOK, string(text))
	resp.Header.Set("Content-Type", "text/plain; charset=utf-8")
	return resp, t.quit(ctx, c)
}

func (t *Transport) message(ctx context.Context, req *http.Request, c *Client, number int) (*http.Response, error) {
	size, err := c.Size(ctx, number)
	var body *Body
	if err == nil && req.Method != http.MethodHead {
		body, err = c.Retrieve(ctx, number)
	}
	if err != nil {
		resp, err := refusal(req, err, http.StatusNotFound)
		return resp, errors.Join(err, t.quit(ctx, c))
	}
	resp := response(req, http.StatusOK, "")
	resp.Header.Set("Content-Type", "message/rfc822")
	resp.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	resp.ContentLength = size
	if body == nil {
		return resp, t.quit(ctx, c)
	}
	resp.Body = &content{Body: body, end: func() error {
		if body.err != io.EOF {
			return c.Close()
		}
		return t.quit(ctx, c)
	}}
	return resp, nil
}

// content is a message that ends its session.
type content struct {
	*Body
	end  func() error
	once sync.Once
	err  error
}

// Close ends the session; a message that has not been read to its end is left
// where it is.
func (c *content) Close() error {
	c.once.Do(func() { c.err = c.end() })
	return c.err
}

// refusal makes a response of a negative reply; another error stays one.
func refusal(req *http.Request, err error, status int) (*http.Response, error) {
	r, ok := errors.AsType[Reply](err)
	if !ok {
		return nil, err
	}
	if r.Has(CodeInUse) || r.Has(CodeLoginDelay) || r.Has("SYS") {
		status = http.StatusServiceUnavailable
	}
	return response(req, status, r.Text+"\n"), nil
}

func response(req *http.Request, status int, text string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "POP/3.0", ProtoMajor: 3, Header: http.Header{}, Request: req,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}
