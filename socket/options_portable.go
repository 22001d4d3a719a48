//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package socket

// Options that can be set on an open socket, by the numbers of Windows. Before
// Bind or Connect has opened one they give errors.ErrUnsupported.
var (
	SO_BROADCAST      = boolOption("SO_BROADCAST", SOL_SOCKET, 0x20)
	SO_ERROR          = errorOption("SO_ERROR", SOL_SOCKET, 0x1007)
	SO_KEEPALIVE      = boolOption("SO_KEEPALIVE", SOL_SOCKET, 0x8)
	SO_OOBINLINE      = boolOption("SO_OOBINLINE", SOL_SOCKET, 0x100)
	SO_RCVBUF         = intOption[int]("SO_RCVBUF", SOL_SOCKET, 0x1002)
	SO_REUSEADDR      = boolOption("SO_REUSEADDR", SOL_SOCKET, 0x4)
	SO_SNDBUF         = intOption[int]("SO_SNDBUF", SOL_SOCKET, 0x1001)
	SO_TYPE           = readOnly(intOption[Type]("SO_TYPE", SOL_SOCKET, 0x1008))
	IP_MULTICAST_LOOP = boolOption("IP_MULTICAST_LOOP", SOL_IP, 11)
	IP_MULTICAST_TTL  = intOption[int]("IP_MULTICAST_TTL", SOL_IP, 10)
	IP_TTL            = intOption[int]("IP_TTL", SOL_IP, 4)
	IPV6_UNICAST_HOPS = intOption[int]("IPV6_UNICAST_HOPS", SOL_IPV6, 4)
	TCP_NODELAY       = boolOption("TCP_NODELAY", SOL_TCP, 1)
)

// Options lists the options that this package knows on this system.
func Options() []AnyOption {
	return []AnyOption{
		SO_BROADCAST, SO_ERROR, SO_KEEPALIVE, SO_OOBINLINE, SO_RCVBUF, SO_REUSEADDR, SO_SNDBUF, SO_TYPE,
		IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_TTL, IPV6_UNICAST_HOPS, TCP_NODELAY,
	}
}

// implied: package net sets what a server needs by itself (an AF_INET6 socket is
// for IPv6 only); what it does not offer is refused.
func (s *Sock) implied(cfg ServerConfig) error {
	s.dual = cfg.DualStack
	if cfg.ReusePort {
		return errPortable
	}
	return nil
}
