//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (h *handle) optInt(level, option int) (v int, err error) {
	err = h.control(func(fd int) (err error) { v, err = unix.GetsockoptInt(fd, level, option); return err })
	return v, err
}

func (h *handle) setOptInt(level, option, value int) error {
	return h.control(func(fd int) error { return unix.SetsockoptInt(fd, level, option, value) })
}

func (h *handle) optBytes(level, option, size int) ([]byte, error) {
	if size <= 0 {
		return nil, unix.EINVAL
	}
	buf, n := make([]byte, size), uint32(size)
	err := h.control(func(fd int) error {
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&n)), 0)
		if e != 0 {
			return e
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return buf[:min(int(n), size)], nil
}

func (h *handle) setOptBytes(level, option int, value []byte) error {
	// SetsockoptString passes any bytes on, with their length.
	return h.control(func(fd int) error { return unix.SetsockoptString(fd, level, option, string(value)) })
}

// Membership is the value of IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP and of what undoes
// them: a multicast group and the interface on which to hear it, by index (0: the
// one that the routes lead to) or, for IPv4, by its address.
type Membership struct {
	Group     netip.Addr
	Interface int
	Local     netip.Addr
}

// SourceMembership is the value of MCAST_JOIN_SOURCE_GROUP and its like (RFC
// 3678): one sender to a group, on the interface with this index.
type SourceMembership struct {
	Group     netip.Addr
	Source    netip.Addr
	Interface int
}

// lingerOption is SO_LINGER.
func lingerOption(name string, level, num int) Option[Linger] {
	return Option[Linger]{name, level, num, &codec[Linger]{
		get: func(s *Sock, level, number int) (Linger, error) {
			var l *unix.Linger
			err := s.control(func(fd int) (err error) { l, err = unix.GetsockoptLinger(fd, level, number); return err })
			if err != nil {
				return Linger{}, err
			}
			return Linger{On: l.Onoff != 0, Timeout: time.Duration(l.Linger) * time.Second}, nil
		},
		set: func(s *Sock, level, number int, v Linger) error {
			l := unix.Linger{Linger: int32(roundUp(v.Timeout, time.Second))}
			if v.On {
				l.Onoff = 1
			}
			return s.control(func(fd int) error { return unix.SetsockoptLinger(fd, level, number, &l) })
		},
	}}
}

// timevalOption is SO_RCVTIMEO and SO_SNDTIMEO.
func timevalOption(name string, level, num int) Option[time.Duration] {
	return Option[time.Duration]{name, level, num, &codec[time.Duration]{
		get: func(s *Sock, level, number int) (time.Duration, error) {
			var tv *unix.Timeval
			err := s.control(func(fd int) (err error) { tv, err = unix.GetsockoptTimeval(fd, level, number); return err })
			if err != nil {
				return 0, err
			}
			return time.Duration(tv.Nano()), nil
		},
		set: func(s *Sock, level, number int, v time.Duration) error {
			tv := unix.NsecToTimeval(int64(v))
			return s.control(func(fd int) error { return unix.SetsockoptTimeval(fd, level, number, &tv) })
		},
	}}
}

// textOption is a string, with or without a NUL at its end.
func textOption(name string, level, num, size int) Option[string] {
	return Option[string]{name, level, num, &codec[string]{
		get: func(s *Sock, level, number int) (string, error) {
			b, err := s.optBytes(level, number, size)
			before, _, _ := strings.Cut(string(b), "\x00")
			return before, err
		},
		set: func(s *Sock, level, number int, v string) error {
			return s.setOptBytes(level, number, []byte(v))
		},
	}}
}

// bytesOption is a value that this package does not take apart.
func bytesOption(name string, level, num, size int) Option[[]byte] {
	return Option[[]byte]{name, level, num, &codec[[]byte]{
		get: func(s *Sock, level, number int) ([]byte, error) { return s.optBytes(level, number, size) },
		set: func(s *Sock, level, number int, v []byte) error { return s.setOptBytes(level, number, v) },
	}}
}

