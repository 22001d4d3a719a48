// Package pool is sessions that rest until somebody wants them again, the heir
// of the connection pools of database drivers.
package pool

import (
	"context"
	"errors"
	"io"
	"sync"
)

// ErrClosed is a session wanted after Close.
var ErrClosed = errors.New("the pool of sessions is closed")

// A Pool keeps sessions. The zero value has none. Its methods may be called
// concurrently.
type Pool[C io.Closer] struct {
	once   sync.Once
	out    chan struct{} // a token for each that is out; nil: any number may be
	mu     sync.Mutex
	idle   []C
	closed bool
}

// Get gives a session that rested and is still fit, or else a new one, opened.
// At most most are out at once, the same number in each call, and Get waits for
// one to be put back; 0: any number.
func (p *Pool[C]) Get(ctx context.Context, most int, open func(context.Context) (C, error), fit func(C, context.Context) error) (c C, err error) {
	p.once.Do(func() {
		if most > 0 {
			p.out = make(chan struct{}, most)
		}
	})
	if p.out != nil {
		select {
		case p.out <- struct{}{}:
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
	for {
		rested, ok, err := p.take()
		if err == nil && !ok {
			c, err = open(ctx)
		}
		if err != nil {
			p.back()
			return c, err
		}
		if !ok {
			return c, nil
		}
		if fit(rested, ctx) == nil { // the server may have hung up meanwhile
			return rested, nil
		}
		rested.Close()
	}
}

func (p *Pool[C]) take() (c C, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return c, false, ErrClosed
	}
	n := len(p.idle) - 1
	if n < 0 {
		return c, false, nil
	}
	c, p.idle = p.idle[n], p.idle[:n]
	return c, true, nil
}

func (p *Pool[C]) back() {
	if p.out != nil {
		<-p.out
	}
}

// Put lets a session rest that Get gave; one that is not sound is closed.
func (p *Pool[C]) Put(c C, sound bool) {
	p.mu.Lock()
	if sound = sound && !p.closed; sound {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !sound {
		c.Close()
	}
	p.back()
}

// Close ends the sessions at rest by end; the others are closed when they are
// put back.
func (p *Pool[C]) Close(end func(C) error) error {
	p.mu.Lock()
	idle := p.idle
	p.closed, p.idle = true, nil
	p.mu.Unlock()
	var err error
	for _, c := range idle {
		err = errors.Join(err, end(c))
	}
	return err
}
