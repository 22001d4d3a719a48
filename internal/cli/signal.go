package cli

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
)

// signals hands the process's signals to the command that runs. The first
// SIGINT or SIGTERM ends the command's context, the second ends the command
// whatever it does; a command that takes them gets all itself.
type signals struct {
	in    <-chan os.Signal // nil: none come
	taken atomic.Pointer[taking]
	hard  chan int // the exit status after the second one
}

// taking is a command that takes signals: all, or one kind.
type taking struct {
	c    chan os.Signal
	only os.Signal // nil: all
}

type signalsKey struct{}

// WithSignals gives Main the channel on which signals come (see os/signal).
func WithSignals(ctx context.Context, in <-chan os.Signal) context.Context {
	return context.WithValue(ctx, signalsKey{}, in)
}

func newSignals(ctx context.Context) *signals {
	in, _ := ctx.Value(signalsKey{}).(<-chan os.Signal)
	return &signals{in: in, hard: make(chan int, 1)}
}

// take gives every signal from now on to the caller, for a command that
// passes them on.
func (s *signals) take() <-chan os.Signal {
	c := make(chan os.Signal, 8)
	s.taken.Store(&taking{c: c})
	return c
}

// takeOnly gives the signals of one kind to the caller. While one waits to be
// read, more of them are as good as one.
func (s *signals) takeOnly(sig os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 1)
	s.taken.Store(&taking{c: c, only: sig})
	return c
}

// watch ends the returned context at the first signal.
func (s *signals) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := make(chan struct{})
	go func() {
		first := true
		for {
			select {
			case <-end:
				return
			case sig := <-s.in:
				if t := s.taken.Load(); t != nil && (t.only == nil || t.only == sig) {
					select {
					case t.c <- sig:
					default: // it has enough to read already
					}
					continue
				}
				if !first {
					s.hard <- signalStatus(sig)
					return
				}
				first = false
				cancel(signalled{sig})
			}
		}
	}()
	return ctx, func() {
		close(end)
		cancel(nil)
	}
}

// signalled is why a context ended.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return s.Signal.String() }

// interruptedBy is the exit status of a command whose context has ended.
func interruptedBy(ctx context.Context) int {
	if s, ok := context.Cause(ctx).(signalled); ok { //nolint:errorlint // a cause that we set ourselves
		return signalStatus(s.Signal)
	}
	return exitInterrupted
}

// signalStatus is a shell's status for a process that s ended.
func signalStatus(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitInterrupted
}
