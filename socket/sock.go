package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Sock is a socket, what socket(2) returns. Make one with Socket, SocketPair,
// FromFD, CreateServer or CreateConnection; whoever made it closes it.
//
// All methods may be called by several goroutines at once. Calls that receive
// (Accept among them) take turns with each other, and so do calls that send
// (Connect among them); the two directions do not hinder each other. A call that
// waits for its turn obeys its context too.
//
// Calls that may wait take a context. When it is cancelled they return at once
// with an error for which errors.Is(err, context.Canceled) holds; when its
// deadline passes, with one that is both context.DeadlineExceeded and
// os.ErrDeadlineExceeded. What had been moved by then is counted in the result,
// and the socket stays usable. No goroutine is started to watch the context.
//
// Errors are *net.OpError around the system's errno, so that
// errors.Is(err, unix.ECONNREFUSED) or syscall.ECONNREFUSED holds; after Close
// they are net.ErrClosed.
//
// A Sock is also a net.Conn (its Read and Write wait until SetDeadline's time,
// if any). See Conn, Listener and PacketConn for views that package net makes.
type Sock struct {
	family Family
	typ    Type
	proto  Proto
	*handle
	watched *watched // nil outside a LeakCheck
}

var (
	_ net.Conn     = (*Sock)(nil)
	_ syscall.Conn = (*Sock)(nil)
)

// Socket makes a socket, socket(2): for instance AF_INET, SOCK_STREAM, 0. A
// family, type or protocol that the kernel lacks is refused with its errno
// (EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT), a raw socket without the
// privilege with EPERM or EACCES. The descriptor is closed on exec.
func Socket(family Family, typ Type, proto Proto) (*Sock, error) {
	typ = plainType(typ)
	h, err := openHandle(family, typ, proto)
	if err != nil {
		return nil, &net.OpError{Op: "socket", Net: networkName(family, typ), Err: err}
	}
	return &Sock{family: family, typ: typ, proto: proto, handle: h}, nil
}

// New makes a socket as Python's socket.socket() does without arguments:
// AF_INET, SOCK_STREAM, protocol 0.
func New() (*Sock, error) { return Socket(AF_INET, SOCK_STREAM, 0) }

// SocketPair makes two sockets that are connected to each other, socketpair(2);
// the family is AF_UNIX on most systems. The caller closes both.
func SocketPair(family Family, typ Type, proto Proto) (*Sock, *Sock, error) {
	typ = plainType(typ)
	a, b, err := openPair(family, typ, proto)
	if err != nil {
		return nil, nil, &net.OpError{Op: "socketpair", Net: networkName(family, typ), Err: err}
	}
	return &Sock{family: family, typ: typ, proto: proto, handle: a},
		&Sock{family: family, typ: typ, proto: proto, handle: b}, nil
}

// FromFD makes a Sock on a duplicate of the descriptor, as Python's fromfd: the
// caller still owns fd and closes it. The two share one open socket, and with it
// the nonblocking mode, which is switched on. A descriptor that is no socket is
// refused with ENOTSOCK.
func FromFD(fd int) (*Sock, error) {
	own, err := dupFD(fd)
	if err != nil {
		return nil, &net.OpError{Op: "fromfd", Net: "fd", Err: err}
	}
	s, err := Adopt(own)
	if err != nil {
		return nil, errors.Join(err, closeFD(own))
	}
	return s, nil
}

// Adopt makes a Sock of the descriptor itself, as Python's socket(fileno=fd): on
// success it belongs to the Sock and is closed with it, after an error it is
// still the caller's.
func Adopt(fd int) (*Sock, error) {
	family, typ, proto, err := identify(fd)
	if err != nil {
		return nil, &net.OpError{Op: "fromfd", Net: "fd", Err: err}
	}
	h, err := newHandle(fd, family, typ)
	if err != nil {
		return nil, &net.OpError{Op: "fromfd", Net: networkName(family, typ), Err: err}
	}
	return &Sock{family: family, typ: typ, proto: proto, handle: h}, nil
}

// Family is the family the socket was made with.
func (s *Sock) Family() Family { return s.family }

// Type is the type the socket was made with, without SOCK_CLOEXEC and the like.
func (s *Sock) Type() Type { return s.typ }

