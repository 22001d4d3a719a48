package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/dial"
)

// A Transport opens ftp: and ftps: URLs for an http.Client: GET, HEAD, PUT and
// DELETE. ftps: is TLS from the beginning. It keeps sessions for further
// requests. Its fields are set before the first request; it may be used by
// several goroutines.
//
// A path is read as RFC 1738 section 3.2.2 has it: a CWD for each segment, from
// where the login begins; %2F at the beginning is the root. ;type=a is a text,
// ;type=i an image (the default), ;type=d a list of names. A path that ends in
// a slash, or is a directory's, is listed as the server lists it.
//
// Where the server refuses, the response has the nearest status (401 for 530,
// 404 for 550, 507 for 452 and 552, 502 for what has none) and the server's
// words as its body; where it was on the way to the directory that it refused,
// the field Ftp-Command says CWD.
type Transport struct {
	Options  Options
	StartTLS bool // ftp: demands AUTH TLS
	// Login gives name and password where the URL has none; nil, or no name:
	// anonymous.
	Login func(ctx context.Context, u *url.URL) (user, password string, err error)
	Idle  time.Duration // how long a session is kept unused; 0: 30 s

	mu   sync.Mutex
	idle map[sessionKey][]*idleSession
}

// sessionKey is what requests have in common that may share a session.
type sessionKey struct{ endpoint, user, password string }

type idleSession struct {
	c     *Client
	home  string
	timer *time.Timer
}

// maxIdle is how many sessions are kept for each key.
const maxIdle = 4

var _ http.RoundTripper = (*Transport)(nil)

// location is a URL's path taken apart.
type location struct {
	dirs []string
	file string // "": the directory itself
	kind string // "", "a", "i", "d"
}

// parseLocation reads an escaped path.
func parseLocation(escaped string) (location, error) {
	var at location
	escaped = strings.TrimPrefix(escaped, "/")
	if i := strings.LastIndex(strings.ToLower(escaped), ";type="); i >= 0 && i+7 == len(escaped) {
		at.kind = strings.ToLower(escaped[i+6:])
		if !strings.Contains("aid", at.kind) {
			return at, fmt.Errorf("ftp: %q is no type: a, i or d", at.kind)
		}
		escaped = escaped[:i]
	}
	parts := strings.Split(escaped, "/")
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil {
			return at, fmt.Errorf("ftp: %w", err)
		}
		if strings.ContainsAny(name, "\r\n\x00") {
			return at, errors.New("ftp: a line break or NUL inside a name")
		}
		switch {
		case i == len(parts)-1:
			at.file = name
		case name != "":
			at.dirs = append(at.dirs, name)
		}
	}
	if at.kind == "d" && at.file != "" {
		at.dirs, at.file = append(at.dirs, at.file), ""
	}
	return at, nil
}

// RoundTrip answers a request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	at, err := parseLocation(req.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	x := &exchange{t: t, req: req, at: at}
	if x.do = x.method(); x.do == nil {
		return x.response(http.StatusMethodNotAllowed, "FTP has no "+req.Method+"\n"), nil
	}
	ctx := req.Context()
	if err := t.open(ctx, x); err != nil {
		return x.refused(err)
	}
	resp, err := x.run(ctx)
	if err != nil {
		resp, err = x.refused(err)
	}
	if x.body == nil {
		t.put(x.key, x.s)
	}
	return resp, err
}

// CloseIdleConnections closes the sessions that are kept.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sessions := range t.idle {
		for _, s := range sessions {
			if s.timer.Stop() {
				s.c.Close()
			}
		}
	}
	t.idle = nil
}

// exchange is one request.
type exchange struct {
	t    *Transport
	req  *http.Request
	at   location
	do   func(ctx context.Context) (*http.Response, error)
	key  sessionKey
	s    *idleSession
	body *Body // is the response's: the session goes back when it is closed
}

func (x *exchange) method() func(ctx context.Context) (*http.Response, error) {
	switch x.req.Method {
	case "", http.MethodGet:
		return x.get
	case http.MethodHead:
		return x.head
	case http.MethodPut:
		return x.put
	case http.MethodDelete:
		return x.delete
	}
	return nil
}

