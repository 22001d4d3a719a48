package nntp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/wire"
)

// Group selects a group, and gives its marks; its first article becomes the
// current one. ErrNoGroup.
func (c *Client) Group(ctx context.Context, name string) (Group, error) {
	r, err := c.Cmd(ctx, "GROUP", name)
	if err != nil {
		return Group{}, err
	}
	return c.selected(r)
}

func (c *Client) selected(r Reply) (Group, error) {
	g, err := parseSelected(r.Text)
	if err != nil {
		c.broken = true
		return g, fmt.Errorf("%w: %.100q", err, r.Text)
	}
	return g, nil
}

// ListGroup selects a group and gives the numbers of its articles within a
// range; From(0) is all. The Range is RFC 3977's: older servers give all.
func (c *Client) ListGroup(ctx context.Context, name string, r Range) (Group, []int64, error) {
	arg := name
	if r != From(0) {
		arg += " " + r.String()
	}
	reply, err := c.Cmd(ctx, "LISTGROUP", arg)
	if err != nil {
		return Group{}, nil, err
	}
	var numbers []int64
	for n, err := range each(func(yield func(string, error) bool) { c.lines(ctx, yield) }, parseListed) {
		if err != nil {
			return Group{}, nil, err
		}
		if r.Has(n) {
			numbers = append(numbers, n)
		}
	}
	g, err := parseSelected(reply.Text)
	if err != nil { // RFC 2980 has no marks here
		g = Group{Name: name, Count: -1}
	}
	return g, numbers, nil
}

func parseListed(line string) (int64, error) {
	n, err := parseNumber(line)
	if err != nil {
		return 0, ErrReply
	}
	return n, nil
}

// A Ref names an article: by its identifier, or by its number in the group that
// is selected. The zero Ref is the current article.
type Ref struct {
	ID     string // with its angle brackets
	Number int64
}

// ByID names an article by its identifier, ByNumber by its number.
func ByID(id string) Ref { return Ref{ID: id} }

// ByNumber is the other way; see ByID.
func ByNumber(n int64) Ref { return Ref{Number: n} }

// arg is what a command says.
func (r Ref) arg() (string, error) {
	switch {
	case r.ID != "" && !isID(r.ID):
		return "", fmt.Errorf("%w: %.100q is no message-id", ErrCommand, r.ID)
	case r.ID != "":
		return r.ID, nil
	case r.Number > 0:
		return itoa(r.Number), nil
	}
	return "", nil
}

// Stat tells whether an article is there, and gives both its names; Number is 0
// where the server does not know it. ErrNoArticle.
func (c *Client) Stat(ctx context.Context, ref Ref) (Ref, error) {
	arg, err := ref.arg()
	if err != nil {
		return Ref{}, err
	}
	return c.named(ctx, "STAT", arg)
}

// Next makes the next article the current one, Last the one before.
// ErrNoArticle.
func (c *Client) Next(ctx context.Context) (Ref, error) { return c.named(ctx, "NEXT", "") }

// Last is the other way; see Next.
func (c *Client) Last(ctx context.Context) (Ref, error) { return c.named(ctx, "LAST", "") }

func (c *Client) named(ctx context.Context, verb, arg string) (Ref, error) {
	r, err := c.Cmd(ctx, verb, arg)
	if err != nil {
		return Ref{}, err
	}
	return c.refOf(r)
}

// refOf reads what a reply says of an article. Servers are known that leave the
// identifier out.
func (c *Client) refOf(r Reply) (Ref, error) {
	n, err := r.number(0)
	if err != nil {
		c.broken = true
		return Ref{}, fmt.Errorf("%w: %.100q", err, r.Text)
	}
	return Ref{ID: r.word(1), Number: n}, nil
}

// A Body is an article, or half of one, as it comes. It is to be read to its
// end or closed before the Client does anything else.
type Body struct {
	Ref
	c   *Client
	ctx context.Context
	b   *wire.Block
	err error
}

func (c *Client) open(ctx context.Context, ref Ref) *Body {
	c.body = &Body{Ref: ref, c: c, ctx: ctx, b: c.c.R.Block()}
	return c.body
}

// Read gives the text, with CRLF as line ends. io.EOF: that was all of it, and
// the server has said so; a connection that ends before is io.ErrUnexpectedEOF.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	var n int
	var err error
	if within := b.c.c.Within(b.ctx, func() error { n, err = b.b.Read(p); return err }); within != io.EOF {
		err = within
	}
	if err != nil && err != io.EOF {
		b.c.broken = true
		err = fmt.Errorf("nntp: %w", unexpected(err))
	}
	b.err = err
	return n, err
}

