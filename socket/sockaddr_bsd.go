//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// sockaddrOf is a for a socket of family as: an IPv4 address for an AF_INET6
// socket becomes a mapped one. Only the families of x/sys/unix can be had here.
func sockaddrOf(as Family, a Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case InetAddr:
		return sockaddrInet(as, a)
	case UnixAddr:
		if strings.Contains(a.Name, "\x00") {
			return nil, unix.EINVAL // no abstract names here
		}
		return &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return nil, unix.EAFNOSUPPORT
}

func sockaddrInet(as Family, a InetAddr) (unix.Sockaddr, error) {
	ip := a.Addr()
	switch {
	case !ip.IsValid():
		return nil, unix.EINVAL
	case ip.Is4() && as != AF_INET6:
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, nil
	}
	scope, known := scopeID(ip.Zone())
	if !known {
		return nil, unix.ENODEV
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), ZoneId: scope, Addr: ip.As16()}, nil
}

// addrOf is nil for no address, and for one that only x/sys/unix knows.
func addrOf(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return InetAddr{AddrPort: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			ip = ip.WithZone(zoneOf(sa.ZoneId))
		}
		return InetAddr{AddrPort: netip.AddrPortFrom(ip, uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return UnixAddr{Name: sa.Name}
	}
	return nil
}

// putStorage writes the address as a sockaddr_storage: length, family, port,
// address.
func putStorage(b []byte, a netip.Addr) error {
	if a.Is4() {
		b[0], b[1] = unix.SizeofSockaddrInet4, unix.AF_INET
		ip := a.As4()
		copy(b[4:], ip[:])
		return nil
	}
	b[0], b[1] = unix.SizeofSockaddrInet6, unix.AF_INET6
	ip := a.As16()
	copy(b[8:], ip[:])
	return nil
}
