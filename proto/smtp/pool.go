package smtp

import (
	"context"

	"github.com/farend-go/farend/proto/internal/pool"
)

// A Pool shares sessions with one server among goroutines and keeps them for
// further messages. Its fields are set before the first call; its methods may
// be called concurrently.
type Pool struct {
	Open func(ctx context.Context) (*Client, error) // dials and logs in
	Max  int                                        // sessions at once; 0: 4

	sessions pool.Pool[*Client]
}

// ErrPoolClosed is a call after Close.
var ErrPoolClosed = pool.ErrClosed

// Get takes a session out, waiting for one to be free. Put gives it back.
func (p *Pool) Get(ctx context.Context) (*Client, error) {
	most := p.Max
	if most <= 0 {
		most = 4
	}
	return p.sessions.Get(ctx, most, p.Open, (*Client).Reset)
}

// Put gives a session back that Get gave; one that is broken is closed.
func (p *Pool) Put(c *Client) { p.sessions.Put(c, !c.broken) }

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
	return p.sessions.Close(func(c *Client) error { return c.Quit(ctx) })
}
