package socket

import "golang.org/x/sys/unix"

// The address families of Linux, socket(2). A kernel that lacks one answers
// EAFNOSUPPORT when a socket of it is made.
const (
	AF_UNSPEC     Family = unix.AF_UNSPEC
	AF_UNIX       Family = unix.AF_UNIX
	AF_INET       Family = unix.AF_INET
	AF_AX25       Family = unix.AF_AX25
	AF_IPX        Family = unix.AF_IPX
	AF_APPLETALK  Family = unix.AF_APPLETALK
	AF_NETROM     Family = unix.AF_NETROM
	AF_BRIDGE     Family = unix.AF_BRIDGE
	AF_ATMPVC     Family = unix.AF_ATMPVC
	AF_X25        Family = unix.AF_X25
	AF_INET6      Family = unix.AF_INET6
	AF_ROSE       Family = unix.AF_ROSE
	AF_NETBEUI    Family = unix.AF_NETBEUI
	AF_SECURITY   Family = unix.AF_SECURITY
	AF_KEY        Family = unix.AF_KEY
	AF_NETLINK    Family = unix.AF_NETLINK
	AF_PACKET     Family = unix.AF_PACKET
	AF_ASH        Family = unix.AF_ASH
	AF_ECONET     Family = unix.AF_ECONET
	AF_ATMSVC     Family = unix.AF_ATMSVC
	AF_RDS        Family = unix.AF_RDS
	AF_SNA        Family = unix.AF_SNA
	AF_IRDA       Family = unix.AF_IRDA
	AF_PPPOX      Family = unix.AF_PPPOX
	AF_WANPIPE    Family = unix.AF_WANPIPE
	AF_LLC        Family = unix.AF_LLC
	AF_IB         Family = unix.AF_IB
	AF_MPLS       Family = unix.AF_MPLS
	AF_CAN        Family = unix.AF_CAN
	AF_TIPC       Family = unix.AF_TIPC
	AF_BLUETOOTH  Family = unix.AF_BLUETOOTH
	AF_IUCV       Family = unix.AF_IUCV
	AF_RXRPC      Family = unix.AF_RXRPC
	AF_ISDN       Family = unix.AF_ISDN
	AF_PHONET     Family = unix.AF_PHONET
	AF_IEEE802154 Family = unix.AF_IEEE802154
	AF_CAIF       Family = unix.AF_CAIF
	AF_ALG        Family = unix.AF_ALG
	AF_NFC        Family = unix.AF_NFC
	AF_VSOCK      Family = unix.AF_VSOCK
	AF_KCM        Family = unix.AF_KCM
	AF_QIPCRTR    Family = unix.AF_QIPCRTR
	AF_SMC        Family = unix.AF_SMC
	AF_XDP        Family = unix.AF_XDP
	AF_MCTP       Family = unix.AF_MCTP
	AF_LOCAL             = AF_UNIX    // POSIX.1g's name for it
	AF_ROUTE             = AF_NETLINK // BSD's name for it
)

