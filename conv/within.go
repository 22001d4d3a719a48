package conv

import (
	"context"
	"errors"
	"os"
	"time"
)

// Within runs f, whose reads and writes on c end when ctx does: a deadline of
// ctx is the connection's deadline, and a cancellation expires it at once.
// Then the error holds for errors.Is with ctx.Err() (context.Canceled, or
// context.DeadlineExceeded, and then os.ErrDeadlineExceeded too) and c can
// only be closed: later calls are refused with ErrBroken. No goroutine is
// started; a ctx that never ends costs nothing.
func (c *Conn) Within(ctx context.Context, f func() error) error {
	if c.broken {
		return ErrBroken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d, ok := c.port.(deadliner)
	if !ok || ctx.Done() == nil {
		return f()
	}
	deadline, has := ctx.Deadline()
	if has {
		if err := d.SetDeadline(deadline); err != nil {
			return err
		}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = d.SetDeadline(past) // fails only where the connection is closed
		close(fired)
	})
	err := f()
	cut := !stop()
	if cut {
		<-fired
	}
	if cut || has {
		_ = d.SetDeadline(time.Time{})
	}
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	c.broken = true
	if ctx.Err() == nil { // the connection's clock was the faster one
		return &cutError{context.DeadlineExceeded, err}
	}
	return &cutError{ctx.Err(), err}
}

// cutError says in the context's words what the connection says in its own.
type cutError struct{ ctx, err error }

func (e *cutError) Error() string   { return e.ctx.Error() }
func (e *cutError) Unwrap() []error { return []error{e.ctx, e.err} }
func (e *cutError) Timeout() bool   { return errors.Is(e.ctx, context.DeadlineExceeded) }
