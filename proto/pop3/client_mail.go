package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/farend-go/farend/wire"
)

// Stat is how many messages there are, and their size together (STAT).
func (c *Client) Stat(ctx context.Context) (count int, size int64, err error) {
	r, err := c.Cmd(ctx, "STAT", "")
	if err != nil {
		return 0, 0, err
	}
	var n int64
	if err := numbers(r.Text, &n, &size); err != nil || n > maxNumber {
		return 0, 0, fmt.Errorf("%w: STAT: %.100q", ErrReply, r.Text)
	}
	return int(n), size, nil
}

// List is the messages with their sizes (LIST).
func (c *Client) List(ctx context.Context) ([]Entry, error) { return c.listing(ctx, "LIST", parseScan) }

// UIDs is the messages with their unique ids (UIDL); sizes are -1.
func (c *Client) UIDs(ctx context.Context) ([]Entry, error) { return c.listing(ctx, "UIDL", parseUID) }

func (c *Client) listing(ctx context.Context, verb string, parse func(string) (Entry, error)) ([]Entry, error) {
	if err := c.write(Command{Verb: verb}); err != nil {
		return nil, err
	}
	return c.entries(ctx, verb, parse)
}

// entries hears a listing.
func (c *Client) entries(ctx context.Context, verb string, parse func(string) (Entry, error)) ([]Entry, error) {
	var all []Entry
	if _, err := c.answer(ctx); err != nil {
		return nil, err
	}
	err := c.lines(ctx, func(line string) error {
		e, err := parse(line)
		if err != nil {
			return fmt.Errorf("%w: %s: %.100q", err, verb, line)
		}
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Messages is the messages with sizes and unique ids (LIST and UIDL, in one
// flight where the server knows PIPELINING).
func (c *Client) Messages(ctx context.Context) ([]Entry, error) {
	window, err := c.window(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.write(Command{Verb: "UIDL"}); err != nil {
		return nil, err
	}
	if window > 1 {
		if err := c.put(Command{Verb: "LIST"}); err != nil {
			return nil, err
		}
	}
	all, uidErr := c.entries(ctx, "UIDL", parseUID)
	if uidErr != nil && !refused(uidErr) {
		return nil, uidErr
	}
	if window == 1 {
		if err := c.put(Command{Verb: "LIST"}); err != nil {
			return nil, err
		}
	}
	sizes, err := c.entries(ctx, "LIST", parseScan)
	if err := errors.Join(uidErr, err); err != nil {
		return nil, err
	}
	size := make(map[int]int64, len(sizes))
	for _, e := range sizes {
		size[e.Number] = e.Size
	}
	for i, e := range all {
		if n, ok := size[e.Number]; ok {
			all[i].Size = n
		}
	}
	return all, nil
}

// window is how many commands may be on their way.
func (c *Client) window(ctx context.Context) (int, error) {
	caps, err := c.Capabilities(ctx)
	switch {
	case err != nil:
		return 0, err
	case !caps.Has("PIPELINING"):
		return 1, nil
	case c.o.Window == 0:
		return 16, nil
	}
	return max(c.o.Window, 1), nil
}

// Size is the size of a message (LIST with its number).
func (c *Client) Size(ctx context.Context, number int) (int64, error) {
	e, err := c.one(ctx, "LIST", number, parseScan)
	return e.Size, err
}

// UID is the unique id of a message (UIDL with its number).
func (c *Client) UID(ctx context.Context, number int) (string, error) {
	e, err := c.one(ctx, "UIDL", number, parseUID)
	return e.UID, err
}

func (c *Client) one(ctx context.Context, verb string, number int, parse func(string) (Entry, error)) (Entry, error) {
	r, err := c.Cmd(ctx, verb, strconv.Itoa(number))
	if err != nil {
		return Entry{}, err
	}
	e, err := parse(r.Text)
	if err != nil || e.Number != number {
		return Entry{}, fmt.Errorf("%w: %s %d: %.100q", ErrReply, verb, number, r.Text)
	}
	return e, nil
}

// Delete marks messages, which Quit deletes. The first refusal is returned, and
// the others are marked all the same.
func (c *Client) Delete(ctx context.Context, numbers ...int) error {
	window, err := c.window(ctx)
	if err != nil {
		return err
	}
	var first error
	for heard, said := 0, 0; heard < len(numbers); heard++ {
		for ; said < len(numbers) && said < heard+window; said++ {
			if err := c.write(Command{"DELE", strconv.Itoa(numbers[said])}); err != nil {
				return err
			}
		}
		_, err := c.answer(ctx)
		if err != nil && !refused(err) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// Reset unmarks all messages (RSET).
func (c *Client) Reset(ctx context.Context) error {
	_, err := c.Cmd(ctx, "RSET", "")
	return err
}

// A Body is a message on its way, lines ending with CRLF. It belongs to the
// Client, which can do nothing else until Read has returned io.EOF or Close was
// called.
type Body struct {
	Reply  Reply // how the server announced it
	within func(f func() error) error
	block  *wire.Block
	err    error
}

// Retrieve begins to receive a message (RETR). ctx bounds the whole of it, also
// the reads of the Body, which the caller closes.
func (c *Client) Retrieve(ctx context.Context, number int) (*Body, error) {
	return c.message(ctx, "RETR", strconv.Itoa(number))
}

// Top begins to receive a message's header and so many lines of what follows
// (TOP), as Retrieve does.
func (c *Client) Top(ctx context.Context, number, lines int) (*Body, error) {
	return c.message(ctx, "TOP", strconv.Itoa(number)+" "+strconv.Itoa(lines))
}

func (c *Client) message(ctx context.Context, verb, arg string) (*Body, error) {
	r, err := c.Cmd(ctx, verb, arg)
	if err != nil {
		return nil, err
	}
	return c.open(ctx, r), nil
}

func (c *Client) open(ctx context.Context, r Reply) *Body {
	c.body = &Body{Reply: r, block: c.c.R.Block(), within: func(f func() error) error { return c.within(ctx, f) }}
	return c.body
}

// Read reads. io.EOF comes only at the end that the server has set; a
// connection that ends before is io.ErrUnexpectedEOF, so that half a message is
// never taken for a whole one.
func (b *Body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	b.err = b.within(func() error {
		n, err = b.block.Read(p)
		if err == io.EOF {
			return nil
		}
		return err
	})
	if b.err == nil {
		b.err = err
	}
	return n, b.err
}

// Close reads what is left, for POP3 has no way to do without. To be rid of a
// long message close the Client.
func (b *Body) Close() error {
	if _, err := io.Copy(io.Discard, b); err != nil && b.err != io.EOF {
		return err
	}
	return nil
}