// The same by the names of the protocol families; BSD sockets keep PF_x and AF_x
// equal, and so do all systems.
const (
	PF_UNSPEC     = AF_UNSPEC
	PF_UNIX       = AF_UNIX
	PF_INET       = AF_INET
	PF_AX25       = AF_AX25
	PF_IPX        = AF_IPX
	PF_APPLETALK  = AF_APPLETALK
	PF_NETROM     = AF_NETROM
	PF_BRIDGE     = AF_BRIDGE
	PF_ATMPVC     = AF_ATMPVC
	PF_X25        = AF_X25
	PF_INET6      = AF_INET6
	PF_ROSE       = AF_ROSE
	PF_NETBEUI    = AF_NETBEUI
	PF_SECURITY   = AF_SECURITY
	PF_KEY        = AF_KEY
	PF_NETLINK    = AF_NETLINK
	PF_PACKET     = AF_PACKET
	PF_ASH        = AF_ASH
	PF_ECONET     = AF_ECONET
	PF_ATMSVC     = AF_ATMSVC
	PF_RDS        = AF_RDS
	PF_SNA        = AF_SNA
	PF_IRDA       = AF_IRDA
	PF_PPPOX      = AF_PPPOX
	PF_WANPIPE    = AF_WANPIPE
	PF_LLC        = AF_LLC
	PF_IB         = AF_IB
	PF_MPLS       = AF_MPLS
	PF_CAN        = AF_CAN
	PF_TIPC       = AF_TIPC
	PF_BLUETOOTH  = AF_BLUETOOTH
	PF_IUCV       = AF_IUCV
	PF_RXRPC      = AF_RXRPC
	PF_ISDN       = AF_ISDN
	PF_PHONET     = AF_PHONET
	PF_IEEE802154 = AF_IEEE802154
	PF_CAIF       = AF_CAIF
	PF_ALG        = AF_ALG
	PF_NFC        = AF_NFC
	PF_VSOCK      = AF_VSOCK
	PF_KCM        = AF_KCM
	PF_QIPCRTR    = AF_QIPCRTR
	PF_SMC        = AF_SMC
	PF_XDP        = AF_XDP
	PF_MCTP       = AF_MCTP
	PF_LOCAL      = AF_LOCAL
	PF_ROUTE      = AF_ROUTE
)

// The types of sockets, socket(2). SOCK_CLOEXEC and SOCK_NONBLOCK may be added to
// a type and change nothing: sockets here always have both.
const (
	SOCK_STREAM    Type = unix.SOCK_STREAM
	SOCK_DGRAM     Type = unix.SOCK_DGRAM
	SOCK_RAW       Type = unix.SOCK_RAW
	SOCK_RDM       Type = unix.SOCK_RDM
	SOCK_SEQPACKET Type = unix.SOCK_SEQPACKET
	SOCK_DCCP      Type = unix.SOCK_DCCP
	SOCK_PACKET    Type = unix.SOCK_PACKET
	SOCK_CLOEXEC   Type = unix.SOCK_CLOEXEC
	SOCK_NONBLOCK  Type = unix.SOCK_NONBLOCK
)

// Flags of send(2) and recv(2).
const (
	MSG_OOB          Flag = unix.MSG_OOB          // urgent data, TCP's and Unix streams'
	MSG_PEEK         Flag = unix.MSG_PEEK         // leave what was received in the queue
	MSG_DONTROUTE    Flag = unix.MSG_DONTROUTE    // to hosts on the link only
	MSG_CTRUNC       Flag = unix.MSG_CTRUNC       // reported: control data was cut short
	MSG_TRUNC        Flag = unix.MSG_TRUNC        // count the whole datagram, however much of it fits
	MSG_DONTWAIT     Flag = unix.MSG_DONTWAIT     // EAGAIN instead of waiting
	MSG_EOR          Flag = unix.MSG_EOR          // end of a record
	MSG_WAITALL      Flag = unix.MSG_WAITALL      // wait until the buffer is full
	MSG_CONFIRM      Flag = unix.MSG_CONFIRM      // the neighbour answered, no ARP needed
	MSG_ERRQUEUE     Flag = unix.MSG_ERRQUEUE     // receive from the error queue
	MSG_NOSIGNAL     Flag = unix.MSG_NOSIGNAL     // no SIGPIPE (always on here)
	MSG_MORE         Flag = unix.MSG_MORE         // hold the data back, more follows
	MSG_WAITFORONE   Flag = unix.MSG_WAITFORONE   // recvmmsg(2)
	MSG_BATCH        Flag = unix.MSG_BATCH        // more messages follow, sendmmsg(2)
	MSG_ZEROCOPY     Flag = unix.MSG_ZEROCOPY     // send from the caller's memory; needs SO_ZEROCOPY
	MSG_FASTOPEN     Flag = unix.MSG_FASTOPEN     // data in the SYN, RFC 7413
	MSG_CMSG_CLOEXEC Flag = unix.MSG_CMSG_CLOEXEC // received descriptors close on exec (always on here)
)

