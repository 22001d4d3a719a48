package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Stream makes a handler of a function in the shape of the tutorials'
// handle(): it has the connection to itself, in blocking style, and the
// connection is closed when it returns. io.EOF is a good end like nil. Its
// context ends when the time for draining has passed; while the server stops,
// a read that waits for the peer ends with ErrStopping.
//
// The function may use c from several goroutines, as any net.Conn, but must
// not let them outlive it.
func Stream(f func(ctx context.Context, c net.Conn) error) Handler {
	return &streamHandler{f, Streams}
}

// Coroutine is Stream for a function that waits only on its connection and
// computes little: on the events engine it runs on the loop, without a
// goroutine of its own. It uses c from its own goroutine only.
func Coroutine(f func(ctx context.Context, c net.Conn) error) Handler {
	return &streamHandler{f, Waits}
}

type streamHandler struct {
	f    func(ctx context.Context, c net.Conn) error
	mode Mode
}

func (h *streamHandler) Mode() Mode { return h.mode }

func (h *streamHandler) Open(_ context.Context, t *Talk) (Session, error) {
	return &streamSession{h.f, t}, nil
}

// streamSession is the whole talk as one Turn.
type streamSession struct {
	f func(ctx context.Context, c net.Conn) error
	t *Talk
}

func (s *streamSession) Turn(ctx context.Context) error {
	if err := s.f(ctx, s.t.NetConn()); err != nil {
		return err
	}
	return io.EOF
}

func (s *streamSession) Close(error) error { return nil }

// eager is a session whose first Turn does not wait for input.
func (s *streamSession) eager() {}

// serve runs the function on a talk's own goroutine.
func (h *streamHandler) serve(ctx context.Context, t *goTalk) error {
	t.house.count.turns.Add(1)
	return h.f(ctx, &streamConn{Conn: t.NetConn(), t: t})
}

// streamConn tells the engine when its handler waits for the peer.
type streamConn struct {
	net.Conn
	t *goTalk
}

// stopGrace is how long a read that begins while the server stops waits for
// bytes that may be on their way.
const stopGrace = 50 * time.Millisecond

func (c *streamConn) Read(p []byte) (int, error) {
	t := c.t
	stopping := t.house.isStopping()
	if stopping {
		if err := t.nc.SetReadDeadline(time.Now().Add(stopGrace)); err != nil {
			return 0, err
		}
	}
	t.enter(waiting)
	if !stopping && t.house.isStopping() { // it stopped just now, and stop may have missed us
		t.stop()
	}
	n, err := c.Conn.Read(p)
	t.enter(turning)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, c.reason(err)
	}
	return n, err
}

// reason says why the engine ended a read, or that the handler's own deadline
// did.
func (c *streamConn) reason(err error) error {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	switch {
	case c.t.why != nil:
		return c.t.why
	case c.t.house.isStopping():
		return ErrStopping
	}
	return err
}

func (c *streamConn) Write(p []byte) (int, error) {
	c.t.since.Store(c.t.house.clock.Load())
	return c.Conn.Write(p)
}

// ReadFrom lets the kernel copy where both sides are sockets or files.
func (c *streamConn) ReadFrom(r io.Reader) (int64, error) {
	t := c.t
	if rf, ok := t.nc.(io.ReaderFrom); ok && !t.Upgraded() && !t.Tapped() {
		if err := t.W.Flush(); err != nil {
			return 0, err
		}
		n, err := rf.ReadFrom(r)
		t.house.count.out.Add(uint64(n))
		return n, err
	}
	return io.Copy(struct{ io.Writer }{c}, r)
}

// CloseWrite ends our half of the stream.
func (c *streamConn) CloseWrite() error { return c.t.CloseWrite() }

// NetConn is the connection below, for socket options.
func (c *streamConn) NetConn() net.Conn { return c.t.nc }

var (
	_ Handler = (*streamHandler)(nil)
	_ Session = (*streamSession)(nil)
)
