package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// door is a listening socket that Go's poller does not watch: it would wake a
// thread for each data connection, and nobody needs to know of one before the
// command that uses it. Who waits longer has it watched meanwhile.
type door struct{ fd int }

func (d door) Close() error { return syscall.Close(d.fd) }

// open takes l over.
func (p *passive) open(_ *sharedPort, l net.Listener) (door, error) {
	fd, err := duplicate(l.(*net.TCPListener))
	return door{fd}, errors.Join(err, l.Close())
}

func duplicate(l *net.TCPListener) (int, error) {
	rc, err := l.SyscallConn()
	if err != nil {
		return -1, err
	}
	dup := -1
	var derr error
	err = rc.Control(func(fd uintptr) { dup, derr = duplicateOf(int(fd)) })
	return dup, errors.Join(err, derr)
}

func duplicateOf(fd int) (int, error) {
	dup, _, en := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if en != 0 {
		return -1, os.NewSyscallError("fcntl", en)
	}
	return int(dup), nil
}

// look lets in who has come to a port, as far as e; nil: all. With mu held.
func (p *passive) look(shared *sharedPort, e *expectation) error {
	for e == nil || !e.came {
		fd, from, err := syscall.Accept4(shared.l.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		switch err {
		case nil:
			p.deliver(shared, arrival{fd}, addrOfSocket(from))
		case syscall.EAGAIN:
			return nil
		case syscall.EINTR, syscall.ECONNABORTED:
		default:
			return os.NewSyscallError("accept4", err)
		}
	}
	return nil
}

func addrOfSocket(sa syscall.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *syscall.SockaddrInet6:
		a := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId == 0 || a.Is4() {
			return a
		}
		if ifi, err := net.InterfaceByIndex(int(sa.ZoneId)); err == nil {
			return a.WithZone(ifi.Name)
		}
	}
	return netip.Addr{}
}

// open waits for the connection.
func (e *expectation) open(ctx context.Context) (net.Conn, error) {
	defer e.release()
	f, err := e.attend()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, e.rouse)
	defer stop()
	rc, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var broke error
	err = rc.Read(func(uintptr) bool {
		e.owner.mu.Lock()
		defer e.owner.mu.Unlock()
		if broke = e.owner.look(e.port, e); broke != nil {
			return true
		}
		return e.came
	})
	select {
	case a, ok := <-e.conns:
		if !ok {
			return nil, net.ErrClosed
		}
		return a.conn()
	default:
	}
	return nil, errors.Join(ctx.Err(), broke, err)
}

// attend has the port watched by Go's poller as long as the file is open.
func (e *expectation) attend() (*os.File, error) {
	e.owner.mu.Lock()
	defer e.owner.mu.Unlock()
	fd, err := duplicateOf(e.port.l.fd)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "data port")
	e.rouse = func() { _ = f.SetReadDeadline(time.Unix(1, 0)) } // closed: it waits no more
	return f, nil
}

// arrival is a connection that was let in.
type arrival struct{ fd int }

func (a arrival) Close() error { return syscall.Close(a.fd) }

// conn is the connection in full, which has the descriptor from now on.
func (a arrival) conn() (net.Conn, error) {
	f := os.NewFile(uintptr(a.fd), "data")
	defer f.Close()
	return net.FileConn(f)
}

// send gives the system as much of b as it takes at once, to be sent with the
// end of the stream where that follows.
func (a arrival) send(b []byte) (int, error) {
	for {
		n, err := syscall.SendmsgN(a.fd, b, nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL|syscall.MSG_MORE)
		switch err {
		case nil:
			return n, nil
		case syscall.EAGAIN:
			return 0, nil
		case syscall.EINTR:
		default:
			return 0, os.NewSyscallError("sendmsg", err)
		}
	}
}
