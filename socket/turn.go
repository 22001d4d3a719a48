package socket

import (
	"context"
	"sync"
	"time"
)

// turn decides which call may use one direction of a socket, and turns the end
// of that call's context into the direction's deadline. One call at a time has
// the turn, so the deadline is its own.
type turn struct {
	token    chan struct{}         // full while a call has the turn
	deadline func(time.Time) error // of the descriptor; fails only when that is closed

	mu     sync.Mutex
	base   time.Time // what SetDeadline asked for
	cut    bool      // the present call's context ended
	serial uint64    // counts turns, so that a late AfterFunc finds its turn over
}

// enter takes the turn, or gives up when ctx ends first.
func (t *turn) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case t.token <- struct{}{}:
		return nil
	default:
	}
	select {
	case t.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// leave gives the turn up, and the deadline back to SetDeadline's.
func (t *turn) leave() {
	t.mu.Lock()
	t.serial++
	if t.cut {
		t.cut = false
		_ = t.deadline(t.base) // closed: the next call finds that out
	}
	t.mu.Unlock()
	<-t.token
}

// watch has the end of ctx interrupt the present turn, until stop is called.
// A context's AfterFunc starts a goroutine only when the context ends.
func (t *turn) watch(ctx context.Context) (stop func() bool) {
	serial := t.serial
	return context.AfterFunc(ctx, func() { t.interrupt(serial) })
}

// interrupt wakes the turn with this serial, if it is not over.
func (t *turn) interrupt(serial uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.serial != serial {
		return
	}
	t.cut = true
	_ = t.deadline(time.Unix(0, 1)) // closed: that wakes the turn as well
}

// expired is why the deadline has passed: the context's end or SetDeadline's time.
func (t *turn) expired(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		return ended(ctx)
	}
	return timeoutError{}
}

// setBase is SetDeadline for this direction.
func (t *turn) setBase(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base = at
	if t.cut {
		return nil // leave will set it
	}
	return t.deadline(at)
}
