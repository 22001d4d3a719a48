package socket

import (
	"time"

	"golang.org/x/sys/unix"
)

// Options that macOS adds. TCP_KEEPIDLE is the kernel's TCP_KEEPALIVE.
var (
	SO_NOSIGPIPE      = boolOption("SO_NOSIGPIPE", SOL_SOCKET, unix.SO_NOSIGPIPE)
	IP_BOUND_IF       = intOption[int]("IP_BOUND_IF", SOL_IP, unix.IP_BOUND_IF)
	IP_PKTINFO        = boolOption("IP_PKTINFO", SOL_IP, unix.IP_PKTINFO)
	IP_RECVTOS        = boolOption("IP_RECVTOS", SOL_IP, unix.IP_RECVTOS)
	IPV6_BOUND_IF     = intOption[int]("IPV6_BOUND_IF", SOL_IPV6, unix.IPV6_BOUND_IF)
	TCP_FASTOPEN      = intOption[int]("TCP_FASTOPEN", SOL_TCP, unix.TCP_FASTOPEN)
	TCP_KEEPCNT       = intOption[int]("TCP_KEEPCNT", SOL_TCP, unix.TCP_KEEPCNT)
	TCP_KEEPIDLE      = timeOption("TCP_KEEPALIVE", SOL_TCP, unix.TCP_KEEPALIVE, time.Second)
	TCP_KEEPINTVL     = timeOption("TCP_KEEPINTVL", SOL_TCP, unix.TCP_KEEPINTVL, time.Second)
	TCP_NOPUSH        = boolOption("TCP_NOPUSH", SOL_TCP, unix.TCP_NOPUSH)
	TCP_NOTSENT_LOWAT = intOption[int]("TCP_NOTSENT_LOWAT", SOL_TCP, unix.TCP_NOTSENT_LOWAT)

	MCAST_JOIN_GROUP         = joinOption("MCAST_JOIN_GROUP", unix.MCAST_JOIN_GROUP)
	MCAST_LEAVE_GROUP        = joinOption("MCAST_LEAVE_GROUP", unix.MCAST_LEAVE_GROUP)
	MCAST_JOIN_SOURCE_GROUP  = sourceOption("MCAST_JOIN_SOURCE_GROUP", unix.MCAST_JOIN_SOURCE_GROUP)
	MCAST_LEAVE_SOURCE_GROUP = sourceOption("MCAST_LEAVE_SOURCE_GROUP", unix.MCAST_LEAVE_SOURCE_GROUP)
)

func systemOptions() []AnyOption {
	return []AnyOption{
		SO_NOSIGPIPE, IP_BOUND_IF, IP_PKTINFO, IP_RECVTOS, IPV6_BOUND_IF, TCP_FASTOPEN, TCP_KEEPCNT, TCP_KEEPIDLE,
		TCP_KEEPINTVL, TCP_NOPUSH, TCP_NOTSENT_LOWAT, MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP,
		MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP,
	}
}

// groupOffset is where the first address of struct group_req lies: macOS packs it.
const groupOffset = 4
