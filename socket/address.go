package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is what Bind, Connect and SendTo take: something that leads to one
// address or several. Pair and Path make one; every Addr is one already.
type Address interface {
	// Resolve gives the addresses for a socket of this family and type, best
	// first. AF_UNSPEC and type 0 ask for all. It looks up names (and so may
	// wait, until ctx ends), never opens a connection, and may be called by
	// several goroutines at once. An error from a look-up is an EAI (see
	// GetAddrInfo), one from a bad port or number is ErrRange.
	Resolve(ctx context.Context, family Family, typ Type) ([]Addr, error)
}

// Addr is a resolved address, what a sockaddr is in C: ready for the kernel.
// It is also a net.Addr, and an Address that resolves to itself.
type Addr interface {
	net.Addr
	Address
	Family() Family
}

var (
	_ Addr = InetAddr{}
	_ Addr = UnixAddr{}
	_ Addr = RawAddr{}
)

// InetAddr is the address of an AF_INET or AF_INET6 socket (sockaddr_in,
// sockaddr_in6; RFC 3493 section 3.3). It is comparable, so it can be a map's
// key. The scope of an IPv6 address is the zone of its Addr; a mapped address
// (::ffff:127.0.0.1) belongs to AF_INET6.
type InetAddr struct {
	netip.AddrPort
	Flow uint32 // sin6_flowinfo in host byte order; 0 for AF_INET
}

// Family is AF_INET, AF_INET6, or AF_UNSPEC for the zero InetAddr.
func (a InetAddr) Family() Family {
	switch {
	case a.Addr().Is4():
		return AF_INET
	case a.Addr().Is6():
		return AF_INET6
	}
	return AF_UNSPEC
}

// Network is "ip": the address does not tell which transport uses it.
func (a InetAddr) Network() string { return "ip" }

// Resolve returns the address itself, whatever is asked for.
func (a InetAddr) Resolve(context.Context, Family, Type) ([]Addr, error) { return []Addr{a}, nil }

// ScopeID is sin6_scope_id: the index of the interface that the zone names,
// 0 for no zone or for an interface that does not exist.
func (a InetAddr) ScopeID() uint32 {
	id, _ := scopeID(a.Addr().Zone())
	return id
}

// scopeID turns a zone, an interface's name or its decimal index, into the
// index. An empty zone is 0.
func scopeID(zone string) (uint32, bool) {
	if zone == "" {
		return 0, true
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), true
	}
	index, err := IfNameToIndex(zone)
	if err != nil {
		return 0, false
	}
	return uint32(index), true
}

// zoneOf is the opposite of scopeID: the interface's name where there is one,
// else the decimal index; empty for 0.
func zoneOf(id uint32) string {
	if id == 0 {
		return ""
	}
	if name, err := IfIndexToName(int(id)); err == nil {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

// UnixAddr is the address of an AF_UNIX socket, unix(7): a path; or a NUL byte
// and a name for Linux's abstract names; or nothing, for a socket that was
// never bound.
type UnixAddr struct{ Name string }

// Family is AF_UNIX.
func (a UnixAddr) Family() Family { return AF_UNIX }

// Network is "unix".
func (a UnixAddr) Network() string { return "unix" }

// String is the path, or @name for an abstract name as ss(8) and Go print it.
func (a UnixAddr) String() string {
	if a.Abstract() {
		return "@" + a.Name[1:]
	}
	return a.Name
}

// Abstract tells whether the name lives outside the file system.
func (a UnixAddr) Abstract() bool { return strings.HasPrefix(a.Name, "\x00") }

// Resolve returns the address itself, whatever is asked for.
func (a UnixAddr) Resolve(context.Context, Family, Type) ([]Addr, error) { return []Addr{a}, nil }

// RawAddr is the address of a family that has no type of its own: Bytes is
// what follows the family in the kernel's sockaddr (sa_data).
type RawAddr struct {
	Fam   Family
	Bytes []byte
}

// Family is the family as given.
func (a RawAddr) Family() Family { return a.Fam }

// Network is "family" and the family's number.
func (a RawAddr) Network() string { return "family" + strconv.Itoa(int(a.Fam)) }

// String is the bytes in hexadecimal.
func (a RawAddr) String() string { return fmt.Sprintf("%x", a.Bytes) }

// Resolve returns the address itself, whatever is asked for.
func (a RawAddr) Resolve(context.Context, Family, Type) ([]Addr, error) { return []Addr{a}, nil }

// Path is the address of a Unix socket. A leading "@" or NUL byte makes it an
// abstract name (Linux only); write "./@x" for a file whose name begins so.
func Path(name string) Address {
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		return UnixAddr{Name: "\x00" + rest}
	}
	return UnixAddr{Name: name}
}

// HostForm lists the Go types in which Pair takes a host.
//
// A string is, tried in this order: empty, the address that stands for every
// interface (INADDR_ANY, in6addr_any); "<broadcast>", 255.255.255.255; an IPv4
// address in any form of inet_aton(3), so also 127.1, 0x7f000001, 2130706433
// and 0177.1; an IPv6 address, if need be with a zone behind a percent sign;
// else a name to look up.
//
// An integer, int or uint32, is an IPv4 address in host byte order: the value
// that C programs pass through htonl, as INADDR_LOOPBACK. 2130706433, which is
// 0x7f000001, is 127.0.0.1 on every machine, little-endian ones included. A
// number copied out of the memory of an in_addr is in network byte order; turn
// it with Ntohl first. Python promises this form in tutorials but refuses it.
type HostForm interface {
	string | int | uint32 | netip.Addr
}

// PortForm lists the Go types in which Pair takes a port: a number from 0 to
// 65535, the same in digits, or the name of a service ("http").
type PortForm interface {
	int | string
}

// Pair is the address of an internet socket: Python's (host, port) tuple. It
// looks at neither of them until it is resolved.
func Pair[H HostForm, P PortForm](host H, port P) Address {
	return PairVia(nil, host, port)
}

// PairVia is Pair with a resolver of the caller's for names and services; nil
// is the system's.
func PairVia[H HostForm, P PortForm](r *Resolver, host H, port P) Address {
	return pair{resolver: r, host: host, port: port}
}
