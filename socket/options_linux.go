package socket

import (
	"encoding/binary"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options of every socket that Linux adds, socket(7).
var (
	SO_BINDTODEVICE    = textOption("SO_BINDTODEVICE", SOL_SOCKET, unix.SO_BINDTODEVICE, unix.IFNAMSIZ)
	SO_BINDTOIFINDEX   = intOption[int]("SO_BINDTOIFINDEX", SOL_SOCKET, unix.SO_BINDTOIFINDEX)
	SO_BUSY_POLL       = timeOption("SO_BUSY_POLL", SOL_SOCKET, unix.SO_BUSY_POLL, time.Microsecond)
	SO_COOKIE          = readOnly(longOption("SO_COOKIE", SOL_SOCKET, unix.SO_COOKIE))
	SO_DOMAIN          = readOnly(intOption[Family]("SO_DOMAIN", SOL_SOCKET, unix.SO_DOMAIN))
	SO_INCOMING_CPU    = intOption[int]("SO_INCOMING_CPU", SOL_SOCKET, unix.SO_INCOMING_CPU)
	SO_LOCK_FILTER     = boolOption("SO_LOCK_FILTER", SOL_SOCKET, unix.SO_LOCK_FILTER)
	SO_MARK            = intOption[int]("SO_MARK", SOL_SOCKET, unix.SO_MARK)
	SO_MAX_PACING_RATE = longOption("SO_MAX_PACING_RATE", SOL_SOCKET, unix.SO_MAX_PACING_RATE) // bytes per second
	SO_NO_CHECK        = boolOption("SO_NO_CHECK", SOL_SOCKET, unix.SO_NO_CHECK)
	SO_PASSCRED        = boolOption("SO_PASSCRED", SOL_SOCKET, unix.SO_PASSCRED)
	SO_PASSPIDFD       = boolOption("SO_PASSPIDFD", SOL_SOCKET, unix.SO_PASSPIDFD)
	SO_PASSSEC         = boolOption("SO_PASSSEC", SOL_SOCKET, unix.SO_PASSSEC)
	SO_PEEK_OFF        = intOption[int]("SO_PEEK_OFF", SOL_SOCKET, unix.SO_PEEK_OFF)
	SO_PEERCRED        = credOption("SO_PEERCRED", SOL_SOCKET, unix.SO_PEERCRED)
	SO_PEERSEC         = readOnly(textOption("SO_PEERSEC", SOL_SOCKET, unix.SO_PEERSEC, 256))
	SO_PRIORITY        = intOption[int]("SO_PRIORITY", SOL_SOCKET, unix.SO_PRIORITY)
	SO_PROTOCOL        = readOnly(intOption[Proto]("SO_PROTOCOL", SOL_SOCKET, unix.SO_PROTOCOL))
	SO_RCVBUFFORCE     = writeOnly(intOption[int]("SO_RCVBUFFORCE", SOL_SOCKET, unix.SO_RCVBUFFORCE))
	SO_RXQ_OVFL        = boolOption("SO_RXQ_OVFL", SOL_SOCKET, unix.SO_RXQ_OVFL)
	SO_SNDBUFFORCE     = writeOnly(intOption[int]("SO_SNDBUFFORCE", SOL_SOCKET, unix.SO_SNDBUFFORCE))
	SO_TIMESTAMPING    = intOption[int]("SO_TIMESTAMPING", SOL_SOCKET, unix.SO_TIMESTAMPING)
	SO_TIMESTAMPNS     = boolOption("SO_TIMESTAMPNS", SOL_SOCKET, unix.SO_TIMESTAMPNS)
	SO_ZEROCOPY        = boolOption("SO_ZEROCOPY", SOL_SOCKET, unix.SO_ZEROCOPY)

	SO_VM_SOCKETS_BUFFER_SIZE     = longOption("SO_VM_SOCKETS_BUFFER_SIZE", unix.AF_VSOCK, unix.SO_VM_SOCKETS_BUFFER_SIZE)
	SO_VM_SOCKETS_BUFFER_MIN_SIZE = longOption("SO_VM_SOCKETS_BUFFER_MIN_SIZE", unix.AF_VSOCK, unix.SO_VM_SOCKETS_BUFFER_MIN_SIZE)
	SO_VM_SOCKETS_BUFFER_MAX_SIZE = longOption("SO_VM_SOCKETS_BUFFER_MAX_SIZE", unix.AF_VSOCK, unix.SO_VM_SOCKETS_BUFFER_MAX_SIZE)
)

// Options of IPv4 sockets that Linux adds, ip(7).
var (
	IP_BIND_ADDRESS_NO_PORT = boolOption("IP_BIND_ADDRESS_NO_PORT", SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT)
	IP_FREEBIND             = boolOption("IP_FREEBIND", SOL_IP, unix.IP_FREEBIND)
	IP_MINTTL               = intOption[int]("IP_MINTTL", SOL_IP, unix.IP_MINTTL)
	IP_MTU                  = readOnly(intOption[int]("IP_MTU", SOL_IP, unix.IP_MTU))
	IP_MTU_DISCOVER         = intOption[int]("IP_MTU_DISCOVER", SOL_IP, unix.IP_MTU_DISCOVER)
	IP_MULTICAST_ALL        = boolOption("IP_MULTICAST_ALL", SOL_IP, unix.IP_MULTICAST_ALL)
	IP_NODEFRAG             = boolOption("IP_NODEFRAG", SOL_IP, unix.IP_NODEFRAG)
	IP_PKTINFO              = boolOption("IP_PKTINFO", SOL_IP, unix.IP_PKTINFO)
	IP_RECVERR              = boolOption("IP_RECVERR", SOL_IP, unix.IP_RECVERR)
	IP_RECVORIGDSTADDR      = boolOption("IP_RECVORIGDSTADDR", SOL_IP, unix.IP_RECVORIGDSTADDR)
	IP_RECVTOS              = boolOption("IP_RECVTOS", SOL_IP, unix.IP_RECVTOS)
	IP_RETOPTS              = boolOption("IP_RETOPTS", SOL_IP, unix.IP_RETOPTS)
	IP_TRANSPARENT          = boolOption("IP_TRANSPARENT", SOL_IP, unix.IP_TRANSPARENT)
)

// Multicast for either family, RFC 3678; the level follows the group.
var (
	MCAST_JOIN_GROUP         = joinOption("MCAST_JOIN_GROUP", unix.MCAST_JOIN_GROUP)
	MCAST_LEAVE_GROUP        = joinOption("MCAST_LEAVE_GROUP", unix.MCAST_LEAVE_GROUP)
	MCAST_JOIN_SOURCE_GROUP  = sourceOption("MCAST_JOIN_SOURCE_GROUP", unix.MCAST_JOIN_SOURCE_GROUP)
	MCAST_LEAVE_SOURCE_GROUP = sourceOption("MCAST_LEAVE_SOURCE_GROUP", unix.MCAST_LEAVE_SOURCE_GROUP)
	MCAST_BLOCK_SOURCE       = sourceOption("MCAST_BLOCK_SOURCE", unix.MCAST_BLOCK_SOURCE)
	MCAST_UNBLOCK_SOURCE     = sourceOption("MCAST_UNBLOCK_SOURCE", unix.MCAST_UNBLOCK_SOURCE)
)

// Options of IPv6 sockets that Linux adds, ipv6(7).
var (
	IPV6_AUTOFLOWLABEL = boolOption("IPV6_AUTOFLOWLABEL", SOL_IPV6, unix.IPV6_AUTOFLOWLABEL)
	IPV6_FREEBIND      = boolOption("IPV6_FREEBIND", SOL_IPV6, unix.IPV6_FREEBIND)
	IPV6_MTU           = intOption[int]("IPV6_MTU", SOL_IPV6, unix.IPV6_MTU)
	IPV6_MTU_DISCOVER  = intOption[int]("IPV6_MTU_DISCOVER", SOL_IPV6, unix.IPV6_MTU_DISCOVER)
	IPV6_MULTICAST_ALL = boolOption("IPV6_MULTICAST_ALL", SOL_IPV6, unix.IPV6_MULTICAST_ALL)
	IPV6_RECVERR       = boolOption("IPV6_RECVERR", SOL_IPV6, unix.IPV6_RECVERR)
	IPV6_TRANSPARENT   = boolOption("IPV6_TRANSPARENT", SOL_IPV6, unix.IPV6_TRANSPARENT)
)

// Options of TCP that Linux adds, tcp(7).
var (
	TCP_CONGESTION       = textOption("TCP_CONGESTION", SOL_TCP, unix.TCP_CONGESTION, 16)
	TCP_CORK             = boolOption("TCP_CORK", SOL_TCP, unix.TCP_CORK)
	TCP_DEFER_ACCEPT     = timeOption("TCP_DEFER_ACCEPT", SOL_TCP, unix.TCP_DEFER_ACCEPT, time.Second)
	TCP_FASTOPEN         = intOption[int]("TCP_FASTOPEN", SOL_TCP, unix.TCP_FASTOPEN)
	TCP_FASTOPEN_CONNECT = boolOption("TCP_FASTOPEN_CONNECT", SOL_TCP, unix.TCP_FASTOPEN_CONNECT)
	TCP_INFO             = infoOption("TCP_INFO", SOL_TCP, unix.TCP_INFO)
	TCP_INQ              = boolOption("TCP_INQ", SOL_TCP, unix.TCP_INQ)
	TCP_KEEPCNT          = intOption[int]("TCP_KEEPCNT", SOL_TCP, unix.TCP_KEEPCNT)
	TCP_KEEPIDLE         = timeOption("TCP_KEEPIDLE", SOL_TCP, unix.TCP_KEEPIDLE, time.Second)
	TCP_KEEPINTVL        = timeOption("TCP_KEEPINTVL", SOL_TCP, unix.TCP_KEEPINTVL, time.Second)
	TCP_LINGER2          = timeOption("TCP_LINGER2", SOL_TCP, unix.TCP_LINGER2, time.Second)
	TCP_NOTSENT_LOWAT    = intOption[int]("TCP_NOTSENT_LOWAT", SOL_TCP, unix.TCP_NOTSENT_LOWAT)
	TCP_QUICKACK         = boolOption("TCP_QUICKACK", SOL_TCP, unix.TCP_QUICKACK)
	TCP_SYNCNT           = intOption[int]("TCP_SYNCNT", SOL_TCP, unix.TCP_SYNCNT)
	TCP_TX_DELAY         = timeOption("TCP_TX_DELAY", SOL_TCP, unix.TCP_TX_DELAY, time.Microsecond)
	TCP_ULP              = textOption("TCP_ULP", SOL_TCP, unix.TCP_ULP, 16)
	TCP_USER_TIMEOUT     = timeOption("TCP_USER_TIMEOUT", SOL_TCP, unix.TCP_USER_TIMEOUT, time.Millisecond)
	TCP_WINDOW_CLAMP     = intOption[int]("TCP_WINDOW_CLAMP", SOL_TCP, unix.TCP_WINDOW_CLAMP)
)

// Options of UDP and UDP-Lite, udp(7) and udplite(7).
var (
	UDP_CORK           = boolOption("UDP_CORK", SOL_UDP, unix.UDP_CORK)
	UDP_ENCAP          = intOption[int]("UDP_ENCAP", SOL_UDP, unix.UDP_ENCAP)
	UDP_GRO            = boolOption("UDP_GRO", SOL_UDP, unix.UDP_GRO)
	UDP_NO_CHECK6_RX   = boolOption("UDP_NO_CHECK6_RX", SOL_UDP, unix.UDP_NO_CHECK6_RX)
	UDP_NO_CHECK6_TX   = boolOption("UDP_NO_CHECK6_TX", SOL_UDP, unix.UDP_NO_CHECK6_TX)
	UDP_SEGMENT        = intOption[int]("UDP_SEGMENT", SOL_UDP, unix.UDP_SEGMENT)
	UDPLITE_RECV_CSCOV = intOption[int]("UDPLITE_RECV_CSCOV", int(IPPROTO_UDPLITE), 11)
	UDPLITE_SEND_CSCOV = intOption[int]("UDPLITE_SEND_CSCOV", int(IPPROTO_UDPLITE), 10)
)

// systemOptions is Linux's part of Options.
func systemOptions() []AnyOption {
	return []AnyOption{
		SO_BINDTODEVICE, SO_BINDTOIFINDEX, SO_BUSY_POLL, SO_COOKIE, SO_DOMAIN, SO_INCOMING_CPU, SO_LOCK_FILTER,
		SO_MARK, SO_MAX_PACING_RATE, SO_NO_CHECK, SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PEEK_OFF,
		SO_PEERCRED, SO_PEERSEC, SO_PRIORITY, SO_PROTOCOL, SO_RCVBUFFORCE, SO_RXQ_OVFL, SO_SNDBUFFORCE,
		SO_TIMESTAMPING, SO_TIMESTAMPNS, SO_ZEROCOPY, SO_VM_SOCKETS_BUFFER_SIZE,
		SO_VM_SOCKETS_BUFFER_MIN_SIZE, SO_VM_SOCKETS_BUFFER_MAX_SIZE,
		IP_BIND_ADDRESS_NO_PORT, IP_FREEBIND, IP_MINTTL, IP_MTU, IP_MTU_DISCOVER, IP_MULTICAST_ALL, IP_NODEFRAG,
		IP_PKTINFO, IP_RECVERR, IP_RECVORIGDSTADDR, IP_RECVTOS, IP_RETOPTS, IP_TRANSPARENT,
		MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP,
		MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE,
		IPV6_AUTOFLOWLABEL, IPV6_FREEBIND, IPV6_MTU, IPV6_MTU_DISCOVER, IPV6_MULTICAST_ALL, IPV6_RECVERR,
		IPV6_TRANSPARENT,
		TCP_CONGESTION, TCP_CORK, TCP_DEFER_ACCEPT, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_INFO, TCP_INQ,
		TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_LINGER2, TCP_NOTSENT_LOWAT, TCP_QUICKACK, TCP_SYNCNT,
		TCP_TX_DELAY, TCP_ULP, TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP,
		UDP_CORK, UDP_ENCAP, UDP_GRO, UDP_NO_CHECK6_RX, UDP_NO_CHECK6_TX, UDP_SEGMENT,
		UDPLITE_RECV_CSCOV, UDPLITE_SEND_CSCOV,
	}
}

// join4Option is struct ip_mreqn.
func join4Option(name string, level, num int) Option[Membership] {
	return Option[Membership]{name, level, num, &codec[Membership]{
		set: func(s *Sock, level, number int, v Membership) error {
			if !v.Group.Is4() || v.Local.IsValid() && !v.Local.Is4() {
				return unix.EINVAL
			}
			m := unix.IPMreqn{Multiaddr: v.Group.As4(), Ifindex: int32(v.Interface)}
			if v.Local.IsValid() {
				m.Address = v.Local.As4()
			}
			return s.control(func(fd int) error { return unix.SetsockoptIPMreqn(fd, level, number, &m) })
		},
	}}
}

// groupOffset is where the first address of struct group_req lies: aligned for a
// long.
const groupOffset = int(unsafe.Sizeof(uintptr(0)))

// putStorage writes the address as a sockaddr_storage.
func putStorage(b []byte, a netip.Addr) error {
	var sa sockaddr
	err := sa.put(AF_UNSPEC, InetAddr{AddrPort: netip.AddrPortFrom(a, 0)})
	copy(b, sa.raw[:sa.len])
	return err
}

// credOption is struct ucred.
func credOption(name string, level, num int) Option[Cred] {
	return Option[Cred]{name, level, num, &codec[Cred]{
		get: func(s *Sock, level, number int) (Cred, error) {
			b, err := s.optBytes(level, number, unix.SizeofUcred)
			if err != nil {
				return Cred{}, err
			}
			return parseCred(b)
		},
	}}
}

// parseCred reads struct ucred: pid, uid, gid.
func parseCred(b []byte) (Cred, error) {
	if len(b) < unix.SizeofUcred {
		return Cred{}, unix.EINVAL
	}
	return Cred{
		PID: int(int32(binary.NativeEndian.Uint32(b))),
		UID: int(binary.NativeEndian.Uint32(b[4:])),
		GID: int(binary.NativeEndian.Uint32(b[8:])),
	}, nil
}
