//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"net"

	"golang.org/x/sys/unix"
)

// join4Option is struct ip_mreq, which names the interface by its address.
func join4Option(name string, level, num int) Option[Membership] {
	return Option[Membership]{name, level, num, &codec[Membership]{
		set: func(s *Sock, level, number int, v Membership) error {
			if !v.Group.Is4() || v.Local.IsValid() && !v.Local.Is4() {
				return unix.EINVAL
			}
			m := unix.IPMreq{Multiaddr: v.Group.As4()}
			switch {
			case v.Local.IsValid():
				m.Interface = v.Local.As4()
			case v.Interface != 0:
				local, err := address4(v.Interface)
				if err != nil {
					return err
				}
				m.Interface = local
			}
			return s.control(func(fd int) error { return unix.SetsockoptIPMreq(fd, level, number, &m) })
		},
	}}
}

// address4 is the first IPv4 address of an interface.
func address4(index int) ([4]byte, error) {
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return [4]byte{}, err
	}
	all, err := i.Addrs()
	if err != nil {
		return [4]byte{}, err
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return [4]byte(n.IP.To4()), nil
		}
	}
	return [4]byte{}, unix.EADDRNOTAVAIL
}
