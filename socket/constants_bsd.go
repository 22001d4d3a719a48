//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import "golang.org/x/sys/unix"

// The address families that all BSD systems number; others can be given as Family(n).
const (
	AF_UNSPEC    Family = unix.AF_UNSPEC
	AF_UNIX      Family = unix.AF_UNIX
	AF_INET      Family = unix.AF_INET
	AF_IMPLINK   Family = unix.AF_IMPLINK
	AF_PUP       Family = unix.AF_PUP
	AF_CHAOS     Family = unix.AF_CHAOS
	AF_OSI       Family = unix.AF_OSI
	AF_ECMA      Family = unix.AF_ECMA
	AF_DATAKIT   Family = unix.AF_DATAKIT
	AF_CCITT     Family = unix.AF_CCITT
	AF_SNA       Family = unix.AF_SNA
	AF_DLI       Family = unix.AF_DLI
	AF_LAT       Family = unix.AF_LAT
	AF_HYLINK    Family = unix.AF_HYLINK
	AF_APPLETALK Family = unix.AF_APPLETALK
	AF_ROUTE     Family = unix.AF_ROUTE
	AF_LINK      Family = unix.AF_LINK
	AF_COIP      Family = unix.AF_COIP
	AF_CNT       Family = unix.AF_CNT
	AF_IPX       Family = unix.AF_IPX
	AF_E164      Family = unix.AF_E164
	AF_INET6     Family = unix.AF_INET6
	AF_NATM      Family = unix.AF_NATM
	AF_LOCAL            = AF_UNIX // POSIX.1g's name for it
)

// The same by the names of the protocol families; BSD sockets keep PF_x and AF_x
// equal.
const (
	PF_UNSPEC    = AF_UNSPEC
	PF_UNIX      = AF_UNIX
	PF_INET      = AF_INET
	PF_IMPLINK   = AF_IMPLINK
	PF_PUP       = AF_PUP
	PF_CHAOS     = AF_CHAOS
	PF_OSI       = AF_OSI
	PF_ECMA      = AF_ECMA
	PF_DATAKIT   = AF_DATAKIT
	PF_CCITT     = AF_CCITT
	PF_SNA       = AF_SNA
	PF_DLI       = AF_DLI
	PF_LAT       = AF_LAT
	PF_HYLINK    = AF_HYLINK
	PF_APPLETALK = AF_APPLETALK
	PF_ROUTE     = AF_ROUTE
	PF_LINK      = AF_LINK
	PF_COIP      = AF_COIP
	PF_CNT       = AF_CNT
	PF_IPX       = AF_IPX
	PF_E164      = AF_E164
	PF_INET6     = AF_INET6
	PF_NATM      = AF_NATM
	PF_LOCAL     = AF_LOCAL
)

// The types of sockets, socket(2).
const (
	SOCK_STREAM    Type = unix.SOCK_STREAM
	SOCK_DGRAM     Type = unix.SOCK_DGRAM
	SOCK_RAW       Type = unix.SOCK_RAW
	SOCK_RDM       Type = unix.SOCK_RDM
	SOCK_SEQPACKET Type = unix.SOCK_SEQPACKET
)

// Flags of send(2) and recv(2).
const (
	MSG_OOB       Flag = unix.MSG_OOB       // urgent data, TCP's and Unix streams'
	MSG_PEEK      Flag = unix.MSG_PEEK      // leave what was received in the queue
	MSG_DONTROUTE Flag = unix.MSG_DONTROUTE // to hosts on the link only
	MSG_EOR       Flag = unix.MSG_EOR       // end of a record
	MSG_TRUNC     Flag = unix.MSG_TRUNC     // count the whole datagram, however much of it fits
	MSG_CTRUNC    Flag = unix.MSG_CTRUNC    // reported: control data was cut short
	MSG_WAITALL   Flag = unix.MSG_WAITALL   // wait until the buffer is full
	MSG_DONTWAIT  Flag = unix.MSG_DONTWAIT  // EAGAIN instead of waiting
	MSG_NOSIGNAL  Flag = unix.MSG_NOSIGNAL  // no SIGPIPE (always on here)
)

// Levels of socket options and control messages.
const (
	SOL_SOCKET = unix.SOL_SOCKET
	SOL_IP     = 0
	SOL_TCP    = 6
	SOL_UDP    = 17
	SOL_IPV6   = 41
)

// Kinds of control messages at SOL_SOCKET.
const (
	SCM_RIGHTS    = unix.SCM_RIGHTS
	SCM_TIMESTAMP = unix.SCM_TIMESTAMP
)

// familyNames is sorted by number, for Family.String.
var familyNames = [...]string{
	AF_UNSPEC:    "AF_UNSPEC",
	AF_UNIX:      "AF_UNIX",
	AF_INET:      "AF_INET",
	AF_IMPLINK:   "AF_IMPLINK",
	AF_PUP:       "AF_PUP",
	AF_CHAOS:     "AF_CHAOS",
	AF_OSI:       "AF_OSI",
	AF_ECMA:      "AF_ECMA",
	AF_DATAKIT:   "AF_DATAKIT",
	AF_CCITT:     "AF_CCITT",
	AF_SNA:       "AF_SNA",
	AF_DLI:       "AF_DLI",
	AF_LAT:       "AF_LAT",
	AF_HYLINK:    "AF_HYLINK",
	AF_APPLETALK: "AF_APPLETALK",
	AF_ROUTE:     "AF_ROUTE",
	AF_LINK:      "AF_LINK",
	AF_COIP:      "AF_COIP",
	AF_CNT:       "AF_CNT",
	AF_IPX:       "AF_IPX",
	AF_E164:      "AF_E164",
	AF_INET6:     "AF_INET6",
	AF_NATM:      "AF_NATM",
}
