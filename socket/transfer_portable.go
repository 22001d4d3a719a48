//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// within runs a waiting call of package net in a turn, until ctx ends.
func (h *handle) within(ctx context.Context, t *turn, call func() error) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	if ctx.Done() != nil {
		stop := t.watch(ctx)
		defer stop()
	}
	err := call()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return t.expired(ctx)
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	case err == io.EOF:
		return io.EOF
	}
	return bare(err)
}

// ends is what a call finds open.
func (h *handle) ends() (net.Conn, net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return nil, nil, net.ErrClosed
	case h.conn == nil && h.packet == nil:
		return nil, nil, syscall.ENOTCONN
	}
	return h.conn, h.packet, nil
}

// plainFlags are those that need nothing from the kernel.
func plainFlags(flags Flag) error {
	if flags&^(MSG_WAITALL|MSG_NOSIGNAL) != 0 {
		return errPortable
	}
	return nil
}

func (h *handle) receive(ctx context.Context, bufs [][]byte, control []byte, flags Flag, named bool) (received, error) {
	if len(control) > 0 || len(bufs) != 1 {
		return received{}, errPortable
	}
	return h.receiveInto(ctx, bufs[0], flags, named)
}

func (h *handle) receiveInto(ctx context.Context, p []byte, flags Flag, named bool) (r received, err error) {
	if err := plainFlags(flags); err != nil {
		return r, err
	}
	conn, packet, err := h.ends()
	if err != nil {
		return r, err
	}
	err = h.within(ctx, &h.in, func() (err error) {
		switch {
		case packet != nil:
			var from net.Addr
			r.n, from, err = packet.ReadFrom(p)
			r.from = addrFrom(from)
		case flags&MSG_WAITALL != 0 && h.typ == SOCK_STREAM:
			r.n, err = io.ReadFull(conn, p)
			if err == io.ErrUnexpectedEOF {
				err = nil
			}
		default:
			r.n, err = conn.Read(p)
		}
		return err
	})
	return r, err
}

func (h *handle) send(ctx context.Context, bufs [][]byte, control []byte, to Addr, flags Flag) (int, error) {
	if len(control) > 0 || len(bufs) != 1 {
		return 0, errPortable
	}
	return h.sendFrom(ctx, bufs[0], to, flags)
}

// sendFrom sends all of p: package net offers no less.
func (h *handle) sendFrom(ctx context.Context, p []byte, to Addr, flags Flag) (n int, err error) {
	if err := plainFlags(flags); err != nil {
		return 0, err
	}
	if to != nil {
		if err := h.bindAny(); err != nil {
			return 0, err
		}
	}
	conn, packet, err := h.ends()
	if err != nil {
		return 0, err
	}
	err = h.within(ctx, &h.out, func() (err error) {
		switch {
		case packet == nil:
			n, err = conn.Write(p)
		case to == nil:
			err = syscall.ENOTCONN
		default:
			n, err = packet.WriteTo(p, netAddr(h.typ, to))
		}
		return err
	})
	return n, err
}

// bindAny gives a datagram socket a port, as the kernel does with its first
// datagram.
func (h *handle) bindAny() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut || h.opened() != nil {
		return nil
	}
	p, err := net.ListenPacket(h.network(), ":0")
	h.packet = p
	return bare(err)
}

func (h *handle) sendAll(ctx context.Context, p []byte, flags Flag) (int, error) {
	return h.sendFrom(ctx, p, nil, flags)
}

const scmRights = 1

// CMSG_LEN: there are no control messages on this system; it is the length.
func CMSG_LEN(length int) int { return length }

// CMSG_SPACE: there are no control messages on this system; it is the length.
func CMSG_SPACE(length int) int { return length }

func appendControl(b []byte, all []Control) ([]byte, error) {
	if len(all) > 0 {
		return nil, errPortable
	}
	return b, nil
}

func parseControl([]byte) ([]Control, error) { return nil, nil }

// SetInheritable is not to be had on this system.
func (s *Sock) SetInheritable(bool) error { return s.fail("inheritable", nil, errPortable) }

// Inheritable is not to be had on this system.
func (s *Sock) Inheritable() (bool, error) { return false, s.fail("inheritable", nil, errPortable) }

// take hands what package net opened to a view; the Sock's own Close then finds
// nothing to do.
func take[V any](h *handle) (V, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.opened().(V)
	if !ok {
		return v, syscall.ENOTCONN
	}
	h.conn, h.listen, h.packet, h.shut = nil, nil, nil, true
	return v, nil
}

func (s *Sock) netConn() (net.Conn, error)             { return take[net.Conn](s.handle) }
func (s *Sock) netListener() (net.Listener, error)     { return take[net.Listener](s.handle) }
func (s *Sock) netPacketConn() (net.PacketConn, error) { return take[net.PacketConn](s.handle) }

// addrFrom is an address of package net's in our types.
func addrFrom(a net.Addr) Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return InetAddr{AddrPort: a.AddrPort()}
	case *net.UDPAddr:
		return InetAddr{AddrPort: a.AddrPort()}
	case *net.UnixAddr:
		return UnixAddr{Name: a.Name}
	}
	return nil
}

// netAddr is the opposite; nil stays nil.
func netAddr(typ Type, a Addr) net.Addr {
	switch a := a.(type) {
	case InetAddr:
		if typ == SOCK_DGRAM {
			return net.UDPAddrFromAddrPort(a.AddrPort)
		}
		return net.TCPAddrFromAddrPort(a.AddrPort)
	case UnixAddr:
		return &net.UnixAddr{Name: a.Name, Net: "unix"}
	}
	return nil
}
