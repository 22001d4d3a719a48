package server

import (
	"errors"
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
func (o *evOwner) sendFile(f *os.File, n int64) (int64, error) {
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
		if err := raw.Control(func(fd uintptr) { sent, en = unix.Sendfile(int(t.fd), int(fd), nil, int(min(n, piece))) }); err != nil {
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

// sendMore writes to a TCP socket what the kernel may hold back until more
// comes (send(2), MSG_MORE): a packet less.
func sendMore(c *net.TCPConn, p []byte) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Write(func(fd uintptr) bool {
		for n < len(p) && err == nil {
			var sent int
			sent, err = unix.SendmsgN(int(fd), p[n:], nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
			n += max(0, sent)
			switch err {
			case unix.EAGAIN:
				err = nil
				return false
			case unix.EINTR:
				err = nil
			}
		}
		return true
	})
	if waited != nil {
		return n, waited
	}
	return n, os.NewSyscallError("sendmsg", err)
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
