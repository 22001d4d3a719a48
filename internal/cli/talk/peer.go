package talk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/farend-go/farend/conv"
)

// ErrTLS is a StartTLS on a Peer that speaks TLS already, or that carries
// datagrams.
var ErrTLS = errors.New("no step up to TLS from here")

// A Peer is the far end of a conversation. Reading and writing may go on at
// once, each in one goroutine; StartTLS needs both to rest.
type Peer struct {
	// Accepted tells that the peer came to us: we are the server.
	Accepted bool
	// Packet tells that each Read and each Write is one datagram.
	Packet bool

	nc net.Conn   // what carries the bytes now
	c  *conv.Conn // what nc stands on; nil for datagrams
}

// Stream is the peer at the other end of nc, which it owns from now on.
func Stream(nc net.Conn) *Peer {
	return &Peer{nc: nc, c: conv.New(nc, conv.Options{})}
}

// Packets is a peer that is spoken to in datagrams. It owns nc.
func Packets(nc net.Conn) *Peer { return &Peer{nc: nc, Packet: true} }

// Read reads what the peer said.
func (p *Peer) Read(b []byte) (int, error) { return p.nc.Read(b) }

// Write says something to the peer.
func (p *Peer) Write(b []byte) (int, error) { return p.nc.Write(b) }

// SetReadDeadline bounds the reads; in clear only.
func (p *Peer) SetReadDeadline(t time.Time) error { return p.nc.SetReadDeadline(t) }

// CloseWrite ends our half; errors.ErrUnsupported where there are no halves.
func (p *Peer) CloseWrite() error {
	if p.c == nil {
		return errors.ErrUnsupported
	}
	return p.c.CloseWrite()
}

// Close says goodbye where TLS has one, and closes the connection.
func (p *Peer) Close() error {
	if p.c == nil {
		return p.nc.Close()
	}
	return p.c.Close()
}

// Abort closes the connection without a word. It may be called by any goroutine.
func (p *Peer) Abort() error {
	if p.c == nil {
		return p.nc.Close()
	}
	return p.c.Abort()
}

// StartTLS shakes hands: as the server if the peer came to us, else as the
// client. After an error other than ErrTLS the Peer can only be closed.
func (p *Peer) StartTLS(ctx context.Context, cfg *tls.Config) error {
	if _, already := p.TLS(); already || p.Packet {
		return ErrTLS
	}
	wrap := conv.ClientTLS(ctx, cfg)
	if p.Accepted {
		wrap = conv.ServerTLS(ctx, cfg)
	}
	err := p.c.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		above, err := wrap(below)
		if err == nil {
			p.nc = above
		}
		return above, err
	})
	if _, clear := errors.AsType[tls.RecordHeaderError](err); clear {
		return fmt.Errorf("the peer answered in clear: %w", err)
	}
	return err
}

// TLS is the state of the TLS connection; ok is false in clear.
func (p *Peer) TLS() (state tls.ConnectionState, ok bool) {
	if t, is := p.nc.(*tls.Conn); is {
		return t.ConnectionState(), true
	}
	return state, false
}

// known tells whether there is somebody to speak to: a datagram socket that
// listens learns it from the first datagram.
func (p *Peer) known() bool {
	a, ok := p.nc.(*Answering)
	return !ok || a.known()
}
