package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// ListenConfig says how Listen and ListenPacket listen. Its zero value is
// CreateServer's: SO_REUSEADDR for streams, the system's longest queue.
type ListenConfig struct {
	Backlog     int       // waiting connections; 0 is the system's maximum
	ReusePort   bool      // SO_REUSEPORT, see ServerConfig
	NoReuseAddr bool      // leave SO_REUSEADDR off
	KeepPath    bool      // leave the path of a Unix socket when the listener closes
	Options     []Setting // set before binding
}

// Listen is net.Listen with a backlog and with every form of host and port that
// Pair knows. The network is "tcp", "tcp4", "tcp6", "unix" or "unixpacket"; the
// address is "host:port", "[ipv6%zone]:port", or a path or @name. The listener
// is package net's own; the caller closes it. The context bounds the look-up.
//
// With "tcp" a name or an empty host (every interface) means IPv4 where it has
// both, as Python's servers do and so that IPv4 clients find localhost; "[::]"
// takes both kinds of peers on one socket, "tcp6" only IPv6 ones.
func Listen(ctx context.Context, network, address string, cfg ListenConfig) (net.Listener, error) {
	var typ Type
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
		typ = SOCK_STREAM
	case "unixpacket":
		typ = SOCK_SEQPACKET
	default:
		return nil, fmt.Errorf("socket: listen on %s: %w", address, net.UnknownNetworkError(network))
	}
	s, err := cfg.open(ctx, network, typ, address)
	if err != nil {
		return nil, err
	}
	l, err := s.Listener()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(!cfg.KeepPath)
	}
	return l, nil
}

// ListenPacket is net.ListenPacket in the same manner: the network is "udp",
// "udp4", "udp6" or "unixgram". Sending to a broadcast address needs SO_BROADCAST
// among the Options, unlike with package net. The path of a Unix socket stays
// when the connection is closed.
func ListenPacket(ctx context.Context, network, address string, cfg ListenConfig) (net.PacketConn, error) {
	switch network {
	case "udp", "udp4", "udp6", "unixgram":
	default:
		return nil, fmt.Errorf("socket: listen on %s: %w", address, net.UnknownNetworkError(network))
	}
	s, err := cfg.open(ctx, network, SOCK_DGRAM, address)
	if err != nil {
		return nil, err
	}
	c, err := s.PacketConn()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return c, nil
}

// open is CreateServer for a network and address in text.
func (cfg ListenConfig) open(ctx context.Context, network string, typ Type, address string) (*Sock, error) {
	server := ServerConfig{
		Type:        typ,
		Backlog:     cfg.Backlog,
		ReusePort:   cfg.ReusePort,
		NoReuseAddr: cfg.NoReuseAddr,
		Options:     cfg.Options,
	}
	switch network {
	case "tcp4", "udp4":
		server.Family = AF_INET
	case "tcp6", "udp6":
		server.Family = AF_INET6
	case "unix", "unixgram", "unixpacket":
		server.Family = AF_UNIX
		return CreateServer(ctx, Path(address), server)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("socket: listen: %w", err)
	}
	server.DualStack = server.Family == AF_UNSPEC && host == "::"
	return CreateServer(ctx, Pair(host, port), server)
}
