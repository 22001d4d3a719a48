package conv

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/farend-go/farend/wire"
)

// Upgrade puts something between the conversation and its connection: TLS
// after STARTTLS, or compression. It flushes, then calls wrap with the
// connection below; what wrap returns carries everything from then on. wrap
// shakes hands and obeys ctx.
//
// ErrEarly: bytes of the peer that came before lie here; they could be
// somebody else's commands, so the conversation must end (CVE-2011-0411).
// After any error the Conn is only good for Close.
func (c *Conn) Upgrade(ctx context.Context, wrap func(net.Conn) (net.Conn, error)) error {
	if c.Here {
		return wire.ErrWait
	}
	if err := c.W.Flush(); err != nil {
		return err
	}
	if c.tap != nil {
		c.tellRead()
	}
	if c.R.Buffered() > 0 {
		c.broken = true
		return ErrEarly
	}
	c.R.Own()
	below := &portConn{c.port, true}
	var nc net.Conn
	err := c.Within(ctx, func() (err error) {
		nc, err = wrap(below)
		return err
	})
	if err != nil {
		c.broken = true
		return err
	}
	below.wait = false
	u := &upgraded{c.port, nc}
	c.port = u
	c.top.Store(u)
	if c.tap != nil {
		c.tell(Utterance{Event: Upgraded})
	}
	return nil
}

// ServerTLS is a wrap for Upgrade: it shakes hands as a server.
func ServerTLS(ctx context.Context, cfg *tls.Config) func(net.Conn) (net.Conn, error) {
	return func(nc net.Conn) (net.Conn, error) {
		t := tls.Server(nc, cfg)
		return t, t.HandshakeContext(ctx)
	}
}

// ClientTLS is a wrap for Upgrade: it shakes hands as a client; cfg names the server (ServerName) unless
// it says not to verify.
func ClientTLS(ctx context.Context, cfg *tls.Config) func(net.Conn) (net.Conn, error) {
	return func(nc net.Conn) (net.Conn, error) {
		t := tls.Client(nc, cfg)
		return t, t.HandshakeContext(ctx)
	}
}

// upgraded is a Port over a Port. Recv looks inside first, so that a request
// which lies there already is never overslept.
type upgraded struct {
	Port
	nc net.Conn
}

// below is what an earlier Upgrade put there; nil: none did.
func (p *upgraded) below() *upgraded {
	u, _ := p.Port.(*upgraded)
	return u
}

func (p *upgraded) Recv(b []byte) (int, error) {
	n, err := p.nc.Read(b)
	if n > 0 {
		return n, nil
	}
	if _, ok := errors.AsType[waiting](err); ok {
		return 0, wire.ErrWait
	}
	return 0, err
}

func (p *upgraded) Send(b []byte) error {
	_, err := p.nc.Write(b)
	return err
}

func (p *upgraded) SetDeadline(t time.Time) error {
	if d, ok := p.Port.(deadliner); ok {
		return d.SetDeadline(t)
	}
	return nil
}
