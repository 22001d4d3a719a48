//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func sysBind(fd int, as Family, a Addr) error {
	sa, err := sockaddrOf(as, a)
	if err != nil {
		return err
	}
	return unix.Bind(fd, sa)
}

func sysConnect(fd int, as Family, a Addr) error {
	sa, err := sockaddrOf(as, a)
	if err != nil {
		return err
	}
	return unix.Connect(fd, sa)
}

// sysAccept marks the descriptor close-on-exec before a fork can happen: not all
// systems have accept4.
func sysAccept(fd int) (int, Addr, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	nfd, sa, err := unix.Accept(fd)
	if err != nil {
		return -1, nil, err
	}
	unix.CloseOnExec(nfd)
	return nfd, addrOf(sa), nil
}

func sysGetsockname(fd int) (Addr, error) {
	sa, err := unix.Getsockname(fd)
	return addrOf(sa), err
}

func sysGetpeername(fd int) (Addr, error) {
	sa, err := unix.Getpeername(fd)
	return addrOf(sa), err
}

func socketpair(family, typ, proto int) ([2]int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(family, typ, proto)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	return fds, err
}

// plainType has nothing to take off: a type carries no flags here.
func plainType(t Type) Type { return t }

// identify asks a descriptor what it is. Not all systems tell the protocol.
func identify(fd int) (Family, Type, Proto, error) {
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, 0, 0, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, 0, err
	}
	family := AF_UNSPEC
	if a := addrOf(sa); a != nil {
		family = a.Family()
	}
	return family, Type(typ), 0, nil
}

// message is what one recvmsg or sendmsg takes and gives.
type message struct {
	one     [1][]byte // the usual bufs
	bufs    [][]byte
	control []byte
	flags   Flag
	to      unix.Sockaddr // where sendmsg sends; nil for the peer
	named   bool          // recvmsg asks for the sender

	n        int
	nControl int
	got      Flag
	from     Addr
}

func (m *message) clear() { *m = message{} }

// recv receives one message into bufs.
func (m *message) recv(fd int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, nControl, got, from, err := unix.RecvmsgBuffers(fd, m.bufs, m.control, int(m.flags))
	if err != nil {
		return err
	}
	m.n, m.nControl, m.got = n, nControl, Flag(got)
	if m.named {
		m.from = addrOf(from)
	}
	return closeOnExec(m.control[:nControl])
}

// closeOnExec marks the descriptors that a message brought.
func closeOnExec(control []byte) error {
	all, err := parseControl(control)
	for _, c := range all {
		fds, _ := c.Rights()
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// send sends bufs as one message.
func (m *message) send(fd int) (err error) {
	m.n, err = unix.SendmsgBuffers(fd, m.bufs, m.control, m.to, int(m.flags))
	return err
}

// address makes ready to send to a.
func (m *message) address(as Family, a Addr) (err error) {
	if a != nil {
		m.to, err = sockaddrOf(as, a)
	}
	return err
}
