//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package socket

// The address families that package net knows, by the numbers of Windows.
const (
	AF_UNSPEC Family = 0
	AF_UNIX   Family = 1
	AF_INET   Family = 2
	AF_INET6  Family = 23
	AF_LOCAL         = AF_UNIX
)

// The same by the names of the protocol families.
const (
	PF_UNSPEC = AF_UNSPEC
	PF_UNIX   = AF_UNIX
	PF_INET   = AF_INET
	PF_INET6  = AF_INET6
	PF_LOCAL  = AF_LOCAL
)

// The types of sockets.
const (
	SOCK_STREAM    Type = 1
	SOCK_DGRAM     Type = 2
	SOCK_RAW       Type = 3
	SOCK_RDM       Type = 4
	SOCK_SEQPACKET Type = 5
)

// Flags of send and recv. Only 0 is honoured here: any of these is refused with
// errors.ErrUnsupported, except MSG_WAITALL and MSG_NOSIGNAL.
const (
	MSG_OOB       Flag = 0x1
	MSG_PEEK      Flag = 0x2
	MSG_DONTROUTE Flag = 0x4
	MSG_WAITALL   Flag = 0x8
	MSG_TRUNC     Flag = 0x100
	MSG_CTRUNC    Flag = 0x200
	MSG_NOSIGNAL  Flag = 0x4000
	MSG_DONTWAIT  Flag = 0x8000
)

// Levels of socket options.
const (
	SOL_SOCKET = 0xffff
	SOL_IP     = 0
	SOL_TCP    = 6
	SOL_UDP    = 17
	SOL_IPV6   = 41
)

// familyNames is sorted by number, for Family.String.
var familyNames = [...]string{
	AF_UNSPEC: "AF_UNSPEC",
	AF_UNIX:   "AF_UNIX",
	AF_INET:   "AF_INET",
	AF_INET6:  "AF_INET6",
}
