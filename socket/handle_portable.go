//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// handle stands for a socket on systems where descriptors cannot be put into
// Go's poller from outside package net, such as Windows. It is an intention until
// Bind, Listen or Connect has package net open something; TCP, UDP and Unix
// streams work, without flags, control messages and raw sockets: those give
// errors.ErrUnsupported.
type handle struct {
	family Family
	typ    Type
	dual   bool // an AF_INET6 listener for IPv4 peers too

	mu     sync.Mutex
	local  Addr // where Bind put a stream that does not exist yet
	shut   bool
	conn   net.Conn // a connected stream or datagram socket
	listen net.Listener
	packet net.PacketConn // a bound datagram socket
	in     turn
	out    turn
}

var errPortable = errors.Join(errors.New("not on this system"), errors.ErrUnsupported)

func openHandle(family Family, typ Type, proto Proto) (*handle, error) {
	known := family == AF_INET || family == AF_INET6 || family == AF_UNIX && typ == SOCK_STREAM
	if !known || typ != SOCK_STREAM && typ != SOCK_DGRAM {
		return nil, errPortable
	}
	return makeHandle(family, typ), nil
}

func makeHandle(family Family, typ Type) *handle {
	h := &handle{family: family, typ: typ}
	h.in.token, h.out.token = make(chan struct{}, 1), make(chan struct{}, 1)
	h.in.deadline = func(t time.Time) error { return h.set(t, net.Conn.SetReadDeadline, net.PacketConn.SetReadDeadline) }
	h.out.deadline = func(t time.Time) error { return h.set(t, net.Conn.SetWriteDeadline, net.PacketConn.SetWriteDeadline) }
	return h
}

// set passes a deadline to what there is.
func (h *handle) set(t time.Time, conn func(net.Conn, time.Time) error, packet func(net.PacketConn, time.Time) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch l, _ := h.listen.(interface{ SetDeadline(time.Time) error }); {
	case h.shut:
		return net.ErrClosed
	case h.conn != nil:
		return conn(h.conn, t)
	case h.packet != nil:
		return packet(h.packet, t)
	case l != nil:
		return l.SetDeadline(t)
	}
	return nil
}

func openPair(Family, Type, Proto) (*handle, *handle, error) { return nil, nil, errPortable }

func newHandle(int, Family, Type) (*handle, error) { return nil, errPortable }

func identify(int) (Family, Type, Proto, error) { return 0, 0, 0, errPortable }

func plainType(t Type) Type { return t }

func dupFD(int) (int, error) { return -1, errPortable }

func closeFD(int) error { return errPortable }

func (h *handle) dup() (int, error) { return -1, errPortable }

func (h *handle) fileno() int { return -1 }

// bare is what package net found, without its own words around it.
func bare(err error) error {
	if inner, ok := errors.AsType[*net.OpError](err); ok {
		err = inner.Err
	}
	if inner, ok := errors.AsType[*os.SyscallError](err); ok {
		err = inner.Err
	}
	return err
}

// opened is whichever of conn, listen and packet exists.
func (h *handle) opened() interface{ Close() error } {
	switch {
	case h.conn != nil:
		return h.conn
	case h.listen != nil:
		return h.listen
	case h.packet != nil:
		return h.packet
	}
	return nil
}

func (h *handle) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return nil
	}
	h.shut = true
	if o := h.opened(); o != nil {
		return bare(o.Close())
	}
	return nil
}

func (h *handle) raw() (syscall.RawConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return nil, net.ErrClosed
	}
	if c, ok := h.opened().(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errPortable
}

func (h *handle) setReadDeadline(t time.Time) error  { return h.in.setBase(t) }
func (h *handle) setWriteDeadline(t time.Time) error { return h.out.setBase(t) }

// network is package net's name for sockets of this kind.
func (h *handle) network() string {
	name := networkName(h.family, h.typ)
	switch {
	case h.family == AF_INET:
		return name + "4"
	case h.family == AF_INET6 && !h.dual:
		return name + "6"
	}
	return name
}

// bind opens a datagram socket at once and a stream with Listen or Connect.
func (h *handle) bind(a Addr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return net.ErrClosed
	case h.local != nil || h.opened() != nil:
		return syscall.EINVAL
	case h.typ == SOCK_DGRAM:
		p, err := net.ListenPacket(h.network(), a.String())
		h.packet = p
		return bare(err)
	}
	h.local = a
	return nil
}

// startListening cannot pass the backlog on: package net asks for the most.
func (h *handle) startListening(int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return net.ErrClosed
	case h.typ != SOCK_STREAM || h.opened() != nil:
		return syscall.EINVAL
	}
	at := ""
	if h.local != nil {
		at = h.local.String()
	}
	l, err := net.Listen(h.network(), at)
	h.listen = l
	return bare(err)
}

func (h *handle) accept(ctx context.Context) (*handle, Addr, error) {
	h.mu.Lock()
	l := h.listen
	h.mu.Unlock()
	if l == nil {
		return nil, nil, syscall.EINVAL
	}
	conn := makeHandle(h.family, h.typ)
	err := h.within(ctx, &h.in, func() (err error) { conn.conn, err = l.Accept(); return err })
	if err != nil {
		return nil, nil, err
	}
	return conn, addrFrom(conn.conn.RemoteAddr()), nil
}

func (h *handle) connect(ctx context.Context, to Addr) error {
	h.mu.Lock()
	local, closed, opened := h.local, h.shut, h.opened()
	h.mu.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case opened != nil:
		return syscall.EINVAL
	}
	d := net.Dialer{FallbackDelay: -1, LocalAddr: netAddr(h.typ, local)}
	c, err := d.DialContext(ctx, h.network(), to.String())
	if ctx.Err() != nil && err != nil {
		return ended(ctx)
	}
	if err != nil {
		return bare(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return errors.Join(net.ErrClosed, c.Close())
	}
	h.conn = c
	return nil
}

func (h *handle) shutdown(how int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.conn.(interface {
		CloseRead() error
		CloseWrite() error
	})
	switch {
	case h.shut:
		return net.ErrClosed
	case !ok:
		return syscall.ENOTCONN
	case how == SHUT_RD:
		return bare(c.CloseRead())
	case how == SHUT_WR:
		return bare(c.CloseWrite())
	case how == SHUT_RDWR:
		return bare(errors.Join(c.CloseRead(), c.CloseWrite()))
	}
	return syscall.EINVAL
}

func (h *handle) sockname() (Addr, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return nil, net.ErrClosed
	case h.conn != nil:
		return addrFrom(h.conn.LocalAddr()), nil
	case h.listen != nil:
		return addrFrom(h.listen.Addr()), nil
	case h.packet != nil:
		return addrFrom(h.packet.LocalAddr()), nil
	}
	return h.local, nil
}

func (h *handle) peername() (Addr, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return nil, net.ErrClosed
	case h.conn == nil:
		return nil, syscall.ENOTCONN
	}
	return addrFrom(h.conn.RemoteAddr()), nil
}