// Levels of socket options and control messages.
const (
	SOL_SOCKET   = unix.SOL_SOCKET
	SOL_IP       = unix.SOL_IP
	SOL_TCP      = unix.SOL_TCP
	SOL_UDP      = unix.SOL_UDP
	SOL_IPV6     = unix.SOL_IPV6
	SOL_ICMPV6   = unix.SOL_ICMPV6
	SOL_RAW      = unix.SOL_RAW
	SOL_PACKET   = unix.SOL_PACKET
	SOL_NETLINK  = unix.SOL_NETLINK
	SOL_TIPC     = unix.SOL_TIPC
	SOL_ALG      = unix.SOL_ALG
	SOL_VSOCK    = unix.SOL_VSOCK
	SOL_TLS      = unix.SOL_TLS
	SOL_XDP      = unix.SOL_XDP
	SOL_MPTCP    = unix.SOL_MPTCP
	SOL_CAN_BASE = unix.SOL_CAN_BASE
	SOL_CAN_RAW  = unix.SOL_CAN_RAW
)

// Kinds of control messages at SOL_SOCKET, cmsg(3).
const (
	SCM_RIGHTS       = unix.SCM_RIGHTS
	SCM_CREDENTIALS  = unix.SCM_CREDENTIALS
	SCM_SECURITY     = unix.SCM_SECURITY
	SCM_PIDFD        = unix.SCM_PIDFD
	SCM_TIMESTAMP    = unix.SCM_TIMESTAMP
	SCM_TIMESTAMPNS  = unix.SCM_TIMESTAMPNS
	SCM_TIMESTAMPING = unix.SCM_TIMESTAMPING
	SCM_TXTIME       = unix.SCM_TXTIME
)

// familyNames is sorted by number, for Family.String.
var familyNames = [...]string{
	AF_UNSPEC:     "AF_UNSPEC",
	AF_UNIX:       "AF_UNIX",
	AF_INET:       "AF_INET",
	AF_AX25:       "AF_AX25",
	AF_IPX:        "AF_IPX",
	AF_APPLETALK:  "AF_APPLETALK",
	AF_NETROM:     "AF_NETROM",
	AF_BRIDGE:     "AF_BRIDGE",
	AF_ATMPVC:     "AF_ATMPVC",
	AF_X25:        "AF_X25",
	AF_INET6:      "AF_INET6",
	AF_ROSE:       "AF_ROSE",
	AF_NETBEUI:    "AF_NETBEUI",
	AF_SECURITY:   "AF_SECURITY",
	AF_KEY:        "AF_KEY",
	AF_NETLINK:    "AF_NETLINK",
	AF_PACKET:     "AF_PACKET",
	AF_ASH:        "AF_ASH",
	AF_ECONET:     "AF_ECONET",
	AF_ATMSVC:     "AF_ATMSVC",
	AF_RDS:        "AF_RDS",
	AF_SNA:        "AF_SNA",
	AF_IRDA:       "AF_IRDA",
	AF_PPPOX:      "AF_PPPOX",
	AF_WANPIPE:    "AF_WANPIPE",
	AF_LLC:        "AF_LLC",
	AF_IB:         "AF_IB",
	AF_MPLS:       "AF_MPLS",
	AF_CAN:        "AF_CAN",
	AF_TIPC:       "AF_TIPC",
	AF_BLUETOOTH:  "AF_BLUETOOTH",
	AF_IUCV:       "AF_IUCV",
	AF_RXRPC:      "AF_RXRPC",
	AF_ISDN:       "AF_ISDN",
	AF_PHONET:     "AF_PHONET",
	AF_IEEE802154: "AF_IEEE802154",
	AF_CAIF:       "AF_CAIF",
	AF_ALG:        "AF_ALG",
	AF_NFC:        "AF_NFC",
	AF_VSOCK:      "AF_VSOCK",
	AF_KCM:        "AF_KCM",
	AF_QIPCRTR:    "AF_QIPCRTR",
	AF_SMC:        "AF_SMC",
	AF_XDP:        "AF_XDP",
	AF_MCTP:       "AF_MCTP",
}
