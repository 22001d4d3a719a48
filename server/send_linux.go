package server

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// progress says that the Turn gets on.
func (o *evOwner) progress() { (*evTalk)(o).touch() }

// sendFile sends up to n bytes with sendfile(2), waiting for the peer; 0: the
// file is at its end.
func (o *evOwner) sendFile(f *os.File, offset *int64, n int64) (int64, error) {
	t := (*evTalk)(o)
	if !t.mayWait() {
		return 0, errCopy
	}
	if err := t.W.Flush(); err != nil {
		return 0, err
	}
	if !t.worker {
		t.sendNow()
	}
	if err := t.waitSent(); err != nil {
		return 0, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, errCopy
	}
	for {
		var sent int
		var en error
		if err := raw.Control(func(fd uintptr) { sent, en = unix.Sendfile(int(t.fd), int(fd), offset, int(min(n, piece))) }); err != nil {
			return 0, err
		}
		switch en {
		case nil:
			t.counted(0, sent)
			return int64(sent), nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			t.needRoom()
			if err := t.pause(); err != nil {
				return 0, err
			}
		case syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP:
			return 0, errCopy
		default:
			return 0, os.NewSyscallError("sendfile", en)
		}
	}
}

// sendFile sends n bytes, or to the end of the file.
func sendFile(c *net.TCPConn, f *os.File, offset *int64, n int64) (int64, error) {
	if offset == nil {
		return c.ReadFrom(&io.LimitedReader{R: f, N: n})
	}
	from, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var total int64
	var failed error
	err = from.Control(func(file uintptr) {
		total, failed = sendAll(c, n, func(fd int, done int64) (int, error) {
			return unix.Sendfile(fd, int(file), offset, int(n-done))
		})
	})
	switch failed {
	case unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP:
		return total, errCopy
	}
	return total, errors.Join(err, os.NewSyscallError("sendfile", failed))
}

// sendMore writes to a TCP socket what the kernel may hold back until more
// comes (send(2), MSG_MORE): a packet less.
func sendMore(c *net.TCPConn, p []byte) (int, error) {
	n, err := sendAll(c, int64(len(p)), func(fd int, done int64) (int, error) {
		return unix.SendmsgN(fd, p[done:], nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
	})
	return int(n), os.NewSyscallError("sendmsg", err)
}

// sendAll has send, which does not wait, send n bytes, or until it has no more.
func sendAll(c *net.TCPConn, n int64, send func(fd int, done int64) (int, error)) (total int64, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Write(func(fd uintptr) bool {
		for total < n {
			var sent int
			sent, err = send(int(fd), total)
			total += int64(max(0, sent))
			switch {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
			case err != nil || sent == 0:
				return true
			}
		}
		return true
	})
	if waited != nil {
		return total, waited
	}
	return total, err
}

// reset resets the connection now: a TCP socket that is connected to nothing
// again (connect(2), AF_UNSPEC) says RST, and what is written later goes
// nowhere.
func (o *evOwner) reset() {
	t := (*evTalk)(o)
	if !t.worker {
		t.sendNow()
	}
	var nobody unix.RawSockaddr
	if _, en := raw(unix.SYS_CONNECT, uintptr(t.fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody), 0, 0, 0); en != 0 {
		_ = unix.Shutdown(int(t.fd), unix.SHUT_RDWR) // not of TCP: its end is all that can be told
	}
}

// evRaw is an evTalk's socket.
type evRaw evTalk

func (o *evOwner) syscallConn() (syscall.RawConn, error) {
	if t := (*evTalk)(o); t.onRing() {
		t.leaveInput()
	}
	return (*evRaw)(o), nil
}

// Control runs f: whoever has the Turn has the descriptor.
func (r *evRaw) Control(f func(fd uintptr)) error {
	if t := (*evTalk)(r); !t.worker {
		t.sendNow()
	}
	f(uintptr(r.fd))
	return nil
}

func (*evRaw) Read(func(fd uintptr) bool) error { return errors.ErrUnsupported }

// Write runs f when nothing is held, until it is done.
func (r *evRaw) Write(f func(fd uintptr) bool) error {
	t := (*evTalk)(r)
	if !t.mayWait() {
		return errors.ErrUnsupported
	}
	if !t.worker {
		t.sendNow()
	}
	if err := t.waitSent(); err != nil {
		return err
	}
	for !f(uintptr(t.fd)) {
		t.needRoom()
		if err := t.pause(); err != nil {
			return err
		}
	}
	return nil
}
