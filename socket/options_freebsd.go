package socket

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options that FreeBSD adds.
var (
	SO_DOMAIN       = readOnly(intOption[Family]("SO_DOMAIN", SOL_SOCKET, unix.SO_DOMAIN))
	SO_PROTOCOL     = readOnly(intOption[Proto]("SO_PROTOCOL", SOL_SOCKET, unix.SO_PROTOCOL))
	SO_NOSIGPIPE    = boolOption("SO_NOSIGPIPE", SOL_SOCKET, unix.SO_NOSIGPIPE)
	SO_REUSEPORT_LB = boolOption("SO_REUSEPORT_LB", SOL_SOCKET, unix.SO_REUSEPORT_LB)
	SO_SETFIB       = writeOnly(intOption[int]("SO_SETFIB", SOL_SOCKET, unix.SO_SETFIB))
	IP_BINDANY      = boolOption("IP_BINDANY", SOL_IP, unix.IP_BINDANY)
	IP_DONTFRAG     = boolOption("IP_DONTFRAG", SOL_IP, unix.IP_DONTFRAG)
	IP_MINTTL       = intOption[int]("IP_MINTTL", SOL_IP, unix.IP_MINTTL)
	IP_RECVDSTADDR  = boolOption("IP_RECVDSTADDR", SOL_IP, unix.IP_RECVDSTADDR)
	IP_RECVTOS      = boolOption("IP_RECVTOS", SOL_IP, unix.IP_RECVTOS)
	TCP_CONGESTION  = textOption("TCP_CONGESTION", SOL_TCP, unix.TCP_CONGESTION, 16)
	TCP_FASTOPEN    = intOption[int]("TCP_FASTOPEN", SOL_TCP, unix.TCP_FASTOPEN)
	TCP_KEEPCNT     = intOption[int]("TCP_KEEPCNT", SOL_TCP, unix.TCP_KEEPCNT)
	TCP_KEEPIDLE    = timeOption("TCP_KEEPIDLE", SOL_TCP, unix.TCP_KEEPIDLE, time.Second)
	TCP_KEEPINTVL   = timeOption("TCP_KEEPINTVL", SOL_TCP, unix.TCP_KEEPINTVL, time.Second)
	TCP_NOPUSH      = boolOption("TCP_NOPUSH", SOL_TCP, unix.TCP_NOPUSH)

	MCAST_JOIN_GROUP         = joinOption("MCAST_JOIN_GROUP", unix.MCAST_JOIN_GROUP)
	MCAST_LEAVE_GROUP        = joinOption("MCAST_LEAVE_GROUP", unix.MCAST_LEAVE_GROUP)
	MCAST_JOIN_SOURCE_GROUP  = sourceOption("MCAST_JOIN_SOURCE_GROUP", unix.MCAST_JOIN_SOURCE_GROUP)
	MCAST_LEAVE_SOURCE_GROUP = sourceOption("MCAST_LEAVE_SOURCE_GROUP", unix.MCAST_LEAVE_SOURCE_GROUP)
)

func systemOptions() []AnyOption {
	return []AnyOption{
		SO_DOMAIN, SO_PROTOCOL, SO_NOSIGPIPE, SO_REUSEPORT_LB, SO_SETFIB, IP_BINDANY, IP_DONTFRAG, IP_MINTTL,
		IP_RECVDSTADDR, IP_RECVTOS, TCP_CONGESTION, TCP_FASTOPEN, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL,
		TCP_NOPUSH, MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP,
	}
}

// groupOffset is where the first address of struct group_req lies: aligned for a
// long.
const groupOffset = int(unsafe.Sizeof(uintptr(0)))
