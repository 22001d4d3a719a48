//go:build !linux

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Events is Goroutines here: its loops stand on Linux's epoll.
func Events() Engine { return events{} }

// Check tells why no engine can have these options here; nil: one can.
func (o EventOptions) Check() error {
	if o.Uring == UringAlways {
		return fmt.Errorf("io_uring: %w", errors.ErrUnsupported)
	}
	return nil
}

// EventsWith is Events.
func EventsWith(o EventOptions) Engine { return events{options: o} }

type events struct {
	goroutines
	options EventOptions
}

func (e events) Serve(ctx context.Context, l net.Listener, s *Server) error {
	if err := e.options.Check(); err != nil {
		return errors.Join(fmt.Errorf("server: events: %w", err), l.Close())
	}
	return e.goroutines.Serve(ctx, l, s)
}
