package socket

import (
	"bufio"
	"context"
	"errors"
	"net"
)

// Conn turns the socket into a net.Conn: for TCP, UDP, Unix and raw IP sockets
// one of package net's own (*net.TCPConn and so on, which splice and sendfile by
// themselves), for other families the Sock itself.
//
// The connection takes the socket's place: after success the Sock is closed and
// the net.Conn is what the caller closes; after an error the Sock is as before.
// Options stay, but a *net.TCPConn starts with TCP_NODELAY and keep-alive probes
// on, as package net has it.
func (s *Sock) Conn() (net.Conn, error) {
	switch s.family {
	case AF_INET, AF_INET6, AF_UNIX:
		return give(s, s.netConn)
	}
	return s, nil
}

// Listener turns a listening socket into a net.Listener, as Conn does: package
// net's own for TCP and Unix streams, else one whose Accept returns what Conn
// does. The Sock is closed on success.
//
// The path of a Unix socket stays when the listener is closed, unless
// SetUnlinkOnClose of *net.UnixListener says otherwise; Listen says otherwise.
func (s *Sock) Listener() (net.Listener, error) {
	switch s.family {
	case AF_INET, AF_INET6, AF_UNIX:
		return give(s, s.netListener)
	}
	return listener{s}, nil
}

// PacketConn turns a bound socket into a net.PacketConn, as Conn does: package
// net's own for UDP, Unix datagrams and raw IP, else one whose addresses are
// Addrs. The Sock is closed on success.
func (s *Sock) PacketConn() (net.PacketConn, error) {
	switch s.family {
	case AF_INET, AF_INET6, AF_UNIX:
		return give(s, s.netPacketConn)
	}
	return packetConn{s}, nil
}

// give hands the socket over to a view made by package net on a duplicate.
func give[V interface{ Close() error }](s *Sock, view func() (V, error)) (V, error) {
	v, err := view()
	if err != nil {
		var none V
		return none, s.fail("convert", nil, err)
	}
	if err := s.Close(); err != nil {
		var none V
		return none, errors.Join(err, v.Close())
	}
	return v, nil
}

// Makefile returns a buffered reader and writer on the socket, Python's
// makefile("rwb"). What is written leaves with Flush; the socket stays open and
// is closed by its owner. SetDeadline bounds its waiting.
func (s *Sock) Makefile() *bufio.ReadWriter {
	return bufio.NewReadWriter(bufio.NewReader(s), bufio.NewWriter(s))
}

// listener is a net.Listener for families that package net does not know.
type listener struct{ *Sock }

func (l listener) Accept() (net.Conn, error) {
	conn, _, err := l.Sock.Accept(context.Background())
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (l listener) Addr() net.Addr { return l.LocalAddr() }

// packetConn is a net.PacketConn for families that package net does not know.
type packetConn struct{ *Sock }

// ReadFrom cuts a long datagram in silence, as package net's do.
func (c packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.RecvFromInto(context.Background(), p)
	if errors.Is(err, ErrTruncated) {
		err = nil
	}
	if from == nil {
		return n, nil, err
	}
	return n, from, err
}

// WriteTo takes the Addrs of this package only.
func (c packetConn) WriteTo(p []byte, to net.Addr) (int, error) {
	a, ok := to.(Addr)
	if !ok {
		return 0, c.fail("sendto", to, errors.New("not an address of this family"))
	}
	return c.SendTo(context.Background(), p, a)
}
