package socket

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls that carry addresses are made directly, because x/sys/unix
// refuses the families that it does not know and allocates for each address.

func errnoErr(e unix.Errno) error {
	switch e {
	case 0:
		return nil
	case unix.EAGAIN: // boxed once, for the calls that poll
		return unix.EAGAIN
	}
	return e
}

func sysBind(fd int, as Family, a Addr) error {
	var sa sockaddr
	if err := sa.put(as, a); err != nil {
		return err
	}
	_, _, e := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return errnoErr(e)
}

func sysConnect(fd int, as Family, a Addr) error {
	var sa sockaddr
	if err := sa.put(as, a); err != nil {
		return err
	}
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return errnoErr(e)
}

func sysAccept(fd int) (int, Addr, error) {
	var sa sockaddr
	sa.room()
	n, _, e := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)),
		uintptr(unsafe.Pointer(&sa.len)), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
	if e != 0 {
		return -1, nil, errnoErr(e)
	}
	return int(n), sa.get(), nil
}

func sysGetsockname(fd int) (Addr, error) { return sysName(unix.SYS_GETSOCKNAME, fd) }

func sysGetpeername(fd int) (Addr, error) { return sysName(unix.SYS_GETPEERNAME, fd) }

func sysName(trap uintptr, fd int) (Addr, error) {
	var sa sockaddr
	sa.room()
	_, _, e := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
	if e != 0 {
		return nil, errnoErr(e)
	}
	return sa.get(), nil
}

func socketpair(family, typ, proto int) ([2]int, error) {
	return unix.Socketpair(family, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
}

// plainType takes off the flags that Linux lets a type carry, socket(2).
func plainType(t Type) Type { return t &^ (SOCK_CLOEXEC | SOCK_NONBLOCK) }

// identify asks a descriptor what it is.
func identify(fd int) (Family, Type, Proto, error) {
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, 0, 0, err
	}
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, 0, 0, err
	}
	proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return Family(family), Type(typ), Proto(proto), err
}

// message is what one recvmsg or sendmsg takes and gives. It lies in a side, so
// that neither it nor what it points at is allocated for each call.
type message struct {
	one     [1][]byte // the usual bufs
	bufs    [][]byte
	control []byte
	flags   Flag
	to      Addr // where sendmsg sends; nil for the peer
	named   bool // recvmsg asks for the sender

	n        int
	nControl int
	got      Flag
	from     Addr

	hdr  unix.Msghdr
	iov  []unix.Iovec
	name sockaddr
}

func (m *message) clear() {
	clear(m.iov)
	*m = message{iov: m.iov[:0]}
}

// recv receives one message into bufs.
func (m *message) recv(fd int) error {
	m.point()
	if m.named {
		m.name.room()
		m.hdr.Name, m.hdr.Namelen = &m.name.raw[0], m.name.len
	}
	n, _, e := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.hdr)),
		uintptr(m.flags|MSG_CMSG_CLOEXEC))
	if e != 0 {
		return errnoErr(e)
	}
	m.n, m.nControl, m.got = int(n), int(m.hdr.Controllen), Flag(m.hdr.Flags)&^MSG_CMSG_CLOEXEC
	if m.named {
		m.name.len = m.hdr.Namelen
		m.from = m.name.get()
	}
	return nil
}

// send sends bufs as one message. name holds the address.
func (m *message) send(fd int) error {
	m.point()
	if m.to != nil {
		m.hdr.Name, m.hdr.Namelen = &m.name.raw[0], m.name.len
	}
	n, _, e := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.hdr)),
		uintptr(m.flags|MSG_NOSIGNAL))
	m.n = int(n)
	runtime.KeepAlive(m)
	if e != 0 {
		m.n = 0
	}
	return errnoErr(e)
}

// address makes ready to send to a.
func (m *message) address(as Family, a Addr) error {
	m.to = a
	if a == nil {
		return nil
	}
	return m.name.put(as, a)
}

// point has hdr describe bufs and control.
func (m *message) point() {
	m.iov = m.iov[:0]
	m.hdr = unix.Msghdr{}
	for _, b := range m.bufs {
		if len(b) == 0 {
			continue
		}
		v := unix.Iovec{Base: &b[0]}
		v.SetLen(len(b))
		m.iov = append(m.iov, v)
	}
	if len(m.iov) > 0 {
		m.hdr.Iov = &m.iov[0]
		m.hdr.SetIovlen(len(m.iov))
	}
	if len(m.control) > 0 {
		m.hdr.Control = &m.control[0]
		m.hdr.SetControllen(len(m.control))
	}
}
