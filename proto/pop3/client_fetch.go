package pop3

import (
	"context"
	"io"
	"iter"
	"strconv"
)

// Fetched is a message that has been asked for; never nil.
type Fetched struct {
	Entry
	// Body is to be read within the loop's turn; what is not is dropped. nil
	// beside an error.
	Body   *Body
	delete bool
}

// Delete has the message marked as deleted when the loop goes on or is left. A
// refusal comes as the error of a turn of its own.
func (m *Fetched) Delete() { m.delete = true }

// Fetch receives messages by their numbers, without waiting for the end of one
// before it asks for the next, where the server knows PIPELINING. A message
// that the server refuses has its Reply as the error, and the loop goes on; any
// other error is the last. Within the loop the Client can do nothing else.
//
// Whoever leaves the loop early waits for what is on its way, Options.Window
// messages at most, or closes the Client.
func (c *Client) Fetch(ctx context.Context, numbers ...int) iter.Seq2[*Fetched, error] {
	var all []Entry
	for _, n := range numbers {
		all = append(all, Entry{Number: n, Size: -1})
	}
	return func(yield func(*Fetched, error) bool) { c.fetch(ctx, all, nil, yield) }
}

// New is Fetch for the messages that the journal does not know, with their
// sizes and unique ids. A message whose Body was read to its end is noted there
// when the loop goes on, so that one may come twice after a failure, but none is
// lost; Delete is said only then. What the server has no more is forgotten. A
// server without UIDL refuses with a Reply.
func (c *Client) New(ctx context.Context, j Journal) iter.Seq2[*Fetched, error] {
	return func(yield func(*Fetched, error) bool) {
		all, err := c.unseen(ctx, j)
		if err != nil {
			yield(&Fetched{}, err)
			return
		}
		c.fetch(ctx, all, func(uid string) error { return j.Add(ctx, uid) }, yield)
	}
}

// unseen is what the journal does not know.
func (c *Client) unseen(ctx context.Context, j Journal) ([]Entry, error) {
	all, err := c.Messages(ctx)
	if err != nil {
		return nil, err
	}
	var fresh []Entry
	uids := make([]string, 0, len(all))
	for _, e := range all {
		seen, err := j.Seen(ctx, e.UID)
		if err != nil {
			return nil, err
		}
		if !seen {
			fresh = append(fresh, e)
		}
		uids = append(uids, e.UID)
	}
	return fresh, j.Keep(ctx, uids)
}

// pipeline is the commands of a Fetch.
type pipeline struct {
	c      *Client
	window int
	todo   []Entry
	queue  []sent // on their way
}

// sent is a command whose answer is still to come: RETR or DELE.
type sent struct {
	Entry
	dele bool
}

func (c *Client) fetch(ctx context.Context, all []Entry, done func(uid string) error, yield func(*Fetched, error) bool) {
	window, err := c.window(ctx)
	if err == nil {
		err = c.free()
	}
	if err != nil {
		yield(&Fetched{}, err)
		return
	}
	p := &pipeline{c: c, window: window, todo: all}
	c.piping = true
	defer p.end()
	for {
		m, err := p.next(ctx)
		if m == nil && err == nil {
			return
		}
		more := yield(m, err)
		switch {
		case err == nil:
			err = p.finish(m, done, more)
		case refused(err):
			err = nil
		default:
			return
		}
		if !more {
			p.drain(ctx)
			return
		}
		if err != nil {
			yield(m, err)
			return
		}
	}
}

// end leaves the Client usable, if nothing is on its way.
func (p *pipeline) end() {
	p.c.piping = false
	if len(p.queue) > 0 {
		p.c.broken = true
	}
}

// next hears the next answer; nil when there is none to come.
func (p *pipeline) next(ctx context.Context) (*Fetched, error) {
	for {
		for len(p.todo) > 0 && len(p.queue) < p.window {
			if err := p.say("RETR", sent{Entry: p.todo[0]}); err != nil {
				return &Fetched{Entry: p.todo[0]}, err
			}
			p.todo = p.todo[1:]
		}
		if len(p.queue) == 0 {
			return nil, nil
		}
		head := p.queue[0]
		r, err := p.c.answer(ctx)
		if err == nil || refused(err) {
			p.queue = p.queue[1:]
		}
		switch {
		case err != nil:
			return &Fetched{Entry: head.Entry}, err
		case !head.dele:
			return &Fetched{Entry: head.Entry, Body: p.c.open(ctx, r)}, nil
		}
	}
}

func (p *pipeline) say(verb string, s sent) error {
	if err := p.c.put(Command{verb, strconv.Itoa(s.Number)}); err != nil {
		return err
	}
	p.queue = append(p.queue, s)
	return nil
}

// finish is the end of a message's turn.
func (p *pipeline) finish(m *Fetched, done func(uid string) error, more bool) error {
	whole := m.Body.err == io.EOF
	if err := m.Body.Close(); err != nil {
		return err
	}
	if whole && more && done != nil {
		if err := done(m.UID); err != nil {
			return err
		}
	}
	if m.delete {
		return p.say("DELE", sent{Entry: m.Entry, dele: true})
	}
	return nil
}

// drain hears what is on its way and drops it.
func (p *pipeline) drain(ctx context.Context) {
	p.todo = nil
	for len(p.queue) > 0 {
		m, err := p.next(ctx)
		if err == nil && m != nil {
			err = m.Body.Close()
		}
		if err != nil && !refused(err) {
			return
		}
	}
}
