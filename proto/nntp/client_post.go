package nntp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/wire"
)

// Post posts an article, which is read to its end; LF as line ends will do. What
// it lacks of Message-ID, Date and Path the server puts in. id is what the
// server says it is called, or "". ErrNotAllowed; another Reply is the server's
// reason not to take it. When the article cannot be read the Client is broken,
// and the server has nothing.
func (c *Client) Post(ctx context.Context, article io.Reader) (id string, err error) {
	r, err := c.send(ctx, 340, "POST", "", article)
	if err != nil {
		return "", err
	}
	for i := 0; ; i++ {
		word := r.word(i)
		if word == "" || isID(word) {
			return word, nil
		}
	}
}

// IHave offers an article to a server, and sends it if it is wanted, in one
// piece with its Path and Message-ID. ErrNotWanted: the server has it, or does
// not take it; ErrLater: it may another time.
func (c *Client) IHave(ctx context.Context, id string, article io.Reader) error {
	if !isID(id) {
		return fmt.Errorf("%w: %.100q is no message-id", ErrCommand, id)
	}
	_, err := c.send(ctx, 335, "IHAVE", id, article)
	return err
}

// send says a command, and the article once it is asked for.
func (c *Client) send(ctx context.Context, code int, verb, arg string, article io.Reader) (Reply, error) {
	if err := c.expect(ctx, code, verb, arg); err != nil {
		return Reply{}, err
	}
	if err := c.block(ctx, article); err != nil {
		return Reply{}, err
	}
	return c.answer(ctx, 2)
}

// block sends a text.
func (c *Client) block(ctx context.Context, text io.Reader) error {
	err := c.within(ctx, func() error { return c.c.W.Block(text) })
	if err != nil {
		return fmt.Errorf("nntp: sending: %w", err)
	}
	return nil
}

// PostMessage posts what message.Builder has; groups are put in as its
// Newsgroups.
func (c *Client) PostMessage(ctx context.Context, m message.Builder, groups ...string) (id string, err error) {
	var list []byte
	for i, g := range groups {
		if !message.ValidNewsgroup(g) {
			return "", fmt.Errorf("%w: %.100q is no newsgroup", ErrCommand, g)
		}
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, g...)
	}
	h := message.Header{Fields: append([]message.Field(nil), m.Header.Fields...)}
	if err := h.Set("Newsgroups", string(list)); err != nil {
		return "", err
	}
	m.Header = h
	r, w := io.Pipe()
	go func() {
		_, err := m.WriteTo(w)
		w.CloseWithError(err)
	}()
	id, err = c.Post(ctx, r)
	return id, errors.Join(err, r.Close())
}

