// Package dial opens the client's end of a conversation from an endpoint
// string, the heir of Python's socket.create_connection and of Twisted's
// clientFromString.
//
//	tcp:host:port       a stream
//	tls:host:port       a stream that begins with a TLS handshake
//	starttls:host:port  a stream in clear, until the protocol says [Dialer.StartTLS]
//	unix:path           a stream over a Unix socket; @name is abstract (Linux)
//	udp:host:port       datagrams
//	unixgram:path       datagrams over a Unix socket
//
// Host and port take every form that package socket knows: names, dotted quads
// and their short forms, IPv6 in brackets with a zone, service names. No host
// (tcp::9999) is the loopback address. The form of a URL, tcp://host:port, is
// taken too.
//
// A stream may go through a [Proxy], HTTP's CONNECT or SOCKS5, and [SRV] finds
// the hosts of a domain's service.
package dial
