//go:build !linux

package server

import (
	"context"
	"net"
	"time"
)

// EventOptions of EventsWith.
type EventOptions struct {
	Loops int
	Spin  time.Duration
}

// Events is Goroutines here: its loops stand on Linux's epoll.
func Events() Engine { return events{} }

// EventsWith is Events.
func EventsWith(EventOptions) Engine { return events{} }

type events struct{ goroutines }

func (e events) Serve(ctx context.Context, l net.Listener, s *Server) error {
	return e.goroutines.Serve(ctx, l, s)
}
