package imap

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// farewell is how long the server has to answer the last word.
const farewell = 10 * time.Second

// Idle waits for what the server tells (RFC 2177) and hands it to each, until
// that returns false or ctx ends. Then the IDLE is ended, and the session goes
// on. The error is nil where each ended it, and ctx's where ctx did. A server
// may end an idle session after 30 minutes: whoever waits longer ends ctx
// before.
func (c *Client) Idle(ctx context.Context, each func(r Response) (more bool)) error {
	return c.attend(ctx, "IDLE", func(r Response, _ *Fetched) bool { return each(r) })
}

// Listen is Idle for a server that tells unasked, as Notify has it: nothing is
// said but a NOOP at the end.
func (c *Client) Listen(ctx context.Context, each func(r Response) (more bool)) error {
	return c.attend(ctx, "NOOP", func(r Response, _ *Fetched) bool { return each(r) })
}

// attend hears what is told until a command ends: IDLE, which is said at once
// and ended by DONE, or NOOP, which is said when it is enough.
func (c *Client) attend(ctx context.Context, verb string, each func(r Response, f *Fetched) (more bool)) error {
	for len(c.queue)+len(c.flight) > 0 { // what was asked for comes first
		last := append(append([]*command{}, c.flight...), c.queue...)
		if err := c.wait(ctx, last[len(last)-1]); err != nil && !refused(err) {
			return err
		}
	}
	if c.fetching {
		return ErrBusy
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	i := &idling{c: c, each: each, x: c.alone(verb, nil).x, begun: make(chan struct{}), cancel: cancel, last: []byte("DONE\r\n")}
	if verb == "NOOP" {
		i.last = i.x.chunks[0].data
		c.queue, c.flight = nil, []*command{i.x}
		i.x.said = len(i.x.chunks)
		i.start()
	}
	err := i.run(ctx, alive)
	switch {
	case err != nil && ctx.Err() != nil && alive.Err() != nil:
		return fmt.Errorf("%w: the server does not answer", ctx.Err())
	case err != nil:
		return err
	case i.enough:
		return nil
	}
	return ctx.Err()
}

// idling is a wait for what is told.
type idling struct {
	c      *Client
	x      *command
	each   func(r Response, f *Fetched) bool
	last   []byte        // what ends it
	begun  chan struct{} // closed by the go-ahead
	cancel context.CancelFunc
	done   sync.Once // last was said
	timer  *time.Timer
	enough bool
	going  bool // the go-ahead has come
}

// run reads until the wait has ended. Its last word comes from another
// goroutine, for this one reads.
func (i *idling) run(ctx, alive context.Context) error {
	ended := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-ended:
		case <-ctx.Done():
			select {
			case <-i.begun:
				i.stop()
			case <-ended:
			case <-time.After(farewell):
				i.cancel()
			}
		}
	}()
	err := i.read(alive)
	close(ended)
	<-over
	if i.timer != nil {
		i.timer.Stop()
	}
	return err
}

// stop says the last word past the Conn, whose Reader waits and whose Writer is empty.
func (i *idling) stop() {
	i.done.Do(func() {
		i.timer = time.AfterFunc(farewell, i.cancel)
		if _, err := i.c.c.NetConn().Write(i.last); err != nil {
			i.cancel()
		}
	})
}

func (i *idling) read(ctx context.Context) error {
	c := i.c
	for !i.x.done {
		if err := c.within(ctx, c.say); err != nil {
			return fmt.Errorf("imap: %w", err)
		}
		r, m, err := c.hear(ctx)
		if err != nil {
			return err
		}
		var told *Fetched
		switch {
		case m != nil:
			if err := m.Read(); err != nil {
				return err
			}
			told = m.Fetched
			r = Response{Tag: "*", Number: m.Seq, Name: "FETCH", Rest: m.Append(0, nil)}
		case r.Tag == "+":
			i.start()
			continue
		case r.Tag != "*":
			if err := c.finish(r); err != nil {
				return err
			}
			continue
		}
		if m == nil {
			if err := c.untagged(r); err != nil {
				return err
			}
		}
		if !i.enough && !i.each(r, told) {
			i.enough = true
			if i.going {
				i.stop()
			}
		}
	}
	return i.x.err
}

// start takes the go-ahead in.
func (i *idling) start() {
	if !i.going {
		i.going = true
		close(i.begun)
	}
	if i.enough {
		i.stop()
	}
}
