package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/farend-go/farend/proto/internal/pool"
)

// A Pool shares sessions with one server among goroutines, for transfers at the
// same time. Its fields are set before the first call; its methods may be
// called concurrently. Sessions in it share nothing, no TLS session either.
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
	return p.sessions.Get(ctx, most, p.Open, (*Client).Noop)
}

// Put gives a session back that Get gave; one that is broken or busy is closed.
func (p *Pool) Put(c *Client) { p.sessions.Put(c, !c.broken && !c.busy) }

// Do runs f with a session.
func (p *Pool) Do(ctx context.Context, f func(c *Client) error) error {
	c, err := p.Get(ctx)
	if err != nil {
		return err
	}
	defer p.Put(c)
	return f(c)
}

// Close closes the sessions at rest, and the others when they are put back.
func (p *Pool) Close() error { return p.sessions.Close((*Client).Close) }

// Download fetches a file in segments at the same time, one session each, and
// returns its size; from a server that refuses REST it comes in one. What w
// holds after an error is not to be used. A file that changes meanwhile is an
// error where its size or time tell of it.
func (p *Pool) Download(ctx context.Context, name string, w io.WriterAt, segments int) (int64, error) {
	var before Entry
	err := p.Do(ctx, func(c *Client) (err error) {
		before, err = c.identity(ctx, name)
		return err
	})
	if err != nil {
		return 0, err
	}
	size := before.Size
	err = p.segments(ctx, name, w, size, max(1, min(int64(segments), size)))
	if errors.Is(err, errNoREST) {
		err = p.segments(ctx, name, w, size, 1)
	}
	if err != nil {
		return 0, err
	}
	return size, p.Do(ctx, func(c *Client) error {
		after, err := c.identity(ctx, name)
		if err == nil && (after.Size != size || !after.Time.Equal(before.Time)) {
			err = fmt.Errorf("ftp: %q has changed meanwhile", name)
		}
		return err
	})
}

// segments fetches a file of that size in n segments.
func (p *Pool) segments(ctx context.Context, name string, w io.WriterAt, size, n int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			err := p.Do(ctx, func(c *Client) error { return c.segment(ctx, name, w, size*i/n, size*(i+1)/n, size) })
			if err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// identity is size and time of a file, the latter if the server tells.
func (c *Client) identity(ctx context.Context, name string) (Entry, error) {
	size, err := c.Size(ctx, name)
	if err != nil {
		return Entry{}, err
	}
	t, err := c.ModTime(ctx, name)
	return Entry{Size: size, Time: t}, notReply(err)
}

// segment fetches bytes from to to.
func (c *Client) segment(ctx context.Context, name string, w io.WriterAt, from, to, size int64) error {
	b, err := c.Retrieve(ctx, name, RetrieveOptions{Offset: from, Size: size})
	if err != nil {
		return err
	}
	defer b.Close()
	n, err := io.Copy(io.NewOffsetWriter(w, from), io.LimitReader(b, to-from))
	if err == nil && n < to-from {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && to == size { // the last one hears whether all is well
		_, err = io.Copy(io.Discard, b)
	}
	return err
}
