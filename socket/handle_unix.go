//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// handle is a descriptor in Go's runtime poller. The poller's registration is
// mdlayher/socket's; the calls go through its SyscallConn, because its own calls
// start a goroutine for every context that can be cancelled.
type handle struct {
	file   *socket.Conn
	rc     syscall.RawConn
	fd     int
	as     Family // in whose form addresses are given to the kernel
	stream bool   // bytes rather than messages
	ends   bool   // receiving nothing means the end of the stream
	shut   atomic.Bool
	in     side
	out    side
}

// newHandle takes over a descriptor, unless it returns an error.
func newHandle(fd int, family Family, typ Type) (*handle, error) {
	file, err := socket.New(fd, "socket")
	if err != nil {
		return nil, bare(err)
	}
	return wrapConn(file, fd, family, typ)
}

func wrapConn(file *socket.Conn, fd int, family Family, typ Type) (*handle, error) {
	rc, err := file.SyscallConn()
	if err != nil {
		return nil, bare(err)
	}
	h := &handle{
		file:   file,
		rc:     rc,
		fd:     fd,
		as:     family,
		stream: typ == SOCK_STREAM,
		ends:   typ == SOCK_STREAM || typ == SOCK_SEQPACKET,
	}
	h.in.init(rc.Read, file.SetReadDeadline)
	h.out.init(rc.Write, file.SetWriteDeadline)
	return h, nil
}

func openHandle(family Family, typ Type, proto Proto) (*handle, error) {
	file, err := socket.Socket(int(family), int(typ), int(proto), "socket", nil)
	if err != nil {
		return nil, bare(err)
	}
	h, err := wrapConn(file, -1, family, typ)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	err = h.control(func(fd int) error { h.fd = fd; return nil })
	return h, err
}

func openPair(family Family, typ Type, proto Proto) (*handle, *handle, error) {
	fds, err := socketpair(int(family), int(typ), int(proto))
	if err != nil {
		return nil, nil, err
	}
	a, err := newHandle(fds[0], family, typ)
	if err != nil {
		return nil, nil, errors.Join(err, closeFD(fds[0]), closeFD(fds[1]))
	}
	b, err := newHandle(fds[1], family, typ)
	if err != nil {
		return nil, nil, errors.Join(err, a.close(), closeFD(fds[1]))
	}
	return a, b, nil
}

// bare is the errno inside an os.SyscallError: a net.OpError names the call.
func bare(err error) error {
	if inner, ok := errors.AsType[*os.SyscallError](err); ok {
		return inner.Err
	}
	return err
}

func (h *handle) close() error {
	if h.shut.Swap(true) {
		return nil
	}
	return bare(h.file.Close())
}

func (h *handle) fileno() int {
	if h.shut.Load() {
		return -1
	}
	return h.fd
}

func (h *handle) raw() (syscall.RawConn, error) {
	if h.shut.Load() {
		return nil, net.ErrClosed
	}
	return h.rc, nil
}

func (h *handle) dup() (int, error) {
	nfd := -1
	err := h.control(func(fd int) (err error) { nfd, err = dupFD(fd); return err })
	return nfd, err
}

func (h *handle) setReadDeadline(t time.Time) error {
	if h.shut.Load() {
		return net.ErrClosed
	}
	return h.in.setBase(t)
}

func (h *handle) setWriteDeadline(t time.Time) error {
	if h.shut.Load() {
		return net.ErrClosed
	}
	return h.out.setBase(t)
}

func (h *handle) startListening(backlog int) error {
	return h.control(func(fd int) error { return unix.Listen(fd, backlog) })
}

func (h *handle) shutdown(how int) error {
	return h.control(func(fd int) error { return unix.Shutdown(fd, how) })
}

func (h *handle) bind(a Addr) error {
	return h.control(func(fd int) error { return sysBind(fd, h.as, a) })
}

func (h *handle) sockname() (a Addr, err error) {
	err = h.control(func(fd int) (err error) { a, err = sysGetsockname(fd); return err })
	return a, err
}

func (h *handle) peername() (a Addr, err error) {
	err = h.control(func(fd int) (err error) { a, err = sysGetpeername(fd); return err })
	return a, err
}

func (h *handle) accept(ctx context.Context) (*handle, Addr, error) {
	nfd, peer := -1, Addr(nil)
	err := h.in.once(ctx, func(fd int) (err error) {
		for {
			nfd, peer, err = sysAccept(fd)
			if err != unix.ECONNABORTED {
				return err
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	conn, err := newHandle(nfd, h.as, h.typ())
	if err != nil {
		return nil, nil, errors.Join(err, closeFD(nfd))
	}
	return conn, peer, nil
}

// typ is enough of the type for an accepted socket.
func (h *handle) typ() Type {
	if h.stream {
		return SOCK_STREAM
	}
	return SOCK_SEQPACKET
}

// connect starts the connection and waits until the kernel has finished it.
func (h *handle) connect(ctx context.Context, to Addr) error {
	if err := h.out.enter(ctx); err != nil {
		return err
	}
	defer h.out.leave()
	for delay := time.Millisecond; ; delay = min(2*delay, 50*time.Millisecond) {
		err := h.connectOnce(ctx, to)
		if !errors.Is(err, errQueueFull) {
			return err
		}
		// A Unix listener's queue is full: the poller has no event for its
		// getting shorter (unix(7)), so ask again.
		if err := pause(ctx, delay); err != nil {
			return err
		}
	}
}

// errQueueFull keeps connect's EAGAIN of Unix sockets apart from the poller's.
var errQueueFull = errors.New("the listener's queue is full")

func (h *handle) connectOnce(ctx context.Context, to Addr) error {
	started := false
	return h.out.run(ctx, true, func(fd int) error {
		if started {
			err := h.connected(fd)
			if err == nil {
				// Linux keeps the socket in "connecting" until it is asked
				// again: a later connect would succeed once more.
				_ = sysConnect(fd, h.as, to)
			}
			return err
		}
		switch err := sysConnect(fd, h.as, to); err {
		case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
			started = true
			return unix.EAGAIN
		case unix.EAGAIN:
			return errQueueFull
		default:
			return err
		}
	})
}

// connected asks how the connection under way fares: EAGAIN while it is open.
func (h *handle) connected(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	switch e := unix.Errno(errno); e {
	case 0:
		// The poller may wake for nothing; only a peer proves the connection.
		if _, err := sysGetpeername(fd); err != nil {
			return unix.EAGAIN
		}
		return nil
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		return unix.EAGAIN
	case unix.EISCONN:
		return nil
	default:
		return e
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func dupFD(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) }

func closeFD(fd int) error { return unix.Close(fd) }
