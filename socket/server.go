package socket

import (
	"context"
	"errors"
	"slices"
)

// ServerConfig says how CreateServer listens. Its zero value is: a stream on the
// first IPv4 address that the Address leads to, or the first of all if there is
// none; SO_REUSEADDR set (on streams only: datagram sockets would share the port
// in silence); the longest queue that the system allows.
type ServerConfig struct {
	Family      Family // of the socket; AF_UNSPEC takes that of the address, IPv4 first
	Type        Type   // SOCK_STREAM if 0
	Proto       Proto
	Backlog     int       // waiting connections, as Listen counts them; 0 is the system's maximum
	ReusePort   bool      // set SO_REUSEPORT before binding, so that siblings can share the port
	DualStack   bool      // an AF_INET6 socket that takes IPv4 peers too; AF_INET6 is implied
	NoReuseAddr bool      // leave SO_REUSEADDR off: a port in TIME_WAIT counts as taken
	Options     []Setting // set before binding
}

// CreateServer makes a socket, binds it and listens, Python's create_server. The
// caller closes it. An AF_INET6 socket takes IPv6 peers only unless DualStack is
// set. A stream socket listens; a datagram socket is only bound. EADDRINUSE
// tells that the port or path is taken.
//
// With ReusePort a second server on the same port succeeds in silence, for it is
// meant to; do not use it to find out whether a port is free.
func CreateServer(ctx context.Context, at Address, cfg ServerConfig) (*Sock, error) {
	if cfg.DualStack && cfg.Family == AF_UNSPEC {
		cfg.Family = AF_INET6
	}
	if cfg.DualStack && cfg.Family != AF_INET6 {
		return nil, errors.New("socket: dual stack needs AF_INET6")
	}
	if cfg.Type == 0 {
		cfg.Type = SOCK_STREAM
	}
	all, err := at.Resolve(ctx, cfg.Family, cfg.Type)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNoAddress
	}
	a := all[max(0, slices.IndexFunc(all, func(a Addr) bool { return a.Family() == AF_INET }))]
	if cfg.Family == AF_UNSPEC {
		cfg.Family = a.Family()
	}
	s, err := Socket(cfg.Family, cfg.Type, cfg.Proto)
	if err != nil {
		return nil, err
	}
	if err := s.serve(ctx, a, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// serve sets the options, binds and listens.
func (s *Sock) serve(ctx context.Context, a Addr, cfg ServerConfig) error {
	if err := s.implied(cfg); err != nil {
		return err
	}
	for _, set := range cfg.Options {
		if err := set.Apply(s); err != nil {
			return err
		}
	}
	if err := s.Bind(ctx, a); err != nil {
		return err
	}
	if cfg.Type == SOCK_DGRAM || cfg.Type == SOCK_RAW {
		return nil
	}
	backlog := cfg.Backlog
	if backlog == 0 {
		backlog = SOMAXCONN
	}
	return s.Listen(backlog)
}
