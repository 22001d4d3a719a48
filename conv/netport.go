package conv

import (
	"errors"
	"net"
	"time"

	"github.com/farend-go/farend/wire"
)

// NetPort carries a Conn over any net.Conn. Its Recv waits, so that its Wait
// need not.
type NetPort struct{ net.Conn }

// Recv reads from the connection, waiting.
func (p *NetPort) Recv(b []byte) (int, error) { return p.Read(b) }

// Send writes all of b.
func (p *NetPort) Send(b []byte) error { _, err := p.Write(b); return err }

// Wait returns at once: Recv waits.
func (p *NetPort) Wait() error { return nil }

// LendIn lends nothing: the Reader takes its own storage.
func (p *NetPort) LendIn() []byte { return nil }

// LendOut takes storage from the common pool.
func (p *NetPort) LendOut() []byte { return wire.Get(outSize)[:0] }

// Unlend gives it back there.
func (p *NetPort) Unlend(b []byte) { wire.Put(b) }

// CloseWrite closes the writing half; errors.ErrUnsupported where there are no
// halves.
func (p *NetPort) CloseWrite() error {
	half, ok := p.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// outSize is how much output gathers before it leaves by itself.
const outSize = 4096

// past is a deadline that has expired.
var past = time.Unix(1, 0)

// portConn is a Port as a net.Conn: what Upgrade hands to a wrapper, and what
// Stream handlers see.
type portConn struct {
	p    Port
	wait bool // Read waits; otherwise it answers errWait, which crypto/tls outlives
}

// Read reads from the Port.
func (u *portConn) Read(b []byte) (int, error) {
	for {
		n, err := u.p.Recv(b)
		if err != wire.ErrWait {
			return n, err
		}
		if !u.wait {
			return 0, waiting{}
		}
		if err := u.p.Wait(); err != nil {
			return 0, err
		}
	}
}

func (u *portConn) Write(b []byte) (int, error) {
	if err := u.p.Send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close does nothing: whoever owns the Port closes it.
func (u *portConn) Close() error { return nil }

func (u *portConn) LocalAddr() net.Addr {
	if a, ok := u.p.(addressed); ok {
		return a.LocalAddr()
	}
	return nil
}

func (u *portConn) RemoteAddr() net.Addr {
	if a, ok := u.p.(addressed); ok {
		return a.RemoteAddr()
	}
	return nil
}

func (u *portConn) SetDeadline(t time.Time) error {
	if d, ok := u.p.(deadliner); ok {
		return d.SetDeadline(t)
	}
	return nil
}

func (u *portConn) SetReadDeadline(t time.Time) error { return u.SetDeadline(t) }

// SetWriteDeadline sets none: crypto/tls asks for one when it says goodbye, and
// an engine bounds what it holds for a peer that does not read.
func (u *portConn) SetWriteDeadline(time.Time) error { return nil }

type deadliner interface{ SetDeadline(t time.Time) error }

// waiting is the one kind of error after which crypto/tls lets a read be
// resumed: a net.Error that is temporary.
type waiting struct{}

func (waiting) Error() string   { return "conv: would wait" }
func (waiting) Timeout() bool   { return true }
func (waiting) Temporary() bool { return true }

var _ net.Error = waiting{}
