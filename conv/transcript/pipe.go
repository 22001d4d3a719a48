package transcript

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeSize is how much a direction of a Pipe holds before Write waits.
const pipeSize = 64 << 10

// Pipe is a connection in memory: what is written at one End is read at the
// other. Unlike net.Pipe each direction has a buffer (64 KiB) and an end of its
// own.
func Pipe() (a, b *End) {
	there, back := newDuct(), newDuct()
	return &End{in: back, out: there, name: "a"}, &End{in: there, out: back, name: "b"}
}

// End is one end of a Pipe. Its methods may be called by several goroutines.
// Errors are those of a TCP connection: os.ErrDeadlineExceeded, net.ErrClosed,
// syscall.EPIPE and syscall.ECONNRESET.
type End struct {
	in, out *duct
	name    string
	mu      sync.Mutex
	abort   bool
	closed  bool
}

var _ net.Conn = (*End)(nil)

// duct is one direction.
type duct struct {
	mu    sync.Mutex
	moved sync.Cond
	buf   []byte
	ended bool // the writer has ended it
	left  bool // the reader has closed
	reset bool
	read  limit
	write limit
}

func newDuct() *duct {
	d := &duct{}
	d.moved.L = &d.mu
	return d
}

// limit is a deadline.
type limit struct {
	at    time.Time
	timer *time.Timer
}

func (l *limit) passed() bool { return !l.at.IsZero() && !time.Now().Before(l.at) }

// set changes a deadline and wakes who waits.
func (d *duct) set(l *limit, t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.at = t
	if left := time.Until(t); !t.IsZero() && left > 0 {
		l.timer = time.AfterFunc(left, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.moved.Broadcast()
		})
	}
	d.moved.Broadcast()
}

// fail is an error in the manner of package net.
func (e *End) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "pipe", Source: e.LocalAddr(), Addr: e.RemoteAddr(), Err: err}
}

// Read reads what has come, waiting for the first byte; io.EOF at the end.
func (e *End) Read(p []byte) (int, error) {
	d := e.in
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.left:
			return 0, e.fail("read", net.ErrClosed)
		case d.read.passed():
			return 0, e.fail("read", os.ErrDeadlineExceeded)
		case len(d.buf) > 0 || len(p) == 0:
			n := copy(p, d.buf)
			d.buf = d.buf[n:]
			d.moved.Broadcast()
			return n, nil
		case d.reset:
			return 0, e.fail("read", syscall.ECONNRESET)
		case d.ended:
			return 0, io.EOF
		}
		d.moved.Wait()
	}
}

// Write writes all of p, waiting while the buffer is full.
func (e *End) Write(p []byte) (n int, err error) {
	d := e.out
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case e.isClosed():
			return n, e.fail("write", net.ErrClosed)
		case d.reset:
			return n, e.fail("write", syscall.ECONNRESET)
		case d.ended || d.left:
			return n, e.fail("write", syscall.EPIPE)
		case d.write.passed():
			return n, e.fail("write", os.ErrDeadlineExceeded)
		case n == len(p):
			return n, nil
		}
		if room := pipeSize - len(d.buf); room > 0 {
			k := min(room, len(p)-n)
			d.buf = append(d.buf, p[n:n+k]...)
			n += k
			d.moved.Broadcast()
			if n == len(p) {
				return n, nil
			}
			continue
		}
		d.moved.Wait()
	}
}

func (e *End) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// Close closes both directions: the peer reads what is on its way, then the
// end. A second Close is net.ErrClosed.
func (e *End) Close() error {
	e.mu.Lock()
	closed, abort := e.closed, e.abort
	e.closed = true
	e.mu.Unlock()
	if closed {
		return e.fail("close", net.ErrClosed)
	}
	e.out.change(func(d *duct) { d.ended, d.reset = true, abort })
	e.in.change(func(d *duct) { d.left, d.reset, d.buf = true, abort, nil })
	for _, d := range []struct {
		*duct
		l *limit
	}{{e.out, &e.out.write}, {e.in, &e.in.read}} {
		d.set(d.l, time.Time{})
	}
	return nil
}

// CloseWrite ends our direction: the peer reads the end, we go on reading.
func (e *End) CloseWrite() error {
	if e.isClosed() {
		return e.fail("shutdown", net.ErrClosed)
	}
	e.out.change(func(d *duct) { d.ended = true })
	return nil
}

// SetLinger with 0 makes Close a reset, as on a *net.TCPConn: the peer gets
// syscall.ECONNRESET behind what is on its way. Other values make it a close.
func (e *End) SetLinger(sec int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.abort = sec == 0
	return nil
}

func (d *duct) change(f func(*duct)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
	d.moved.Broadcast()
}

// pipeAddr is an End's address.
type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return "pipe-" + string(a) }

// LocalAddr is pipe-a or pipe-b.
func (e *End) LocalAddr() net.Addr { return pipeAddr(e.name) }

// RemoteAddr is the other one.
func (e *End) RemoteAddr() net.Addr {
	if e.name == "a" {
		return pipeAddr("b")
	}
	return pipeAddr("a")
}

// SetDeadline bounds reads and writes; the zero time is no deadline.
func (e *End) SetDeadline(t time.Time) error {
	if err := e.SetReadDeadline(t); err != nil {
		return err
	}
	return e.SetWriteDeadline(t)
}

// SetReadDeadline bounds reads, one that waits already too.
func (e *End) SetReadDeadline(t time.Time) error { return e.setDeadline(e.in, &e.in.read, t) }

// SetWriteDeadline bounds writes, one that waits already too.
func (e *End) SetWriteDeadline(t time.Time) error { return e.setDeadline(e.out, &e.out.write, t) }

func (e *End) setDeadline(d *duct, l *limit, t time.Time) error {
	if e.isClosed() {
		return e.fail("set deadline", net.ErrClosed)
	}
	d.set(l, t)
	return nil
}

// Once is a listener that hands nc out, once; further Accepts return
// net.ErrClosed. So a server can be run on one End of a Pipe.
func Once(nc net.Conn) net.Listener { return &once{nc: nc, addr: nc.LocalAddr()} }

type once struct {
	mu   sync.Mutex
	nc   net.Conn
	addr net.Addr
}

func (o *once) Accept() (net.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.nc == nil {
		return nil, net.ErrClosed
	}
	nc := o.nc
	o.nc = nil
	return nc, nil
}

// Close closes the connection if nobody took it.
func (o *once) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.nc == nil {
		return nil
	}
	err := o.nc.Close()
	o.nc = nil
	return err
}

func (o *once) Addr() net.Addr { return o.addr }