// An Offer is an article that a Feed has for a server.
type Offer struct {
	ID string
	// Open opens the text, with CRLF or LF as line ends. It is called only if
	// the server wants it, perhaps twice: once more after a connection broke.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Fed is what became of an Offer: nil as the error beside it says that the
// server has taken it; ErrNotWanted that it need not be offered again; ErrLater
// that it is to be.
type Fed struct {
	Offer
	Sent bool // the text went over
}

// Feed offers articles to a server and sends those that it wants, many on their
// way at once: by CHECK and TAKETHIS where the server knows streaming (RFC 4644),
// one after the other by IHAVE where not. Each Offer comes back once, in the
// order in which its fate was decided. An error that is neither ErrNotWanted nor
// ErrLater is the last, and the Client can then only be closed; what has not come
// back is to be offered again. The Client is best one of Options.NoReader.
func (c *Client) Feed(ctx context.Context, offers iter.Seq[Offer]) iter.Seq2[Fed, error] {
	return func(yield func(Fed, error) bool) {
		streams, err := c.streams(ctx)
		if err != nil {
			yield(Fed{}, err)
			return
		}
		if !streams {
			c.feedSingly(ctx, offers, yield)
			return
		}
		next, stop := iter.Pull(offers)
		defer stop()
		f := &streamer{c: c, next: next, yield: yield}
		c.piping = true
		defer func() { c.piping = false }()
		if err := f.run(ctx); err != nil {
			c.broken = true
			yield(Fed{}, err)
		}
	}
}

// streams asks for streaming.
func (c *Client) streams(ctx context.Context) (bool, error) {
	caps, err := c.Capabilities(ctx)
	if err != nil || len(caps) > 0 && !caps.Has("STREAMING") {
		return false, err
	}
	_, err = c.Cmd(ctx, "MODE", "STREAM")
	if refused(err) {
		return false, nil
	}
	return err == nil, err
}

func (c *Client) feedSingly(ctx context.Context, offers iter.Seq[Offer], yield func(Fed, error) bool) {
	for o := range offers {
		sent, err := c.offer(ctx, o)
		more := yield(Fed{o, sent}, err)
		if !more || err != nil && !decided(err) {
			return
		}
	}
}

// decided tells the fate of one article from the end of all.
func decided(err error) bool { return errors.Is(err, ErrNotWanted) || errors.Is(err, ErrLater) }

func (c *Client) offer(ctx context.Context, o Offer) (sent bool, err error) {
	if !isID(o.ID) {
		return false, fmt.Errorf("%w: %.100q is no message-id", ErrNotWanted, o.ID)
	}
	if err := c.expect(ctx, 335, "IHAVE", o.ID); err != nil {
		return false, err
	}
	if err := c.sendOffer(ctx, o); err != nil {
		return false, err
	}
	_, err = c.answer(ctx, 2)
	return true, err
}

func (c *Client) sendOffer(ctx context.Context, o Offer) error {
	text, err := o.Open(ctx)
	if err != nil {
		c.broken = true
		return fmt.Errorf("nntp: opening %s: %w", o.ID, err)
	}
	return errors.Join(c.block(ctx, text), text.Close())
}

// streamer is a streaming Feed. Commands that were said wait in queue for their
// answers, which come in the same order (RFC 4644 section 2.1).
type streamer struct {
	c       *Client
	next    func() (Offer, bool)
	yield   func(Fed, error) bool
	queue   []feeding
	wanted  []Offer // checked, to be sent
	drained bool    // next has no more, or nobody wants more
	left    bool    // nobody listens
}

type feeding struct {
	Offer
	take bool // TAKETHIS, not CHECK
}

// maxTaking is how many articles are on their way at once: their answers, and
// those to a window of CHECK, are to fit into what a connection holds, for we read
// them when all of that has been sent. A server that makes articles durable can do
// it for those that lie there together.
const maxTaking = 128

func (f *streamer) run(ctx context.Context) error {
	for {
		if err := f.say(ctx); err != nil {
			return err
		}
		if len(f.queue) == 0 {
			return nil
		}
		if err := f.hear(ctx); err != nil {
			return err
		}
	}
}

// say fills the window, articles first.
func (f *streamer) say(ctx context.Context) error {
	for len(f.wanted) > 0 && f.taking() < maxTaking {
		o := f.wanted[0]
		f.wanted = f.wanted[1:]
		if f.left {
			continue
		}
		f.c.c.W.Grow(wire.Large)
		if err := f.c.put("TAKETHIS", o.ID); err != nil {
			return err
		}
		if err := f.c.sendOffer(ctx, o); err != nil {
			return err
		}
		f.queue = append(f.queue, feeding{o, true})
	}
	for !f.drained && len(f.queue) < f.c.window() && len(f.wanted) < f.c.window() {
		o, ok := f.next()
		if !ok {
			f.drained = true
			return nil
		}
		if !isID(o.ID) {
			f.tell(Fed{o, false}, fmt.Errorf("%w: %.100q is no message-id", ErrNotWanted, o.ID))
			continue
		}
		if err := f.c.put("CHECK", o.ID); err != nil {
			return err
		}
		f.queue = append(f.queue, feeding{o, false})
	}
	return nil
}

func (f *streamer) taking() int {
	n := 0
	for _, q := range f.queue {
		if q.take {
			n++
		}
	}
	return n
}

func (f *streamer) tell(fed Fed, err error) {
	if !f.left && !f.yield(fed, err) {
		f.left, f.drained = true, true
	}
}

// hear takes the answer to the oldest command.
func (f *streamer) hear(ctx context.Context) error {
	head := f.queue[0]
	r, err := f.c.answer(ctx, 2)
	if err != nil && !refused(err) {
		return err
	}
	if id := r.word(0); id != head.ID && (r.Code == 238 || r.Code == 431 || r.Code == 438 || r.Code == 239 || r.Code == 439) {
		return fmt.Errorf("%w: %d for %.100q, not for %s", ErrReply, r.Code, id, head.ID)
	}
	f.queue = f.queue[1:]
	switch {
	case r.Code == 238 && !head.take:
		f.wanted = append(f.wanted, head.Offer)
	case r.Code == 239 && head.take:
		f.tell(Fed{head.Offer, true}, nil)
	case (r.Code == 431 || r.Code == 438) && !head.take, r.Code == 439 && head.take:
		f.tell(Fed{head.Offer, head.take}, r)
	default:
		return r // 400, 480, 500: there is no point in going on
	}
	return nil
}