// unexpected makes an early end of the stream what it is within a text.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("nntp: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Close passes over what was not read. To leave a long text early, close the
// Client.
func (b *Body) Close() error {
	p := wire.Get(wire.Large)
	defer wire.Put(p)
	for b.err == nil {
		_, _ = b.Read(p) // its error stays
	}
	if b.err == io.EOF {
		return nil
	}
	return b.err
}

// Article fetches an article, Head its header, Body what comes after it.
// ErrNoArticle.
func (c *Client) Article(ctx context.Context, ref Ref) (*Body, error) {
	return c.text(ctx, "ARTICLE", ref)
}

// Body is the text without the header; see Article.
func (c *Client) Body(ctx context.Context, ref Ref) (*Body, error) { return c.text(ctx, "BODY", ref) }

// Head gives the header.
func (c *Client) Head(ctx context.Context, ref Ref) (message.Header, error) {
	b, err := c.text(ctx, "HEAD", ref)
	if err != nil {
		return message.Header{}, err
	}
	h, _, err := message.ReadHeader(b, message.Limits{})
	return h, errors.Join(err, b.Close())
}

func (c *Client) text(ctx context.Context, verb string, ref Ref) (*Body, error) {
	arg, err := ref.arg()
	if err != nil {
		return nil, err
	}
	r, err := c.Cmd(ctx, verb, arg)
	if err != nil {
		return nil, err
	}
	got, err := c.refOf(r)
	if err != nil {
		return nil, err
	}
	return c.open(ctx, got), nil
}

// Fetch fetches articles without waiting for the end of one before it asks for
// the next. Each is to be read within the loop's turn; what is not is dropped. One
// that the server does not have has its Reply as the error, beside a Body with
// the Ref and no text, and the loop goes on; any other error is the last. Within
// the loop the Client can do nothing else.
//
// Whoever leaves the loop early waits for what is on its way, Options.Window
// articles at most, or closes the Client.
func (c *Client) Fetch(ctx context.Context, refs ...Ref) iter.Seq2[*Body, error] {
	return c.fetch(ctx, "ARTICLE", refs)
}

// FetchBodies is Fetch without the headers.
func (c *Client) FetchBodies(ctx context.Context, refs ...Ref) iter.Seq2[*Body, error] {
	return c.fetch(ctx, "BODY", refs)
}

func (c *Client) fetch(ctx context.Context, verb string, refs []Ref) iter.Seq2[*Body, error] {
	return func(yield func(*Body, error) bool) {
		if err := c.free(); err != nil {
			yield(&Body{err: err}, err)
			return
		}
		c.piping = true
		defer func() { c.piping = false }()
		wanted := true
		for said, heard := 0, 0; heard < len(refs); heard++ {
			for ; wanted && said < len(refs) && said-heard < c.window(); said++ {
				arg, err := refs[said].arg()
				if err == nil {
					err = c.put(verb, arg)
				}
				if err != nil {
					c.broken = said > heard
					yield(&Body{Ref: refs[said], err: err}, err)
					return
				}
			}
			if heard == said { // nobody wants more
				return
			}
			b, err := c.fetched(ctx, refs[heard])
			if wanted {
				wanted = yield(b, err)
			}
			if err == nil {
				err = b.Close()
			}
			if err != nil && !refused(err) {
				if wanted && b.b != nil {
					yield(b, err)
				}
				return
			}
		}
	}
}

func (c *Client) fetched(ctx context.Context, ref Ref) (*Body, error) {
	r, err := c.answer(ctx, 2)
	if err != nil {
		return &Body{Ref: ref, err: err}, err
	}
	got, err := c.refOf(r)
	if err != nil {
		return &Body{Ref: ref, err: err}, err
	}
	if got.ID == "" {
		got.ID = ref.ID
	}
	return c.open(ctx, got), nil
}

// window is how many commands may be on their way.
func (c *Client) window() int {
	if c.o.Window > 0 {
		return c.o.Window
	}
	return 32
}

// NewGroups gives the groups that were made since a time.
func (c *Client) NewGroups(ctx context.Context, since time.Time) iter.Seq2[Group, error] {
	return each(c.CmdLines(ctx, "NEWGROUPS", string(appendTime(nil, since))), parseActive)
}

// NewNews gives the identifiers of the articles that came since a time, in
// groups that the wildmat means.
func (c *Client) NewNews(ctx context.Context, w Wildmat, since time.Time) iter.Seq2[string, error] {
	return each(c.CmdLines(ctx, "NEWNEWS", string(appendTime(append(w.Append(nil), ' '), since))), func(line string) (string, error) {
		if !isID(line) {
			return "", ErrReply
		}
		return line, nil
	})
}
