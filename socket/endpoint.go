package socket

import (
	"context"
	"errors"
)

// errNoAddress is for an Address that resolves to nothing.
var errNoAddress = errors.New("no address found")

// Bind gives the socket its own address, bind(2). Of several addresses that a
// name has, the first is taken. EADDRINUSE, EADDRNOTAVAIL and EACCES tell why
// not. A Unix path must not exist yet, and stays when the socket is closed.
func (s *Sock) Bind(ctx context.Context, at Address) error {
	a, err := s.first(ctx, at)
	if err != nil {
		return s.fail("bind", nil, err)
	}
	return s.fail("bind", a, s.bind(a))
}

// first is the best address for this socket that an Address leads to.
func (s *Sock) first(ctx context.Context, at Address) (Addr, error) {
	if a, ok := at.(Addr); ok {
		return a, nil
	}
	all, err := at.Resolve(ctx, s.family, s.typ)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNoAddress
	}
	return all[0], nil
}

// Listen makes the socket accept connections, listen(2). The backlog is how many
// finished connections may wait for Accept: on Linux one more than it says.
// SOMAXCONN is the most that the system allows.
func (s *Sock) Listen(backlog int) error {
	return s.fail("listen", s.LocalAddr(), s.startListening(backlog))
}

// Accept waits for a connection and returns it with the peer's address,
// accept(2). The caller closes it. A connection that the peer gave up before it
// was taken (ECONNABORTED) is passed over; EMFILE and ENFILE are reported, and
// the connection stays in the queue.
func (s *Sock) Accept(ctx context.Context) (*Sock, Addr, error) {
	h, peer, err := s.accept(ctx)
	if err != nil {
		return nil, nil, s.fail("accept", s.LocalAddr(), err)
	}
	return s.inherit(&Sock{family: s.family, typ: s.typ, proto: s.proto, handle: h}), peer, nil
}

// Connect connects the socket to a peer, connect(2); of several addresses that a
// name has, it tries the first (CreateConnection tries them all). ECONNREFUSED,
// ETIMEDOUT, EHOSTUNREACH and ENETUNREACH tell why not.
//
// A socket whose Connect was cancelled goes on connecting; a second Connect to
// the same address waits for that. A datagram socket takes the peer as the
// default of Send and the only source of Recv; RawAddr{Fam: AF_UNSPEC} undoes it.
func (s *Sock) Connect(ctx context.Context, to Address) error {
	a, err := s.first(ctx, to)
	if err != nil {
		return s.fail("connect", nil, err)
	}
	return s.fail("connect", a, s.connect(ctx, a))
}

// Shutdown ends one direction of the connection or both, shutdown(2): SHUT_RD,
// SHUT_WR (the peer reads the end of the stream; receiving goes on) or SHUT_RDWR.
// ENOTCONN without a peer.
func (s *Sock) Shutdown(how int) error { return s.fail("shutdown", nil, s.shutdown(how)) }

// CloseRead is Shutdown(SHUT_RD), as *net.TCPConn has it.
func (s *Sock) CloseRead() error { return s.Shutdown(SHUT_RD) }

// CloseWrite is Shutdown(SHUT_WR), as *net.TCPConn has it.
func (s *Sock) CloseWrite() error { return s.Shutdown(SHUT_WR) }