// open finds or makes a session.
func (t *Transport) open(ctx context.Context, x *exchange) error {
	u := x.req.URL
	scheme, port := dial.TCP, "21"
	switch {
	case u.Scheme == "ftps":
		scheme, port = dial.TLS, "990"
	case t.StartTLS:
		scheme = dial.StartTLS
	}
	if u.Port() != "" {
		port = u.Port()
	}
	user, password := u.User.Username(), ""
	if user != "" {
		password, _ = u.User.Password()
	} else if t.Login != nil {
		var err error
		if user, password, err = t.Login(ctx, u); err != nil {
			return err
		}
	}
	if user == "" {
		user, password = "anonymous", "anonymous@" // RFC 1635
	}
	x.key = sessionKey{dial.Endpoint{Scheme: scheme, Host: u.Hostname(), Port: port}.String(), user, password}
	for {
		s := t.take(x.key)
		if s == nil {
			break
		}
		if s.c.Cwd(ctx, s.home) == nil {
			x.s = s
			return nil
		}
		s.c.Close()
	}
	c, err := Dial(ctx, x.key.endpoint, t.Options)
	if err != nil {
		return err
	}
	x.s = &idleSession{c: c}
	if err = c.Login(ctx, user, password, ""); err == nil {
		x.s.home, err = c.Pwd(ctx)
	}
	if err != nil {
		c.Close()
	}
	return err
}

func (t *Transport) take(key sessionKey) *idleSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.idle[key]) > 0 {
		last := len(t.idle[key]) - 1
		s := t.idle[key][last]
		t.idle[key] = t.idle[key][:last]
		if s.timer.Stop() {
			return s
		}
	}
	return nil
}

// put keeps a session for a while.
func (t *Transport) put(key sessionKey, s *idleSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.c.broken || s.c.busy || len(t.idle[key]) >= maxIdle {
		s.c.Close()
		return
	}
	if t.idle == nil {
		t.idle = map[sessionKey][]*idleSession{}
	}
	wait := t.Idle
	if wait == 0 {
		wait = 30 * time.Second
	}
	s.timer = time.AfterFunc(wait, func() { s.c.c.Abort() }) //nolint:errcheck // nobody is left to hear of it
	t.idle[key] = append(t.idle[key], s)
}

// run goes to the directory, then does what was asked for.
func (x *exchange) run(ctx context.Context) (*http.Response, error) {
	for _, dir := range x.at.dirs {
		if err := x.s.c.Cwd(ctx, dir); err != nil {
			resp, err := x.refused(err)
			if err == nil {
				resp.Header.Set("Ftp-Command", "CWD")
			}
			return resp, err
		}
	}
	return x.do(ctx)
}

// facts are size and time, as far as the server tells.
func (x *exchange) facts(ctx context.Context, resp *http.Response) (int64, error) {
	resp.ContentLength = -1
	if x.at.kind == "a" {
		return -1, nil
	}
	size, err := x.s.c.Size(ctx, x.at.file)
	if err == nil {
		resp.ContentLength = size
		resp.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	} else if size = -1; notReply(err) != nil {
		return size, err
	}
	modified, err := x.s.c.ModTime(ctx, x.at.file)
	if err == nil {
		resp.Header.Set("Last-Modified", modified.Format(http.TimeFormat))
	}
	if err == nil || notReply(err) == nil {
		resp.Header.Set("Accept-Ranges", "bytes")
		return size, nil
	}
	return size, err
}

func (x *exchange) get(ctx context.Context) (*http.Response, error) {
	if x.at.file == "" {
		return x.list(ctx)
	}
	resp := x.response(http.StatusOK, "")
	size, err := x.facts(ctx, resp)
	if err != nil {
		return nil, err
	}
	from, to := byteRange(x.req.Header.Get("Range"), size)
	o := RetrieveOptions{Offset: from, Size: max(size, 0), ASCII: x.at.kind == "a"}
	body, err := x.s.c.Retrieve(ctx, x.at.file, o)
	if errors.Is(err, errNoREST) { // as a server of HTTP does that has no ranges
		from, to, o.Offset = 0, size, 0
		body, err = x.s.c.Retrieve(ctx, x.at.file, o)
	}
	if r, ok := errors.AsType[Reply](err); ok && r.Code == 550 && x.s.c.Cwd(ctx, x.at.file) == nil {
		return x.list(ctx) // a directory after all
	}
	if err != nil {
		return nil, err
	}
	x.body = body
	content := &content{x: x, r: body}
	if to < size { // otherwise its end is the server's word that all is well
		content.r = io.LimitReader(body, to-from)
	}
	if from > 0 || to < size {
		resp.StatusCode, resp.Status = http.StatusPartialContent, "206 Partial Content"
		resp.ContentLength = to - from
		resp.Header.Set("Content-Length", strconv.FormatInt(to-from, 10))
		resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
	}
	resp.Body = content
	return resp, nil
}

