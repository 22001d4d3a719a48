package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/farend-go/farend/server"
)

// conn is a talk as net/http sees it. Below the server's Limits hold: every
// byte that moves is progress of the Turn.
//
// net/http sets deadlines several times for each request, and reads one byte
// in the background while a handler runs, to learn of peers that go. Both cost
// more than they bring where requests are short: a deadline reaches the system
// only when a read has to wait, and the background read begins late.
type conn struct {
	net.Conn
	t    *server.Talk
	tls  *tls.ConnectionState // nil in clear
	h2   bool                 // TLS has agreed on HTTP/2
	over chan struct{}        // closed: net/http has done with it

	stopping <-chan struct{} // closed: the server stops

	requests sync.WaitGroup
	rmu, wmu sync.Mutex // held by a Read, a Write
	held     bool       // what is written waits for the file behind it; wmu is held

	mu       sync.Mutex
	state    http.ConnState
	closed   bool
	away     bool // HTTP/2 has said goodbye
	panicked bool
	wanted   time.Time // the deadline that net/http asked for
	applied  time.Time // the one that the system has
	reading  bool      // a read waits in the system
	lulled   bool      // the background read has not begun
	bounded  bool      // writes have a deadline of net/http's
	rouse    chan struct{}
	lull     *time.Timer
}

func newConn(ctx context.Context, t *server.Talk) *conn {
	c := &conn{Conn: t.NetConn(), t: t, over: make(chan struct{}), rouse: make(chan struct{}, 1), stopping: server.Stopping(ctx)}
	if state, ok := t.TLS(); ok {
		c.tls, c.h2 = &state, state.NegotiatedProtocol == "h2"
	}
	return c
}

// setState is net/http's ConnState.
func (c *conn) setState(s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != http.StateHijacked { // then it is over with Close
		c.state = s
	}
	switch {
	case s == http.StateClosed:
		c.finish()
	case s == http.StateIdle && c.away:
		_ = c.close() // it waits for nobody
	}
}

// finish says that it is over; c.mu is held.
func (c *conn) finish() {
	select {
	case <-c.over:
	default:
		close(c.over)
	}
}

// settle returns when nobody uses the talk any more.
func (c *conn) settle() error {
	c.Close()
	c.rmu.Lock()
	c.wmu.Lock()
	c.wmu.Unlock() //nolint:staticcheck // they were held by those who are now out
	c.rmu.Unlock()
	c.requests.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lull != nil {
		c.lull.Stop()
	}
	if c.panicked {
		return server.ErrPanic
	}
	return io.EOF
}

// begin lets a request in, unless the connection has ended.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.requests.Add(1)
	return true
}

// end lets it out. A panic ends the connection, with a line in the log.
func (c *conn) end(log *slog.Logger) {
	defer c.requests.Done()
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		log.Error("panic", "server", "http", "talk", c.t.ID(), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		c.mu.Lock()
		c.panicked = true
		c.mu.Unlock()
	}
	panic(http.ErrAbortHandler)
}

// lullTime is how long the background read is put off.
const lullTime = 100 * time.Millisecond

func (c *conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if len(p) == 1 { // hardly anything but the background read asks for so little
		if err := c.linger(); err != nil {
			return 0, err
		}
	}
	for {
		if err := c.arm(); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		again, armErr := c.disarm(n, err)
		switch {
		case armErr != nil:
			return n, armErr
		case again:
			continue
		}
		c.t.Progress()
		return n, err
	}
}

// arm readies the system's deadline for a read. One that is too early is left:
// it wakes us, and we look again.
func (c *conn) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refusal(); err != nil {
		return err
	}
	c.reading = true
	if !c.wanted.IsZero() && (c.applied.IsZero() || c.applied.After(c.wanted)) {
		return c.apply(c.wanted)
	}
	return nil
}

// refusal is why a read cannot begin; c.mu is held.
func (c *conn) refusal() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case isPast(c.wanted):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// isPast tells net/http's way to end a read from a deadline that will come.
func isPast(t time.Time) bool { return !t.IsZero() && t.Unix() <= 1 }

