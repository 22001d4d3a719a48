package server

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/farend-go/farend/wire"
)

// Counters is what a server has done so far.
type Counters struct {
	Accepted uint64 // connections
	Active   int64  // talks now
	Delayed  uint64 // connections that waited for a place (Limits.Talks, PerPeer)
	Turns    uint64
	In, Out  uint64 // bytes of connections and datagrams, above TLS
	Packets  uint64 // datagrams that came
	Lost     uint64 // replies that could not be sent, datagrams cut short
	Errors   map[string]uint64
}

// kinds of errors, as the counters name them.
var kinds = [...]string{"idle", "turn", "handshake", "held", "cut", "panic", "line", "reset", "timeout", "accept", "other"}

type counters struct {
	accepted, delayed, turns, in, out, packets, lost atomic.Uint64
	active                                           atomic.Int64
	errs                                             [len(kinds)]atomic.Uint64
}

// Counters reads them; each is exact, together they are a moment apart.
func (s *Server) Counters() Counters {
	c := &s.count
	out := Counters{
		Accepted: c.accepted.Load(), Active: c.active.Load(), Delayed: c.delayed.Load(), Turns: c.turns.Load(),
		In: c.in.Load(), Out: c.out.Load(), Packets: c.packets.Load(), Lost: c.lost.Load(), Errors: map[string]uint64{},
	}
	for i, kind := range kinds {
		if n := c.errs[i].Load(); n > 0 {
			out.Errors[kind] = n
		}
	}
	return out
}

// failed counts why a talk ended badly.
func (c *counters) failed(why error) {
	if why == nil {
		return
	}
	c.errs[kindOf(why)].Add(1)
}

func kindOf(err error) int {
	for i, is := range []error{ErrIdle, ErrTurn, ErrHandshake, ErrHeld, ErrCut, ErrPanic} {
		if errors.Is(err, is) {
			return i
		}
	}
	var ne net.Error
	switch {
	case errors.Is(err, wire.ErrLineTooLong), errors.Is(err, wire.ErrBareLF), errors.Is(err, wire.ErrBareCR):
		return 6
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return 7
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return 8
	case errors.Is(err, errAccept):
		return 9
	}
	return 10
}

var errAccept = errors.New("server: accept")
