//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"golang.org/x/sys/unix"
)

// Options of every socket that all Unix systems have, socket(7).
// SO_RCVTIMEO and SO_SNDTIMEO are kept by the kernel but have no effect on
// sockets here, which never block: use a context.
var (
	SO_ACCEPTCONN = readOnly(boolOption("SO_ACCEPTCONN", SOL_SOCKET, unix.SO_ACCEPTCONN))
	SO_BROADCAST  = boolOption("SO_BROADCAST", SOL_SOCKET, unix.SO_BROADCAST)
	SO_DEBUG      = boolOption("SO_DEBUG", SOL_SOCKET, unix.SO_DEBUG)
	SO_DONTROUTE  = boolOption("SO_DONTROUTE", SOL_SOCKET, unix.SO_DONTROUTE)
	SO_ERROR      = errorOption("SO_ERROR", SOL_SOCKET, unix.SO_ERROR) // reading it clears it
	SO_KEEPALIVE  = boolOption("SO_KEEPALIVE", SOL_SOCKET, unix.SO_KEEPALIVE)
	SO_LINGER     = lingerOption("SO_LINGER", SOL_SOCKET, unix.SO_LINGER)
	SO_OOBINLINE  = boolOption("SO_OOBINLINE", SOL_SOCKET, unix.SO_OOBINLINE)
	SO_RCVBUF     = intOption[int]("SO_RCVBUF", SOL_SOCKET, unix.SO_RCVBUF) // bytes; Linux doubles it
	SO_RCVLOWAT   = intOption[int]("SO_RCVLOWAT", SOL_SOCKET, unix.SO_RCVLOWAT)
	SO_RCVTIMEO   = timevalOption("SO_RCVTIMEO", SOL_SOCKET, unix.SO_RCVTIMEO)
	SO_REUSEADDR  = boolOption("SO_REUSEADDR", SOL_SOCKET, unix.SO_REUSEADDR)
	SO_REUSEPORT  = boolOption("SO_REUSEPORT", SOL_SOCKET, unix.SO_REUSEPORT)
	SO_SNDBUF     = intOption[int]("SO_SNDBUF", SOL_SOCKET, unix.SO_SNDBUF) // bytes; Linux doubles it
	SO_SNDLOWAT   = intOption[int]("SO_SNDLOWAT", SOL_SOCKET, unix.SO_SNDLOWAT)
	SO_SNDTIMEO   = timevalOption("SO_SNDTIMEO", SOL_SOCKET, unix.SO_SNDTIMEO)
	SO_TIMESTAMP  = boolOption("SO_TIMESTAMP", SOL_SOCKET, unix.SO_TIMESTAMP)
	SO_TYPE       = readOnly(intOption[Type]("SO_TYPE", SOL_SOCKET, unix.SO_TYPE))
)

// Options of IPv4 sockets that all Unix systems have, ip(7).
var (
	IP_HDRINCL         = boolOption("IP_HDRINCL", SOL_IP, unix.IP_HDRINCL)
	IP_MULTICAST_IF    = outgoing4Option("IP_MULTICAST_IF", SOL_IP, unix.IP_MULTICAST_IF)
	IP_MULTICAST_LOOP  = boolOption("IP_MULTICAST_LOOP", SOL_IP, unix.IP_MULTICAST_LOOP)
	IP_MULTICAST_TTL   = intOption[int]("IP_MULTICAST_TTL", SOL_IP, unix.IP_MULTICAST_TTL)
	IP_OPTIONS         = bytesOption("IP_OPTIONS", SOL_IP, unix.IP_OPTIONS, 40)
	IP_RECVOPTS        = boolOption("IP_RECVOPTS", SOL_IP, unix.IP_RECVOPTS)
	IP_RECVRETOPTS     = boolOption("IP_RECVRETOPTS", SOL_IP, unix.IP_RECVRETOPTS)
	IP_RECVTTL         = boolOption("IP_RECVTTL", SOL_IP, unix.IP_RECVTTL)
	IP_TOS             = intOption[int]("IP_TOS", SOL_IP, unix.IP_TOS)
	IP_TTL             = intOption[int]("IP_TTL", SOL_IP, unix.IP_TTL)
	IP_ADD_MEMBERSHIP  = join4Option("IP_ADD_MEMBERSHIP", SOL_IP, unix.IP_ADD_MEMBERSHIP)
	IP_DROP_MEMBERSHIP = join4Option("IP_DROP_MEMBERSHIP", SOL_IP, unix.IP_DROP_MEMBERSHIP)
)

