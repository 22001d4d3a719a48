package socket

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// sockaddr is a struct sockaddr_storage: room for the address of any family.
type sockaddr struct {
	_   [0]uint64 // its alignment
	raw [unix.SizeofSockaddrAny + 16]byte
	len uint32
}

const (
	sunPath   = 108    // sizeof sun_path, unix(7)
	familyLen = 2      // sizeof sa_family_t
	inet4Len  = 2 + 14 // sizeof struct sockaddr_in
	inet6Len  = 28     // sizeof struct sockaddr_in6
)

// put writes a as a socket of family as takes it: an IPv4 address for an
// AF_INET6 socket becomes a mapped one, as getaddrinfo's AI_V4MAPPED does.
func (sa *sockaddr) put(as Family, a Addr) error {
	switch a := a.(type) {
	case InetAddr:
		return sa.putInet(as, a)
	case UnixAddr:
		return sa.putUnix(a)
	case RawAddr:
		if len(a.Bytes) > len(sa.raw)-familyLen {
			return unix.EINVAL
		}
		sa.family(a.Fam)
		sa.len = familyLen + uint32(copy(sa.raw[familyLen:], a.Bytes))
		return nil
	}
	return unix.EAFNOSUPPORT
}

func (sa *sockaddr) family(f Family) { binary.NativeEndian.PutUint16(sa.raw[:], uint16(f)) }

func (sa *sockaddr) putInet(as Family, a InetAddr) error {
	ip := a.Addr()
	switch {
	case !ip.IsValid():
		return unix.EINVAL
	case ip.Is4() && as != AF_INET6:
		sa.family(AF_INET)
		binary.BigEndian.PutUint16(sa.raw[2:], a.Port())
		b := ip.As4()
		copy(sa.raw[4:], b[:])
		clear(sa.raw[8:inet4Len])
		sa.len = inet4Len
		return nil
	}
	scope, known := scopeID(ip.Zone())
	if !known {
		return unix.ENODEV
	}
	sa.family(AF_INET6)
	binary.BigEndian.PutUint16(sa.raw[2:], a.Port())
	binary.BigEndian.PutUint32(sa.raw[4:], a.Flow)
	b := ip.As16()
	copy(sa.raw[8:], b[:])
	binary.NativeEndian.PutUint32(sa.raw[24:], scope)
	sa.len = inet6Len
	return nil
}

func (sa *sockaddr) putUnix(a UnixAddr) error {
	abstract := a.Name == "" || a.Abstract()
	switch {
	case abstract && len(a.Name) > sunPath, !abstract && len(a.Name) >= sunPath:
		return unix.ENAMETOOLONG
	case !abstract && strings.Contains(a.Name, "\x00"):
		return unix.EINVAL
	}
	sa.family(AF_UNIX)
	n := copy(sa.raw[familyLen:], a.Name)
	sa.len = familyLen + uint32(n)
	if !abstract {
		sa.raw[familyLen+n] = 0
		sa.len++
	}
	return nil
}

// get reads the address that the kernel wrote: nil if it wrote none.
func (sa *sockaddr) get() Addr {
	b := sa.raw[:min(int(sa.len), len(sa.raw))]
	if len(b) < familyLen {
		return nil
	}
	family := Family(binary.NativeEndian.Uint16(b))
	switch {
	case family == AF_INET && len(b) >= inet4Len:
		ip := netip.AddrFrom4([4]byte(b[4:8]))
		return InetAddr{AddrPort: netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:]))}
	case family == AF_INET6 && len(b) >= inet6Len:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 {
			ip = ip.WithZone(zoneOf(scope))
		}
		return InetAddr{
			AddrPort: netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:])),
			Flow:     binary.BigEndian.Uint32(b[4:]),
		}
	case family == AF_UNIX:
		name := string(b[familyLen:])
		if !strings.HasPrefix(name, "\x00") {
			name, _, _ = strings.Cut(name, "\x00")
		}
		return UnixAddr{Name: name}
	}
	return RawAddr{Fam: family, Bytes: append([]byte(nil), b[familyLen:]...)}
}

// room makes sa ready to be written by the kernel.
func (sa *sockaddr) room() { sa.len = uint32(len(sa.raw)) }