// byteRange reads "bytes=from-" and "bytes=from-to" (RFC 9110 section 14.1.2);
// any other, and one that does not fit, is the whole file.
func byteRange(header string, size int64) (from, to int64) {
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	a, err := strconv.ParseInt(first, 10, 64)
	if !ok || err != nil || a < 0 || a >= size || !strings.HasPrefix(header, "bytes=") {
		return 0, size
	}
	if last == "" {
		return a, size
	}
	b, err := strconv.ParseInt(last, 10, 64)
	if err != nil || b < a {
		return 0, size
	}
	return a, min(b+1, size)
}

// list is a directory as the server draws it, or its names.
func (x *exchange) list(ctx context.Context) (*http.Response, error) {
	verb, kind := "LIST", "text/ftp-dir-listing"
	if x.at.kind == "d" {
		verb, kind = "NLST", "text/plain; charset=utf-8"
	}
	s, err := x.s.c.transfer(ctx, "A", verb, "", 0)
	if err != nil {
		return nil, err
	}
	resp := x.response(http.StatusOK, "")
	resp.Header.Set("Content-Type", kind)
	resp.ContentLength = -1
	x.body = &Body{s: s, want: -1}
	resp.Body = &content{x: x, r: x.body}
	return resp, nil
}

func (x *exchange) head(ctx context.Context) (*http.Response, error) {
	resp := x.response(http.StatusOK, "")
	if x.at.file == "" {
		return resp, nil
	}
	size, err := x.facts(ctx, resp)
	if err == nil && size < 0 && resp.Header.Get("Last-Modified") == "" {
		if err = x.s.c.Cwd(ctx, x.at.file); err == nil {
			resp.Header.Del("Accept-Ranges")
		}
	}
	return resp, err
}

func (x *exchange) put(ctx context.Context) (*http.Response, error) {
	if x.at.file == "" {
		return x.response(http.StatusConflict, "a directory cannot be put\n"), nil
	}
	var body io.Reader = http.NoBody
	if x.req.Body != nil {
		body = x.req.Body
	}
	if _, err := x.s.c.Store(ctx, x.at.file, body, StoreOptions{ASCII: x.at.kind == "a"}); err != nil {
		return nil, err
	}
	return x.response(http.StatusCreated, ""), nil
}

func (x *exchange) delete(ctx context.Context) (*http.Response, error) {
	var err error
	if x.at.file != "" {
		err = x.s.c.Delete(ctx, x.at.file)
	} else if n := len(x.at.dirs); n > 0 {
		if err = x.s.c.Cwd(ctx, ".."); err == nil {
			err = x.s.c.Rmdir(ctx, x.at.dirs[n-1])
		}
	} else {
		return x.response(http.StatusForbidden, "the root stays\n"), nil
	}
	if err != nil {
		return nil, err
	}
	return x.response(http.StatusNoContent, ""), nil
}

// content gives the session back when it has been read, or is closed.
type content struct {
	x    *exchange
	r    io.Reader
	once sync.Once
}

func (c *content) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *content) Close() error {
	var err error = net.ErrClosed
	c.once.Do(func() {
		err = c.x.body.Close()
		c.x.t.put(c.x.key, c.x.s)
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// refused makes a response of a negative reply; another error stays one.
func (x *exchange) refused(err error) (*http.Response, error) {
	r, ok := errors.AsType[Reply](err)
	if !ok {
		return nil, err
	}
	status := http.StatusBadGateway
	switch r.Code {
	case 530, 532:
		status = http.StatusUnauthorized
	case 550:
		status = http.StatusNotFound
	case 553:
		status = http.StatusForbidden
	case 452, 552:
		status = http.StatusInsufficientStorage
	case 421, 450:
		status = http.StatusServiceUnavailable
	}
	return x.response(status, r.Text()+"\n"), nil
}

func (x *exchange) response(status int, text string) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "FTP/1.0", ProtoMajor: 1, Header: http.Header{}, Request: x.req,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}
