package server

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/socket"
)

func closeOnExec(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC)
	return os.NewSyscallError("fcntl", err)
}

func closeFD(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }

// purposeOf tells what fd is, as sd_is_socket(3) does.
func purposeOf(fd int) purpose {
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case err == unix.ENOTSOCK:
		return noSocket
	case err != nil:
		return notOpen
	case typ == unix.SOCK_DGRAM:
		return datagrams
	case typ != unix.SOCK_STREAM && typ != unix.SOCK_SEQPACKET:
		return otherSocket
	}
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on != 0 {
		return listening
	}
	if _, err := unix.Getpeername(fd); err == nil || err == unix.EAFNOSUPPORT {
		return connected
	}
	return otherSocket
}

// listenerOn is a listener on a duplicate of fd.
func listenerOn(fd int) (net.Listener, error) { return on(fd, (*socket.Sock).Listener) }

// connectionOn is a connection on a duplicate of fd.
func connectionOn(fd int) (net.Conn, error) { return on(fd, (*socket.Sock).Conn) }

// packetsOn is a datagram socket on a duplicate of fd.
func packetsOn(fd int) (net.PacketConn, error) { return on(fd, (*socket.Sock).PacketConn) }

func on[V any](fd int, view func(*socket.Sock) (V, error)) (V, error) {
	var none V
	s, err := socket.FromFD(fd)
	if err != nil {
		return none, err
	}
	v, err := view(s)
	if err != nil {
		return none, errors.Join(err, s.Close())
	}
	return v, nil
}

// leaveStandard puts /dev/null in the place of those of fds that are the same
// file as the first.
func leaveStandard(fds ...int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	defer unix.Close(null)
	var first, st unix.Stat_t
	if err := unix.Fstat(fds[0], &first); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	for _, fd := range fds {
		if err := unix.Fstat(fd, &st); err != nil || st.Dev != first.Dev || st.Ino != first.Ino {
			continue
		}
		if err := unix.Dup3(null, fd, 0); err != nil {
			return os.NewSyscallError("dup3", err)
		}
	}
	return nil
}
