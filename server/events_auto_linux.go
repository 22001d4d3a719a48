package server

import (
	"context"
	"net"
)

// autoEvents is the events engine of UringAuto: two, of which each has loops
// while it has servers.
type autoEvents struct{ rings, polls events }

func newAutoEvents(o EventOptions, size ringSize) *autoEvents {
	rings, polls := o, o
	rings.Uring, polls.Uring = UringAlways, UringNever
	size.dense = true // what nobody asked for is to gain in every way
	return &autoEvents{events{options: rings, size: size}, events{options: polls}}
}

func (e *autoEvents) Serve(ctx context.Context, l net.Listener, s *Server) error {
	if !gainsByRings(s, l) || !pollable(s, l) {
		return e.polls.Serve(ctx, l, s)
	}
	loops, err := e.rings.acquire()
	if err != nil {
		s.log().Debug("epoll in place of io_uring", "server", s.Name, "error", err)
		return e.polls.Serve(ctx, l, s)
	}
	return e.rings.serveOn(ctx, loops, l, s)
}

// gainsByRings tells whether s is cheaper on rings: not if a ring can only poll
// its sockets, because goroutines read them, or they are Unix sockets.
func gainsByRings(s *Server, l net.Listener) bool {
	mode := s.Handler.Mode()
	return s.TLS == nil && (mode == Inline || mode == Waits) && l.Addr().Network() != "unix"
}
