package smtp

import (
	"context"
	"errors"
	"sync"
)

// A Pool shares sessions with one server among goroutines and keeps them for
// further messages. Its fields are set before the first call; its methods may
// be called concurrently.
type Pool struct {
	Open func(ctx context.Context) (*Client, error) // dials and logs in
	Max  int                                        // sessions at once; 0: 4

	once   sync.Once
	tokens chan struct{}
	mu     sync.Mutex
	idle   []*Client
	closed bool
}

// ErrPoolClosed is a call after Close.
var ErrPoolClosed = errors.New("smtp: pool is closed")

// Get takes a session out, waiting for one to be free. Put gives it back.
func (p *Pool) Get(ctx context.Context) (*Client, error) {
	p.once.Do(func() {
		n := p.Max
		if n <= 0 {
			n = 4
		}
		p.tokens = make(chan struct{}, n)
	})
	select {
	case p.tokens <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := p.session(ctx)
	if err != nil {
		<-p.tokens
	}
	return c, err
}

// session is one that rested and still stands, or a new one.
func (p *Pool) session(ctx context.Context) (*Client, error) {
	for {
		c, err := p.take()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return p.Open(ctx)
		}
		if c.Reset(ctx) == nil { // the server may have hung up meanwhile
			return c, nil
		}
		c.Close()
	}
}

func (p *Pool) take() (*Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrPoolClosed
	}
	if len(p.idle) == 0 {
		return nil, nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c, nil
}

// Put gives a session back that Get gave; one that is broken is closed.
func (p *Pool) Put(c *Client) {
	p.mu.Lock()
	if c.broken || p.closed {
		c.Close()
	} else {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	<-p.tokens
}

// Send sends a message as Client.Send does, in a session of the pool.
func (p *Pool) Send(ctx context.Context, m Message) (Receipt, error) {
	c, err := p.Get(ctx)
	if err != nil {
		return Receipt{}, err
	}
	defer p.Put(c)
	return c.Send(ctx, m)
}

// Close closes the sessions at rest, saying goodbye as long as ctx lets it, and
// the others when they are put back.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	idle := p.idle
	p.closed, p.idle = true, nil
	p.mu.Unlock()
	var err error
	for _, c := range idle {
		err = errors.Join(err, c.Quit(ctx))
	}
	return err
}
