//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// side is one direction of a socket, receiving or sending, in Go's runtime
// poller. What the call that has the turn needs lies here, so that the common
// calls allocate nothing.
type side struct {
	turn
	poll func(func(fd uintptr) bool) error // RawConn's Read or Write

	do   func(fd int) error       // one attempt; EAGAIN if the socket is not ready
	wait bool                     // wait on EAGAIN
	err  error                    // what the last attempt said
	step func(fd uintptr) bool    // attempt
	msg  message                  // for do = recv or send
	recv func(fd int) (err error) // msg.recv
	send func(fd int) (err error) // msg.send
}

func (d *side) init(poll func(func(uintptr) bool) error, deadline func(time.Time) error) {
	d.token = make(chan struct{}, 1)
	d.poll, d.deadline = poll, deadline
	d.step, d.recv, d.send = d.attempt, d.msg.recv, d.msg.send
}

// leave forgets what the call left here, and gives the turn up.
func (d *side) leave() {
	d.do, d.err = nil, nil
	d.msg.clear()
	d.turn.leave()
}

// run has do tried until it says something other than EAGAIN, and waits for the
// socket in between if wait is set. The caller has the turn.
//
// To watch a context costs a little, so that begins only when the first attempt
// did not succeed at once.
func (d *side) run(ctx context.Context, wait bool, do func(fd int) error) error {
	d.do = do
	d.wait = wait && ctx.Done() == nil
	err := d.pass(ctx)
	if err != unix.EAGAIN || !wait || d.wait {
		return err
	}
	d.wait = true
	stop := d.watch(ctx)
	defer stop()
	return d.pass(ctx)
}

// pass hands the attempt to the poller and reads its verdict.
func (d *side) pass(ctx context.Context) error {
	err := d.poll(d.step)
	switch {
	case err == nil:
		return d.err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return d.expired(ctx)
	}
	// The descriptor is gone: os.File has no other error to give here.
	return net.ErrClosed
}

// attempt runs inside the poller; false sends it to wait.
func (d *side) attempt(fd uintptr) bool {
	for {
		d.err = d.do(int(fd))
		if d.err != unix.EINTR {
			return d.err != unix.EAGAIN || !d.wait
		}
	}
}

// once is a whole turn, for a call that is not worth a prepared function.
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
