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
	address string
	nc      net.Conn
	in      io.LimitedReader // of nc, during the head
	r       *bufio.Reader
	w       *bufio.Writer
	since   time.Time // at rest

	watched <-chan struct{} // Done of the last request's context
	unwatch func() bool

	mu   sync.Mutex
	busy <-chan struct{} // watched, while there is a request
}

// begin has the context of a request end what is read and written here, until
// rest. Requests mostly share one, so it is watched from then on.
func (c *quickConn) begin(ctx context.Context) error {
	done := ctx.Done()
	c.mu.Lock()
	c.busy = done
	c.mu.Unlock()
	if c.watched != done {
		c.forget()
		c.watched = done
		c.unwatch = context.AfterFunc(ctx, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.busy == done {
				c.nc.SetDeadline(time.Unix(1, 0))
			}
		})
	}
	return ctx.Err() // which may have been there before it was busy
}

// rest is whether the connection outlives the request.
func (c *quickConn) rest(ctx context.Context) bool {
	c.mu.Lock()
	c.busy = nil
	c.mu.Unlock()
	return ctx.Err() == nil
}

func (c *quickConn) forget() {
	if c.unwatch != nil {
		c.unwatch()
	}
}

func (c *quickConn) close() {
	c.forget()
	c.nc.Close()
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
			c = &quickConn{address: address, nc: nc, w: bufio.NewWriterSize(nc, 2<<10)}
			c.in.R = nc
			c.r = bufio.NewReaderSize(&c.in, 4<<10)
		}
		resp, err := q.exchange(c, req)
		if err == nil {
			return resp, nil
		}
		c.close()
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
func (q *quick) exchange(c *quickConn, req *http.Request) (*http.Response, error) {
	if err := c.begin(req.Context()); err != nil {
		return nil, err
	}
	c.in.N = headLimit
	err := req.Write(c.w)
	if err == nil {
		err = c.w.Flush()
	}
	if err == nil {
		_, err = c.r.Peek(1)
	}
	if err != nil {
		return nil, errors.Join(errSilent, err)
	}
	resp, err := c.head(req)
	if err != nil {
		return nil, err
	}
	c.in.N = 1<<63 - 1
	body := &quickBody{ReadCloser: resp.Body, q: q, c: c, req: req, reuse: !resp.Close}
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
	q     *quick
	c     *quickConn
	req   *http.Request
	reuse bool
	over  bool
}

func (b *quickBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if !b.over {
		b.end(err == io.EOF)
	}
	if ended := b.req.Context().Err(); err != io.EOF && ended != nil {
		err = ended
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
	if b.c.rest(b.req.Context()) && whole && b.reuse && b.c.r.Buffered() == 0 {
		b.q.put(b.c)
		return
	}
	b.c.close()
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
		c.close()
	}
	return nil
}

func (q *quick) put(c *quickConn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.idle[c.address]) >= q.most {
		c.close()
		return
	}
	c.since = time.Now()
	q.idle[c.address] = append(q.idle[c.address], c)
}

// close closes what rests, and the others when they are given back.
func (q *quick) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, all := range q.idle {
		for _, c := range all {
			c.close()
		}
	}
	q.idle = nil
}