// apply is called with c.mu held.
func (c *conn) apply(t time.Time) error {
	c.applied = t
	return c.t.Below().SetReadDeadline(t)
}

// disarm looks why a read ended: again where its deadline was an old one.
func (c *conn) disarm(n int, err error) (again bool, armErr error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	if c.closed {
		return false, net.ErrClosed
	}
	now := time.Now()
	if c.applied.IsZero() || now.Before(c.applied) { // the engine's
		return false, nil
	}
	if err := c.apply(c.wanted); err != nil {
		return false, err
	}
	return c.wanted.IsZero() || now.Before(c.wanted), nil
}

// linger puts the background read off; its end is an error.
func (c *conn) linger() error {
	c.mu.Lock()
	if err := c.refusal(); err != nil {
		c.mu.Unlock()
		return err
	}
	if c.state != http.StateActive {
		c.mu.Unlock()
		return nil
	}
	c.lulled = true
	if c.lull == nil {
		c.lull = time.NewTimer(lullTime)
	} else {
		c.lull.Reset(lullTime)
	}
	c.mu.Unlock()
	select {
	case <-c.rouse:
	case <-c.lull.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lull.Stop()
	c.lulled = false
	select {
	case <-c.rouse: // both at once
	default:
	}
	return c.refusal()
}

// wake ends a lull; c.mu is held.
func (c *conn) wake() {
	select {
	case c.rouse <- struct{}{}:
	default:
	}
}

// SetReadDeadline is heard by the read that waits, or the next.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = t
	switch {
	case c.closed:
	case c.lulled && isPast(t):
		c.wake()
	case c.reading && !t.IsZero():
		return c.apply(t)
	}
	return nil
}

// SetWriteDeadline is the system's: TLS must not have its reads bounded by it.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() && !c.bounded {
		return nil // there is none but the engine's
	}
	c.bounded = !t.IsZero()
	return c.t.Below().SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) Write(p []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.writable(); err != nil {
		return 0, err
	}
	c.t.Progress()
	if c.held {
		return c.t.W.Write(p)
	}
	if err := c.t.W.Flush(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if c.h2 && isGoAway(p) && c.isStopping() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.away = true
		if c.state == http.StateIdle {
			_ = c.close() // net/http would wait a second more; the engine sees to it that this arrives
		}
	}
	return n, err
}

func (c *conn) isStopping() bool {
	select {
	case <-c.stopping:
		return true
	default:
		return false
	}
}

// isGoAway tells whether b begins with such a frame (RFC 9113 section 6.8), or
// looks as if it did.
func isGoAway(b []byte) bool { return len(b) >= frameHead && b[3] == 7 }

// sendsFiles gives the connection of r if the kernel sends files there.
func sendsFiles(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c == nil || r.ProtoMajor != 1 || c.t.Upgraded() || c.t.Tapped() {
		return nil
	}
	return c
}

// head has net/http write what it holds back of a response, which then leaves
// in one piece with the beginning of the file that comes next. Otherwise
// net/http would read that beginning itself.
func (c *conn) head(w http.ResponseWriter) {
	c.hold(true)
	_ = http.NewResponseController(w).Flush() // an error is the next write's too
	c.hold(false)
}

func (c *conn) hold(on bool) {
	c.wmu.Lock()
	c.held = on
	c.wmu.Unlock()
}

// ReadFrom has the kernel send a file where nothing stands between.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.writable(); err != nil {
		return 0, err
	}
	return c.t.SendFrom(r)
}

func (c *conn) writable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return nil
}

// CloseWrite ends our half of the stream.
func (c *conn) CloseWrite() error { return c.t.CloseWrite() }

// Close ends what waits here. The connection itself is the engine's, who
// closes it in good order.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close()
}

// close is Close with c.mu held.
func (c *conn) close() error {
	if c.state == http.StateHijacked {
		c.finish()
	}
	if c.closed {
		return nil
	}
	c.closed = true
	c.wake()
	if c.reading {
		return c.apply(time.Unix(1, 0))
	}
	return nil
}
