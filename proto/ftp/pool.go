package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A Pool shares sessions with one server among goroutines, for transfers at the
// same time. Its fields are set before the first call; its methods may be
// called concurrently. Sessions in it share nothing, no TLS session either.
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
var ErrPoolClosed = errors.New("ftp: pool is closed")

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
	for {
		c, err := p.take()
		if err != nil {
			<-p.tokens
			return nil, err
		}
		if c == nil {
			break
		}
		if c.Noop(ctx) == nil { // the server may have hung up meanwhile
			return c, nil
		}
		c.Close()
	}
	c, err := p.Open(ctx)
	if err != nil {
		<-p.tokens
		return nil, err
	}
	return c, nil
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

// Put gives a session back that Get gave; one that is broken or busy is closed.
func (p *Pool) Put(c *Client) {
	p.mu.Lock()
	if c.broken || c.busy || p.closed {
		c.Close()
	} else {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	<-p.tokens
}

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
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var err error
	for _, c := range p.idle {
		err = errors.Join(err, c.Close())
	}
	p.idle = nil
	return err
}

// Download fetches a file in segments at the same time, one session each, and
// returns its size. What w holds after an error is not to be used. A file that
// changes meanwhile is an error where its size or time tell of it.
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
	segments = int(max(1, min(int64(segments), size)))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i := range segments {
		from, to := size*int64(i)/int64(segments), size*int64(i+1)/int64(segments)
		all.Go(func() {
			err := p.Do(ctx, func(c *Client) error { return c.segment(ctx, name, w, from, to, size) })
			if err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
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
