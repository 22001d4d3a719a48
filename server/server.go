package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/farend-go/farend/conv"
)

// Why a talk ended, for Session.Close and the counters.
var (
	// ErrIdle is a peer that said nothing for Limits.Idle.
	ErrIdle = errors.New("server: idle for too long")
	// ErrTurn is a Turn that took longer than Limits.Turn.
	ErrTurn = errors.New("server: the turn took too long")
	// ErrHandshake is a TLS handshake that failed or took too long.
	ErrHandshake = errors.New("server: TLS handshake")
	// ErrStopping is a wait for the peer that ended because the server stops.
	ErrStopping = errors.New("server: stopping")
	// ErrCut is a Turn that went on when the time for draining had passed.
	ErrCut = errors.New("server: cut off while stopping")
	// ErrHeld is a peer that does not read what it asked for.
	ErrHeld = errors.New("server: the peer does not read")
	// ErrPanic is a Turn that panicked; the log has the stack.
	ErrPanic = errors.New("server: panic")
	// ErrMode is a call that the handler's Mode does not allow.
	ErrMode = errors.New("server: not possible in this mode")
)

// A Server runs one handler over any number of listeners of any kind. Its
// fields are set before the first Serve and not changed afterwards; its
// methods may be called concurrently. The zero Server with a Handler serves.
type Server struct {
	Handler Handler       // for connections
	Packets PacketHandler // for datagrams

	Engine Engine      // nil: Goroutines()
	TLS    *tls.Config // every connection begins with a handshake; nil: in clear
	Limits Limits
	Layers []conv.Layer           // wrapped around every connection, below TLS
	Tap    func(t *Talk) conv.Tap // an ear for each talk; nil, or a nil Tap: nobody
	Packet func(e PacketEvent)    // hears every datagram that comes or goes, on any goroutine; nil: nobody
	Name   string                 // for the log
	Log    *slog.Logger           // nil: silent

	PacketOptions PacketOptions // how datagrams are read and sent

	count  counters
	admit  admission
	nextID atomic.Uint64
}

// Limits of a server. The zero value of each field is a limit too; a negative
// value is none.
type Limits struct {
	Talks     int           // talks at once; 0: none. Over it, new connections wait in the backlog
	PerPeer   int           // talks at once with one address; 0: none. Over it, a connection waits unread
	Line      int           // bytes of a line, CRLF included; 0: 4096
	Held      int           // bytes kept for a peer that does not read, or of a request that an Inline Turn waits for; 0: 256 KiB
	Handshake time.Duration // a TLS handshake; 0: 10 s
	Idle      time.Duration // from Turn to Turn; 0: 5 min
	Turn      time.Duration // a Turn, or one wait of a Stream handler's Write; 0: 5 min
	Drain     time.Duration // for Turns in flight when stopping; 0: 5 s
}

func (l Limits) filled() Limits {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Handshake, 10*time.Second)
	def(&l.Idle, 5*time.Minute)
	def(&l.Turn, 5*time.Minute)
	def(&l.Drain, 5*time.Second)
	if l.Held == 0 {
		l.Held = 256 << 10
	}
	return l
}

// An Engine takes listeners and decides when Turns run.
type Engine interface {
	// Serve accepts from l, which it owns, until ctx ends, and returns when
	// every talk that it began has ended. Any number of listeners and servers
	// may be served by one Engine at once.
	Serve(ctx context.Context, l net.Listener, s *Server) error
}

// Serve runs s on l until ctx ends. It owns l: the listener is closed when ctx
// ends; then peers that wait are told goodbye, Turns in flight have
// Limits.Drain to finish, and what is left is cut. It returns nil when every
// talk has ended, or an error when l cannot be served.
//
// An Accept that returns io.EOF is l's good end, as of a listener that was
// handed over or had one connection: Serve returns when the last talk has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.Handler == nil {
		return errors.Join(errors.New("server: no Handler for connections"), l.Close())
	}
	e := s.Engine
	if e == nil {
		e = Goroutines()
	}
	return e.Serve(ctx, l, s)
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// run is one Serve: what all of its talks share.
type run struct {
	*Server
	limits   Limits
	ctx      context.Context // the Turns': cancelled when Drain has passed
	cut      context.CancelCauseFunc
	stopping <-chan struct{}
}

type stopKey struct{}

// newRun prepares the Serve of s under ctx; the caller calls cut at the end.
func newRun(ctx context.Context, s *Server) *run {
	r := &run{Server: s, limits: s.Limits.filled(), stopping: ctx.Done()}
	base := context.WithValue(context.WithoutCancel(ctx), stopKey{}, r.stopping)
	r.ctx, r.cut = context.WithCancelCause(base)
	return r
}

// Stopping gives a channel that is closed when the server whose Turn has ctx
// begins to stop; ctx itself ends only when Limits.Drain has passed. It is nil
// for a context of another origin.
func Stopping(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(stopKey{}).(<-chan struct{})
	return c
}

// isStopping tells whether the Serve is over.
func (r *run) isStopping() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}
