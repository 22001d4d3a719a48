//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"io"

	"golang.org/x/sys/unix"
)

// maxTransfer bounds one system call: some kernels refuse 2 GiB.
const maxTransfer = 1 << 30

// receive is one recvmsg: bufs and control are filled, the rest is in the result.
func (h *handle) receive(ctx context.Context, bufs [][]byte, control []byte, flags Flag, named bool) (received, error) {
	d := &h.in
	if err := d.enter(ctx); err != nil {
		return received{}, err
	}
	defer d.leave()
	d.msg.bufs, d.msg.control, d.msg.flags, d.msg.named = bufs, control, flags, named
	return h.receiveTurn(ctx)
}

// receiveInto is receive for one buffer.
func (h *handle) receiveInto(ctx context.Context, p []byte, flags Flag, named bool) (received, error) {
	d := &h.in
	if h.stream && len(p) > maxTransfer {
		p = p[:maxTransfer]
	}
	if err := d.enter(ctx); err != nil {
		return received{}, err
	}
	defer d.leave()
	if flags&MSG_WAITALL != 0 && h.stream {
		n, err := h.fill(ctx, p, flags)
		return received{n: n}, err
	}
	d.msg.one[0] = p
	d.msg.bufs, d.msg.flags, d.msg.named = d.msg.one[:], flags, named
	return h.receiveTurn(ctx)
}

func (h *handle) receiveTurn(ctx context.Context) (received, error) {
	m := &h.in.msg
	err := h.in.run(ctx, m.flags&MSG_DONTWAIT == 0, h.in.recv)
	if err != nil {
		return received{}, err
	}
	r := received{n: m.n, nControl: m.nControl, flags: m.got, from: m.from}
	if r.n == 0 && h.ends && m.flags&errorQueue == 0 && room(m.bufs) {
		return r, io.EOF
	}
	return r, nil
}

// room tells whether there is a byte to receive into: receiving nothing into
// nothing does not mean the end.
func room(bufs [][]byte) bool {
	for _, b := range bufs {
		if len(b) > 0 {
			return true
		}
	}
	return false
}

// fill receives until p is full: MSG_WAITALL, which the kernel does not keep on
// a nonblocking descriptor. The end of the stream before that is no error unless
// nothing came, as recv(2) has it.
func (h *handle) fill(ctx context.Context, p []byte, flags Flag) (n int, err error) {
	m := &h.in.msg
	flags &^= MSG_WAITALL
	peek := flags&MSG_PEEK != 0
	err = h.in.run(ctx, flags&MSG_DONTWAIT == 0, func(fd int) error {
		for n < len(p) {
			if peek {
				n = 0 // what was seen is seen again
			}
			m.one[0], m.bufs, m.flags = p[n:], m.one[:], flags
			if err := m.recv(fd); err != nil {
				return err
			}
			n += m.n
			if m.n == 0 {
				return nil
			}
			if peek && n < len(p) {
				if hungUp(fd) {
					return nil
				}
				return unix.EAGAIN // until the poller sees more arrive
			}
		}
		return nil
	})
	switch {
	case err == unix.EAGAIN && n > 0:
		return n, nil // MSG_DONTWAIT: what there was
	case err == nil && n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, err
}

// hungUp tells whether the peer sends no more.
func hungUp(fd int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: pollHangUp}}
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0 && p[0].Revents != 0
}

// send is one sendmsg. Bytes of a stream may be taken in part.
func (h *handle) send(ctx context.Context, bufs [][]byte, control []byte, to Addr, flags Flag) (int, error) {
	d := &h.out
	if err := d.enter(ctx); err != nil {
		return 0, err
	}
	defer d.leave()
	d.msg.bufs, d.msg.control, d.msg.flags = bufs, control, flags
	return h.sendTurn(ctx, to)
}

func (h *handle) sendTurn(ctx context.Context, to Addr) (int, error) {
	m := &h.out.msg
	if err := m.address(h.as, to); err != nil {
		return 0, err
	}
	err := h.out.run(ctx, m.flags&MSG_DONTWAIT == 0, h.out.send)
	return m.n, err
}

// sendFrom is send for one buffer without control data.
func (h *handle) sendFrom(ctx context.Context, p []byte, to Addr, flags Flag) (int, error) {
	d := &h.out
	if h.stream && len(p) > maxTransfer {
		p = p[:maxTransfer]
	}
	if err := d.enter(ctx); err != nil {
		return 0, err
	}
	defer d.leave()
	d.msg.one[0] = p
	d.msg.bufs, d.msg.flags = d.msg.one[:], flags
	return h.sendTurn(ctx, to)
}

// sendAll sends until all of p is gone, in one turn.
func (h *handle) sendAll(ctx context.Context, p []byte, flags Flag) (n int, err error) {
	d := &h.out
	if err := d.enter(ctx); err != nil {
		return 0, err
	}
	defer d.leave()
	m := &d.msg
	err = d.run(ctx, flags&MSG_DONTWAIT == 0, func(fd int) error {
		for {
			part := p[n:]
			if h.stream && len(part) > maxTransfer {
				part = part[:maxTransfer]
			}
			m.one[0], m.bufs, m.flags = part, m.one[:], flags
			if err := m.send(fd); err != nil {
				return err
			}
			n += m.n
			if n >= len(p) {
				return nil
			}
		}
	})
	return n, err
}
