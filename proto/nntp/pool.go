package nntp

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/farend-go/farend/proto/internal/pool"
)

// A Pool downloads over several sessions with one server at once, and keeps them
// for the next time. Its fields are set before the first call; its methods may
// be called concurrently, and each call has sessions of its own.
type Pool struct {
	Open func(ctx context.Context) (*Client, error) // dials and logs in
	Max  int                                        // sessions of one call; 0: 4

	sessions pool.Pool[*Client]
}

// ErrPoolClosed is a call after Close.
var ErrPoolClosed = pool.ErrClosed

// batch is how many articles one session asks for before it looks what is left.
const batch = 64

// Fetch fetches articles, each once, in no order; group is selected first, ""
// for none. do is called for each, by several goroutines at once, and reads the
// body before it returns; what it does not read is dropped. An article that the
// server does not have comes with its Reply. The first error that do returns
// ends the download, and so does a session that cannot be opened. What was on its
// way when a connection broke is asked for again, over another one, once: do is
// told of a body that broke off, by the error of its Read, and may be called
// again for that article.
func (p *Pool) Fetch(ctx context.Context, group string, refs []Ref, do func(b *Body, err error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := &download{refs: refs, group: group, do: do, again: map[Ref]bool{}}
	sessions := p.Max
	if sessions <= 0 {
		sessions = 4
	}
	var wg sync.WaitGroup
	for range min(sessions, (len(refs)+batch-1)/batch) {
		wg.Go(func() {
			if err := p.work(ctx, work); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// download is what several sessions share.
type download struct {
	group string
	do    func(b *Body, err error) error

	mu    sync.Mutex
	refs  []Ref // still to be asked for
	again map[Ref]bool
}

func (d *download) take() []Ref {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(batch, len(d.refs))
	some := d.refs[:n:n]
	d.refs = d.refs[n:]
	return some
}

// back gives what was not fetched to others; false where it was so before.
func (d *download) back(refs []Ref) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ref := range refs[:min(1, len(refs))] {
		if d.again[ref] {
			return false
		}
		d.again[ref] = true
	}
	d.refs = append(slices.Clip(d.refs), refs...)
	return true
}

// work is one session's part, which ends when nothing is left.
func (p *Pool) work(ctx context.Context, d *download) error {
	var c *Client
	defer func() { p.put(c) }()
	for {
		some := d.take()
		if len(some) == 0 {
			return nil
		}
		var err error
		if c == nil || c.Broken() {
			p.put(c)
			if c, err = p.session(ctx, d.group); err != nil {
				return err
			}
		}
		left, err := d.fetch(ctx, c, some)
		if err != nil && (ctx.Err() != nil || len(left) == 0 || !d.back(left)) {
			return err
		}
	}
}

// fetch fetches some, and gives those that were not.
func (d *download) fetch(ctx context.Context, c *Client, some []Ref) (left []Ref, err error) {
	n := 0
	for b, err := range c.Fetch(ctx, some...) {
		if err != nil && !refused(err) {
			return some[n:], err
		}
		if err := d.do(b, err); err != nil {
			return nil, errors.Join(err, c.Close()) // what is on its way is not waited for
		}
		if err == nil && b.Close() != nil {
			return some[n:], b.err
		}
		n++
	}
	return some[n:], nil
}

// session is one that rested, or a new one, with group selected.
func (p *Pool) session(ctx context.Context, group string) (*Client, error) {
	c, err := p.sessions.Get(ctx, 0, p.Open, (*Client).alive)
	if err != nil || group == "" {
		return c, err
	}
	if _, err := c.Group(ctx, group); err != nil {
		p.put(c)
		return nil, err
	}
	return c, nil
}

// alive tells whether the server has not hung up meanwhile.
func (c *Client) alive(ctx context.Context) error {
	if _, err := c.Date(ctx); !refused(err) {
		return err
	}
	return nil
}

// put keeps a session for the next time.
func (p *Pool) put(c *Client) {
	if c != nil {
		p.sessions.Put(c, c.free() == nil)
	}
}

// Close ends the sessions at rest, saying goodbye as long as ctx lets it, and
// the others when their call has ended.
func (p *Pool) Close(ctx context.Context) error {
	return p.sessions.Close(func(c *Client) error { return c.Quit(ctx) })
}