// Options of IPv6 sockets that all Unix systems have, RFC 3493 section 5 and RFC
// 3542.
var (
	IPV6_CHECKSUM       = intOption[int]("IPV6_CHECKSUM", SOL_IPV6, unix.IPV6_CHECKSUM)
	IPV6_DONTFRAG       = boolOption("IPV6_DONTFRAG", SOL_IPV6, unix.IPV6_DONTFRAG)
	IPV6_JOIN_GROUP     = join6Option("IPV6_JOIN_GROUP", SOL_IPV6, unix.IPV6_JOIN_GROUP)
	IPV6_LEAVE_GROUP    = join6Option("IPV6_LEAVE_GROUP", SOL_IPV6, unix.IPV6_LEAVE_GROUP)
	IPV6_MULTICAST_HOPS = intOption[int]("IPV6_MULTICAST_HOPS", SOL_IPV6, unix.IPV6_MULTICAST_HOPS)
	IPV6_MULTICAST_IF   = intOption[int]("IPV6_MULTICAST_IF", SOL_IPV6, unix.IPV6_MULTICAST_IF)
	IPV6_MULTICAST_LOOP = boolOption("IPV6_MULTICAST_LOOP", SOL_IPV6, unix.IPV6_MULTICAST_LOOP)
	IPV6_RECVDSTOPTS    = boolOption("IPV6_RECVDSTOPTS", SOL_IPV6, unix.IPV6_RECVDSTOPTS)
	IPV6_RECVHOPLIMIT   = boolOption("IPV6_RECVHOPLIMIT", SOL_IPV6, unix.IPV6_RECVHOPLIMIT)
	IPV6_RECVHOPOPTS    = boolOption("IPV6_RECVHOPOPTS", SOL_IPV6, unix.IPV6_RECVHOPOPTS)
	IPV6_RECVPATHMTU    = boolOption("IPV6_RECVPATHMTU", SOL_IPV6, unix.IPV6_RECVPATHMTU)
	IPV6_RECVPKTINFO    = boolOption("IPV6_RECVPKTINFO", SOL_IPV6, unix.IPV6_RECVPKTINFO)
	IPV6_RECVRTHDR      = boolOption("IPV6_RECVRTHDR", SOL_IPV6, unix.IPV6_RECVRTHDR)
	IPV6_RECVTCLASS     = boolOption("IPV6_RECVTCLASS", SOL_IPV6, unix.IPV6_RECVTCLASS)
	IPV6_TCLASS         = intOption[int]("IPV6_TCLASS", SOL_IPV6, unix.IPV6_TCLASS)
	IPV6_UNICAST_HOPS   = intOption[int]("IPV6_UNICAST_HOPS", SOL_IPV6, unix.IPV6_UNICAST_HOPS)
	IPV6_V6ONLY         = boolOption("IPV6_V6ONLY", SOL_IPV6, unix.IPV6_V6ONLY)
)

// Options of TCP that all Unix systems have, tcp(7).
var (
	TCP_MAXSEG  = intOption[int]("TCP_MAXSEG", SOL_TCP, unix.TCP_MAXSEG)
	TCP_NODELAY = boolOption("TCP_NODELAY", SOL_TCP, unix.TCP_NODELAY)
)

// Options lists the options that this package knows on this system, in groups;
// each can be printed with its value on a socket, if the socket has it.
func Options() []AnyOption {
	return append([]AnyOption{
		SO_ACCEPTCONN, SO_BROADCAST, SO_DEBUG, SO_DONTROUTE, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE,
		SO_RCVBUF, SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDLOWAT, SO_SNDTIMEO,
		SO_TIMESTAMP, SO_TYPE,
		IP_HDRINCL, IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_OPTIONS, IP_RECVOPTS,
		IP_RECVRETOPTS, IP_RECVTTL, IP_TOS, IP_TTL, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP,
		IPV6_CHECKSUM, IPV6_DONTFRAG, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MULTICAST_HOPS,
		IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP, IPV6_RECVDSTOPTS, IPV6_RECVHOPLIMIT, IPV6_RECVHOPOPTS,
		IPV6_RECVPATHMTU, IPV6_RECVPKTINFO, IPV6_RECVRTHDR, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_UNICAST_HOPS,
		IPV6_V6ONLY,
		TCP_MAXSEG, TCP_NODELAY,
	}, systemOptions()...)
}

// implied sets the options that the configuration implies.
func (s *Sock) implied(cfg ServerConfig) error {
	if !cfg.NoReuseAddr && cfg.Type == SOCK_STREAM && cfg.Family != AF_UNIX {
		if err := SO_REUSEADDR.Set(s, true); err != nil {
			return err
		}
	}
	if cfg.ReusePort {
		if err := SO_REUSEPORT.Set(s, true); err != nil {
			return err
		}
	}
	if cfg.Family == AF_INET6 {
		return IPV6_V6ONLY.Set(s, !cfg.DualStack)
	}
	return nil
}
