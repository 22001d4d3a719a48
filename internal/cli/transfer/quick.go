package transfer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
)

// quick is HTTP/1.1 for many small answers: each request is written and its
// answer read by the goroutine that wants it, where http.Transport has two more
// for each connection and hands everything over twice. It takes requests
// without a body to http: URLs, and leaves all others to next. The grammar is
// net/http's.
type quick struct {
	next http.RoundTripper
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	most int // connections kept for each host

	mu     sync.Mutex
	idle   map[string][]*quickConn // by address
	closed bool
}

// headLimit is how long the head of an answer may be.
const headLimit = 1 << 20

// idleLimit is how long a connection that rests is trusted.
const idleLimit = 30 * time.Second

// quickConn is a connection; one request at a time uses it.
type quickConn struct {
	nc    net.Conn
	in    io.LimitedReader // of nc, during the head
	r     *bufio.Reader
	w     *bufio.Writer
	since time.Time // at rest
}

// RoundTrip answers a request. What an idle connection does not answer goes to
// a new one: the methods are idempotent.
func (q *quick) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "http" || req.Body != nil || req.Method != http.MethodGet && req.Method != http.MethodHead ||
		strings.ContainsFunc(req.URL.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return q.next.RoundTrip(req)
	}
	ctx, address := req.Context(), addressOf(req)
	for {
		c := q.take(address)
		fresh := c == nil
		if fresh {
			nc, err := q.dial(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			c = &quickConn{nc: nc, w: bufio.NewWriterSize(nc, 2<<10)}
			c.in.R = nc
			c.r = bufio.NewReaderSize(&c.in, 4<<10)
		}
		resp, err := q.exchange(ctx, c, address, req)
		if err == nil {
			return resp, nil
		}
		c.nc.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if fresh || !errors.Is(err, errSilent) {
			return nil, err
		}
	}
}

// addressOf is where a request goes.
func addressOf(req *http.Request) string {
	if req.URL.Port() != "" {
		return req.URL.Host
	}
	return net.JoinHostPort(strings.Trim(req.URL.Host, "[]"), "80")
}

// errSilent is a connection that ended before a byte of an answer came.
var errSilent = errors.New("no answer")

// exchange sends the request and reads the head of its answer.
func (q *quick) exchange(ctx context.Context, c *quickConn, address string, req *http.Request) (*http.Response, error) {
	stop := context.AfterFunc(ctx, func() { c.nc.SetDeadline(time.Unix(1, 0)) })
	c.in.N = headLimit
	err := req.Write(c.w)
	if err == nil {
		err = c.w.Flush()
	}
	if err == nil {
		_, err = c.r.Peek(1)
	}
	if err != nil {
		stop()
		return nil, errors.Join(errSilent, err)
	}
	resp, err := c.head(req)
	if err != nil {
		stop()
		return nil, err
	}
	c.in.N = 1<<63 - 1
	body := &quickBody{ReadCloser: resp.Body, q: q, c: c, address: address, stop: stop, ended: ctx.Err, reuse: !resp.Close}
	resp.Body = body
	if resp.ContentLength == 0 || req.Method == http.MethodHead {
		body.end(true)
		resp.Body = http.NoBody
	}
	return resp, nil
}

// head reads as far as the final answer's head.
func (c *quickConn) head(req *http.Request) (*http.Response, error) {
	for range 6 {
		resp, err := http.ReadResponse(c.r, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errors.New("too many interim answers")
}

// quickBody gives the connection back at its end.
type quickBody struct {
	io.ReadCloser
	q       *quick
	c       *quickConn
	address string
	stop    func() bool
	ended   func() error // the context's
	reuse   bool
	over    bool
}

func (b *quickBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if !b.over {
		b.end(err == io.EOF)
	}
	if err != io.EOF && b.ended() != nil {
		err = b.ended()
	}
	return n, err
}

// Close ends what has not been read; nothing more of it comes.
func (b *quickBody) Close() error {
	if !b.over {
		b.end(false)
	}
	return nil
}

func (b *quickBody) end(whole bool) {
	b.over = true
	if b.stop() && whole && b.reuse && b.c.r.Buffered() == 0 {
		b.q.put(b.address, b.c)
		return
	}
	b.c.nc.Close()
}

func (q *quick) take(address string) *quickConn {
	q.mu.Lock()
	defer q.mu.Unlock()
	for all := q.idle[address]; len(all) > 0; all = q.idle[address] {
		c := all[len(all)-1]
		q.idle[address] = all[:len(all)-1]
		if time.Since(c.since) < idleLimit {
			return c
		}
		c.nc.Close()
	}
	return nil
}

func (q *quick) put(address string, c *quickConn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.idle[address]) >= q.most {
		c.nc.Close()
		return
	}
	c.since = time.Now()
	q.idle[address] = append(q.idle[address], c)
}

// close closes what rests, and the others when they are given back.
func (q *quick) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, all := range q.idle {
		for _, c := range all {
			c.nc.Close()
		}
	}
	q.idle = nil
}