// longOption is a 64-bit number.
func longOption(name string, level, num int) Option[uint64] {
	return Option[uint64]{name, level, num, &codec[uint64]{
		get: func(s *Sock, level, number int) (uint64, error) {
			b, err := s.optBytes(level, number, 8)
			switch {
			case err != nil:
				return 0, err
			case len(b) < 8:
				return uint64(binary.NativeEndian.Uint32(b)), nil
			}
			return binary.NativeEndian.Uint64(b), nil
		},
		set: func(s *Sock, level, number int, v uint64) error {
			return s.setOptBytes(level, number, binary.NativeEndian.AppendUint64(nil, v))
		},
	}}
}

// outgoing4Option is IP_MULTICAST_IF, an interface named by its address.
func outgoing4Option(name string, level, num int) Option[netip.Addr] {
	return Option[netip.Addr]{name, level, num, &codec[netip.Addr]{
		get: func(s *Sock, level, number int) (netip.Addr, error) {
			b, err := s.optBytes(level, number, 4)
			if err != nil {
				return netip.Addr{}, err
			}
			a, _ := netip.AddrFromSlice(b)
			return a, nil
		},
		set: func(s *Sock, level, number int, v netip.Addr) error {
			if !v.Is4() {
				return unix.EINVAL
			}
			return s.setOptBytes(level, number, v.AsSlice())
		},
	}}
}

// join6Option is IPV6_JOIN_GROUP and IPV6_LEAVE_GROUP, struct ipv6_mreq.
func join6Option(name string, level, num int) Option[Membership] {
	return Option[Membership]{name, level, num, &codec[Membership]{
		set: func(s *Sock, level, number int, v Membership) error {
			if !v.Group.Is6() {
				return unix.EINVAL
			}
			m := unix.IPv6Mreq{Multiaddr: v.Group.As16(), Interface: uint32(v.Interface)}
			return s.control(func(fd int) error { return unix.SetsockoptIPv6Mreq(fd, level, number, &m) })
		},
	}}
}

// sourceOption is struct group_source_req. Its level is that of the group's family.
func sourceOption(name string, num int) Option[SourceMembership] {
	return Option[SourceMembership]{name, SOL_IP, num, &codec[SourceMembership]{
		set: func(s *Sock, level, number int, v SourceMembership) error {
			if !v.Group.IsValid() || v.Group.Is4() != v.Source.Is4() {
				return unix.EINVAL
			}
			if v.Group.Is6() {
				level = SOL_IPV6
			}
			b, err := groupRequest(v.Interface, v.Group, v.Source)
			if err != nil {
				return err
			}
			return s.setOptBytes(level, number, b)
		},
	}}
}

// joinOption is struct group_req, for either family.
func joinOption(name string, num int) Option[Membership] {
	return Option[Membership]{name, SOL_IP, num, &codec[Membership]{
		set: func(s *Sock, level, number int, v Membership) error {
			if !v.Group.IsValid() {
				return unix.EINVAL
			}
			if v.Group.Is6() {
				level = SOL_IPV6
			}
			b, err := groupRequest(v.Interface, v.Group)
			if err != nil {
				return err
			}
			return s.setOptBytes(level, number, b)
		},
	}}
}

// groupRequest is struct group_req or group_source_req of RFC 3678: an interface
// and one sockaddr_storage for each address.
func groupRequest(index int, addrs ...netip.Addr) ([]byte, error) {
	const storage = 128 // sizeof struct sockaddr_storage
	b := make([]byte, groupOffset+storage*len(addrs))
	binary.NativeEndian.PutUint32(b, uint32(index))
	for i, a := range addrs {
		if err := putStorage(b[groupOffset+storage*i:], a); err != nil {
			return nil, err
		}
	}
	return b, nil
}
