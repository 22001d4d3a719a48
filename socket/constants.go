package socket

import "strconv"

// Family is an address family, the first argument of socket(2): AF_INET and its
// like. Any number the kernel knows will do. %d prints the number, %v the name.
type Family int

// Type is a type of socket, the second argument of socket(2): SOCK_STREAM,
// SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET.
type Type int

// Proto is a protocol, the third argument of socket(2): 0 for the usual one of
// the family and type, or an IPPROTO_x.
type Proto int

// Flag is a flag of send(2) or recv(2): MSG_PEEK and its like. Flags can be
// joined with | or given one after the other.
type Flag int

// Protocol numbers of the Internet, as IANA assigns them; 262 and beyond are
// Linux's own.
const (
	IPPROTO_IP       Proto = 0
	IPPROTO_HOPOPTS  Proto = 0
	IPPROTO_ICMP     Proto = 1
	IPPROTO_IGMP     Proto = 2
	IPPROTO_IPIP     Proto = 4
	IPPROTO_TCP      Proto = 6
	IPPROTO_EGP      Proto = 8
	IPPROTO_PUP      Proto = 12
	IPPROTO_UDP      Proto = 17
	IPPROTO_IDP      Proto = 22
	IPPROTO_TP       Proto = 29
	IPPROTO_DCCP     Proto = 33
	IPPROTO_IPV6     Proto = 41
	IPPROTO_ROUTING  Proto = 43
	IPPROTO_FRAGMENT Proto = 44
	IPPROTO_RSVP     Proto = 46
	IPPROTO_GRE      Proto = 47
	IPPROTO_ESP      Proto = 50
	IPPROTO_AH       Proto = 51
	IPPROTO_ICMPV6   Proto = 58
	IPPROTO_NONE     Proto = 59
	IPPROTO_DSTOPTS  Proto = 60
	IPPROTO_MTP      Proto = 92
	IPPROTO_BEETPH   Proto = 94
	IPPROTO_ENCAP    Proto = 98
	IPPROTO_PIM      Proto = 103
	IPPROTO_COMP     Proto = 108
	IPPROTO_L2TP     Proto = 115
	IPPROTO_SCTP     Proto = 132
	IPPROTO_MH       Proto = 135
	IPPROTO_UDPLITE  Proto = 136
	IPPROTO_MPLS     Proto = 137
	IPPROTO_RAW      Proto = 255
	IPPROTO_SMC      Proto = 256
	IPPROTO_MPTCP    Proto = 262
)

// Directions for Shutdown, POSIX shutdown().
const (
	SHUT_RD   = 0
	SHUT_WR   = 1
	SHUT_RDWR = 2
)

// SOMAXCONN asks Listen for the longest queue that the system allows; the kernel
// shortens it to its own limit (on Linux /proc/sys/net/core/somaxconn).
const SOMAXCONN = -1

// String is the constant's name, or the number where it has none.
func (f Family) String() string {
	if f >= 0 && int(f) < len(familyNames) && familyNames[f] != "" {
		return familyNames[f]
	}
	return strconv.Itoa(int(f))
}

// String is the constant's name, or the number where it has none.
func (t Type) String() string {
	switch t {
	case SOCK_STREAM:
		return "SOCK_STREAM"
	case SOCK_DGRAM:
		return "SOCK_DGRAM"
	case SOCK_RAW:
		return "SOCK_RAW"
	case SOCK_RDM:
		return "SOCK_RDM"
	case SOCK_SEQPACKET:
		return "SOCK_SEQPACKET"
	}
	return strconv.Itoa(int(t))
}

// String is the constant's name for the protocols in daily use, else the number.
func (p Proto) String() string {
	switch p {
	case IPPROTO_IP:
		return "IPPROTO_IP"
	case IPPROTO_ICMP:
		return "IPPROTO_ICMP"
	case IPPROTO_TCP:
		return "IPPROTO_TCP"
	case IPPROTO_UDP:
		return "IPPROTO_UDP"
	case IPPROTO_IPV6:
		return "IPPROTO_IPV6"
	case IPPROTO_ICMPV6:
		return "IPPROTO_ICMPV6"
	case IPPROTO_SCTP:
		return "IPPROTO_SCTP"
	case IPPROTO_UDPLITE:
		return "IPPROTO_UDPLITE"
	case IPPROTO_RAW:
		return "IPPROTO_RAW"
	case IPPROTO_MPTCP:
		return "IPPROTO_MPTCP"
	}
	return strconv.Itoa(int(p))
}

// union joins flags given one after the other.
func union(flags []Flag) Flag {
	var all Flag
	for _, f := range flags {
		all |= f
	}
	return all
}
