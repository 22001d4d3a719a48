//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// side is one direction of a socket: receiving or sending. It holds whose turn it
// is, makes the turn wait in Go's runtime poller, and turns the end of a context
// into the poller's deadline. Since one call at a time has the turn, that
// deadline is its own, and what a call needs can lie here without allocation.
type side struct {
	turn chan struct{} // full while a call has the turn

	poll     func(func(fd uintptr) bool) error // RawConn's Read or Write
	deadline func(time.Time) error             // the poller's

	mu     sync.Mutex
	base   time.Time // what SetDeadline asked for
	cut    bool      // the present turn's context ended
	serial uint64    // counts turns, so that a late AfterFunc finds its turn over

	// Of the present turn.
	do   func(fd int) error // one attempt; EAGAIN if the socket is not ready
	wait bool               // wait on EAGAIN
	err  error              // what the last attempt said
	step func(fd uintptr) bool
	msg  message
	recv func(fd int) error // msg.recv
	send func(fd int) error // msg.send
}

func (d *side) init(poll func(func(uintptr) bool) error, deadline func(time.Time) error) {
	d.turn = make(chan struct{}, 1)
	d.poll, d.deadline = poll, deadline
	d.step, d.recv, d.send = d.attempt, d.msg.recv, d.msg.send
}

// enter takes the turn, or gives up when ctx ends first.
func (d *side) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case d.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// leave gives the turn up and the deadline back to SetDeadline's.
func (d *side) leave() {
	d.do, d.err = nil, nil
	d.msg.clear()
	d.mu.Lock()
	d.serial++
	if d.cut {
		d.cut = false
		_ = d.deadline(d.base) // fails only when closed, as the next call will
	}
	d.mu.Unlock()
	<-d.turn
}

// run has do tried until it says something other than EAGAIN, and waits for the
// socket in between if wait is set. The caller has the turn.
//
// A context that can end costs an AfterFunc, so it is watched only when the
// first attempt did not succeed at once.
func (d *side) run(ctx context.Context, wait bool, do func(fd int) error) error {
	d.do = do
	d.wait = wait && ctx.Done() == nil
	err := d.pass(ctx)
	if err != unix.EAGAIN || !wait || d.wait {
		return err
	}
	d.wait = true
	serial := d.serial
	stop := context.AfterFunc(ctx, func() { d.interrupt(serial) })
	defer stop()
	return d.pass(ctx)
}

// pass hands the attempt to the poller and reads its verdict.
func (d *side) pass(ctx context.Context) error {
	err := d.poll(d.step)
	switch {
	case err == nil:
		return d.err
	case !errors.Is(err, os.ErrDeadlineExceeded):
		// The descriptor is gone: os.File has no other error to give here.
		return net.ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return ended(ctx)
	}
	return timeoutError{}
}

// attempt runs inside the poller; false sends it to wait.
func (d *side) attempt(fd uintptr) bool {
	for {
		d.err = d.do(int(fd))
		if d.err != unix.EINTR {
			break
		}
	}
	return d.err != unix.EAGAIN || !d.wait
}

// interrupt wakes the turn with this serial, if it is not over.
func (d *side) interrupt(serial uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.serial != serial {
		return
	}
	d.cut = true
	_ = d.deadline(time.Unix(0, 1)) // fails only when closed, which wakes it too
}

// setBase is SetDeadline for this side.
func (d *side) setBase(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.base = t
	if d.cut {
		return nil // leave will set it
	}
	return d.deadline(t)
}

// once is a whole turn for a call that is not worth a prepared function.
func (d *side) once(ctx context.Context, do func(fd int) error) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	return d.run(ctx, true, do)
}

// control runs a call that never waits on the descriptor, again if a signal
// interrupted it.
func (h *handle) control(do func(fd int) error) error {
	var err error
	gone := h.rc.Control(func(fd uintptr) {
		for {
			if err = do(int(fd)); err != unix.EINTR {
				return
			}
		}
	})
	if gone != nil {
		return net.ErrClosed
	}
	return err
}