// Proto is the protocol the socket was made with: 0 if that was left to the
// kernel. SO_PROTOCOL tells which one it chose.
func (s *Sock) Proto() Proto { return s.proto }

// Close closes the socket, close(2). Calls that wait on it return net.ErrClosed.
// Further Closes do nothing and return nil.
func (s *Sock) Close() error {
	s.watched.closed()
	return s.fail("close", nil, s.close())
}

// Dup makes a second Sock for the same open socket, dup(2). Each must be closed;
// the peer sees the end of the stream when the last one is.
func (s *Sock) Dup() (*Sock, error) {
	fd, err := s.dup()
	if err != nil {
		return nil, s.fail("dup", nil, err)
	}
	h, err := newHandle(fd, s.family, s.typ)
	if err != nil {
		return nil, s.fail("dup", nil, errors.Join(err, closeFD(fd)))
	}
	return s.inherit(&Sock{family: s.family, typ: s.typ, proto: s.proto, handle: h}), nil
}

// Detach gives the socket away: it returns a descriptor that the caller owns and
// must close, and the Sock is closed without the connection ending. The number
// differs from Fileno's; the descriptor is nonblocking and closed on exec.
func (s *Sock) Detach() (int, error) {
	fd, err := s.dup()
	if err != nil {
		return -1, s.fail("detach", nil, err)
	}
	if err := s.Close(); err != nil {
		return -1, errors.Join(err, closeFD(fd))
	}
	return fd, nil
}

// Fileno is the socket's descriptor, or -1 when it is closed. It still belongs
// to the Sock and may be used only while that is open; SyscallConn keeps it open
// meanwhile.
func (s *Sock) Fileno() int { return s.fileno() }

// File returns a duplicate of the descriptor as a file, which the caller closes;
// so it can be passed on to a process (exec.Cmd's ExtraFiles). The two share one
// open socket and its nonblocking mode.
func (s *Sock) File() (*os.File, error) {
	fd, err := s.dup()
	if err != nil {
		return nil, s.fail("file", nil, err)
	}
	return os.NewFile(uintptr(fd), networkName(s.family, s.typ)), nil
}

// SyscallConn gives access to the descriptor for calls that this package lacks.
// What is done through it does not take turns with the Sock's own calls.
func (s *Sock) SyscallConn() (syscall.RawConn, error) {
	rc, err := s.raw()
	return rc, s.fail("syscallconn", nil, err)
}

// SetDeadline sets the time after which calls fail with os.ErrDeadlineExceeded,
// whatever their context says; the zero time sets none. Waiting calls notice at
// once. See net.Conn.
func (s *Sock) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline is SetDeadline for calls that receive.
func (s *Sock) SetReadDeadline(t time.Time) error {
	return s.fail("set deadline", nil, s.setReadDeadline(t))
}

// SetWriteDeadline is SetDeadline for calls that send.
func (s *Sock) SetWriteDeadline(t time.Time) error {
	return s.fail("set deadline", nil, s.setWriteDeadline(t))
}

// Getsockname is the socket's own address, getsockname(2).
func (s *Sock) Getsockname() (Addr, error) {
	a, err := s.sockname()
	return a, s.fail("getsockname", nil, err)
}

// Getpeername is the peer's address, getpeername(2); ENOTCONN without a peer.
func (s *Sock) Getpeername() (Addr, error) {
	a, err := s.peername()
	return a, s.fail("getpeername", nil, err)
}

// LocalAddr is Getsockname for net.Conn: nil where there is no address.
func (s *Sock) LocalAddr() net.Addr {
	a, err := s.sockname()
	if err != nil || a == nil {
		return nil
	}
	return a
}

// RemoteAddr is Getpeername for net.Conn: nil where there is no peer.
func (s *Sock) RemoteAddr() net.Addr {
	a, err := s.peername()
	if err != nil || a == nil {
		return nil
	}
	return a
}

// Read receives into p, for io.Reader: RecvInto until SetReadDeadline's time.
func (s *Sock) Read(p []byte) (int, error) { return s.RecvInto(context.Background(), p) }

// Write sends all of p, for io.Writer: SendAll until SetWriteDeadline's time.
func (s *Sock) Write(p []byte) (int, error) { return s.SendAll(context.Background(), p) }

var _ io.ReadWriteCloser = (*Sock)(nil)
