package conv

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/farend-go/farend/wire"
)

var (
	// ErrEarly is an Upgrade while bytes that came in clear still wait: they
	// may have been put there by somebody in the middle.
	ErrEarly = errors.New("conv: the peer spoke in clear before the handshake")
	// ErrBroken is the use of a Conn after a call was cut short: nobody knows
	// which answers are still to come, so it can only be closed.
	ErrBroken = errors.New("conv: conversation was cut short and is out of step")
)

// A Port carries the bytes of a Conn. A net.Conn is made one by New; an
// engine has its own.
type Port interface {
	// Recv reads into p. It never waits where Wait can: wire.ErrWait says that
	// nothing is here. io.EOF is the end of the stream.
	Recv(p []byte) (int, error)
	// Send takes all of p or fails, and keeps no reference to it.
	Send(p []byte) error
	// Wait returns when input may be here; wire.ErrWait where the caller may
	// not wait.
	Wait() error
	// LendIn gives storage for input until the Reader's Own, or nil when the
	// Reader is to use its own.
	LendIn() []byte
	// LendOut gives storage of length 0 for output, Unlend takes it back.
	LendOut() []byte
	Unlend(b []byte)
}

// A Layer wraps the stream below TLS: faults, counters, rate limits.
type Layer func(net.Conn) net.Conn

// Options of New.
type Options struct {
	Line   int     // limit of a line in bytes, CRLF included; 0: wire.DefaultLine
	Tap    Tap     // hears what is said; nil: nobody
	Layers []Layer // wrapped around the net.Conn, the first innermost
}

// Conn is one end of a conversation. R and W read and write; output leaves
// when W is flushed and before R waits. It is used by one goroutine at a time;
// only Abort and a cancelled context may come from another.
type Conn struct {
	R wire.Reader
	W wire.Writer

	port   Port
	tap    Tap
	bottom Port                     // the Port that Init got
	top    atomic.Pointer[upgraded] // what the last Upgrade put there: port, for who may not look at that; nil before
	// Here is set by an engine while a Turn sees only what lies here: a read
	// that would need more returns wire.ErrWait.
	Here   bool
	stream bool // NetConn was called: reading and writing may be two goroutines'
	secret bool
	broken bool
	told   int // how much of what leaves next the tap has heard
}

// New is one end of a conversation over nc, which it owns from now on.
func New(nc net.Conn, o Options) *Conn {
	for _, layer := range o.Layers {
		nc = layer(nc)
	}
	c := &Conn{}
	c.Init(&NetPort{Conn: nc}, o.Line, o.Tap)
	return c
}

// Init makes c ready over a Port, for engines that keep the Conn inside a
// larger value.
func (c *Conn) Init(p Port, line int, tap Tap) {
	c.port, c.bottom, c.tap = p, p, tap
	c.R.Init((*source)(c), line)
	c.W.Init((*source)(c))
}

// Port is what carries c now; after an Upgrade, the upgraded one.
func (c *Conn) Port() Port { return c.port }

// Upgraded tells whether Upgrade has put something between c and the Port, so
// that input may lie there although the Port has none.
func (c *Conn) Upgraded() bool { return c.top.Load() != nil }

// TLS is the state of the TLS connection; ok is false in clear.
func (c *Conn) TLS() (state tls.ConnectionState, ok bool) {
	for u := c.top.Load(); u != nil; u = u.below() {
		if t, is := u.nc.(*tls.Conn); is {
			return t.ConnectionState(), true
		}
	}
	return state, false
}

// source is a Conn as the Reader and the Writer see it.
type source Conn

// Fill reads more. Output leaves before anybody waits, and lent storage goes
// back before anybody waits.
func (s *source) Fill() error {
	c := (*Conn)(s)
	if c.Here {
		return wire.ErrWait
	}
	if c.tap != nil {
		c.tellRead()
	}
	if err := c.W.Flush(); err != nil {
		return err
	}
	for {
		room := c.room()
		n, err := c.port.Recv(room)
		if n > 0 {
			c.R.Added(n)
			return nil
		}
		if err != wire.ErrWait {
			if c.tap != nil {
				c.tellEnd(err)
			}
			return err
		}
		c.R.Own()
		if err := c.port.Wait(); err != nil {
			return err
		}
	}
}

// room is storage to read into; never empty.
func (c *Conn) room() []byte {
	if room := c.R.Room(); len(room) > 0 {
		return room
	}
	if !c.R.Lent() {
		if in := c.port.LendIn(); len(in) > c.R.Buffered() {
			c.R.LendTo(in)
			return c.R.Room()
		}
	}
	c.R.Grow()
	return c.R.Room()
}

func (s *source) Lend() []byte    { return s.port.LendOut() }
func (s *source) Unlend(b []byte) { s.port.Unlend(b) }

func (s *source) Send(b []byte) error {
	c := (*Conn)(s)
	if c.tap != nil {
		if !c.stream { // what is answered was said before
			c.tellRead()
		}
		c.tellWritten(b)
	}
	return c.port.Send(b)
}

// Finish flushes and says goodbye below: TLS closes its writing half in good
// order. For the engine, which closes the connection itself.
func (c *Conn) Finish() error {
	err := c.W.Flush()
	if c.tap != nil && !c.stream { // who reads a stream tells of it, and may be at it
		c.tellRead()
	}
	for u := c.top.Load(); u != nil; u = u.below() {
		if t, ok := u.nc.(interface{ CloseWrite() error }); ok {
			err = errors.Join(err, t.CloseWrite())
		}
	}
	return err
}

// Close flushes what was written, ends TLS in good order and closes the
// connection. A second Close does nothing.
func (c *Conn) Close() error {
	err := c.Finish()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return errors.Join(err, c.Abort())
}

// Abort closes the connection below without a word. It is the one method that
// may be called by another goroutine: a read that waits returns net.ErrClosed.
func (c *Conn) Abort() error {
	p, ok := c.bottom.(io.Closer)
	if !ok {
		return nil
	}
	if err := p.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// CloseWrite flushes and ends our half of the stream: the peer reads the end,
// we go on reading. Without a half to close it is errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	if err := c.Finish(); err != nil {
		return err
	}
	half, ok := c.bottom.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// LocalAddr is our end, nil where the Port has no addresses.
func (c *Conn) LocalAddr() net.Addr {
	if a, ok := c.bottom.(addressed); ok {
		return a.LocalAddr()
	}
	return nil
}

// RemoteAddr is the peer's end, nil where the Port has no addresses.
func (c *Conn) RemoteAddr() net.Addr {
	if a, ok := c.bottom.(addressed); ok {
		return a.RemoteAddr()
	}
	return nil
}

type addressed interface {
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}
