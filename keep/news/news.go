package news

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
)

// A Backend is the news of a store, as NNTP sees it. Its fields are not changed
// while it serves; its methods may be called concurrently.
type Backend struct {
	Store *newsgroup.Store
	// Obey decides whether a cancel, or the Supersedes of an article, is obeyed:
	// cancel is the article that says so, target the one that is to go, empty
	// where it is not here, and then it is kept from coming. nil: none is
	// (RFC 5537 sections 5.3 and 5.4). What is not obeyed is kept all the same.
	Obey func(ctx context.Context, cancel nntp.Incoming, target message.Header) bool
	// Log hears why a cancel that is obeyed could not be carried out: the article
	// that asks for it is kept and has been taken all the same. nil: silent.
	Log *slog.Logger
}

var (
	_ nntp.Backend  = (*Backend)(nil)
	_ nntp.Poster   = (*Backend)(nil)
	_ nntp.Arrivals = (*Backend)(nil)
)

// translate gives an error of the store the meaning that NNTP knows.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, newsgroup.ErrNoGroup):
		return fmt.Errorf("%w: %w", nntp.ErrNoGroup, err)
	case errors.Is(err, newsgroup.ErrNoArticle):
		return nntp.ErrNoArticle
	}
	for _, refused := range [...]error{
		newsgroup.ErrDuplicate, newsgroup.ErrModerated, newsgroup.ErrReadOnly, newsgroup.ErrTooBig, newsgroup.ErrTooOld, newsgroup.ErrMalformed,
	} {
		if errors.Is(err, refused) {
			return &notWanted{err}
		}
	}
	return err
}

// notWanted is a refusal in the store's words.
type notWanted struct{ error }

// Error is the reason without the package that gives it.
func (n *notWanted) Error() string        { return strings.TrimPrefix(n.error.Error(), "newsgroup: ") }
func (n *notWanted) Unwrap() error        { return n.error }
func (n *notWanted) Is(target error) bool { return target == nntp.ErrNotWanted }

func group(g newsgroup.Group) nntp.Group {
	return nntp.Group{
		Name: g.Name, Low: g.Low, High: g.High, Count: g.Count, Status: string(g.Status),
		Description: g.Description, Created: g.Created, Creator: g.Creator,
	}
}

// Group gives a group.
func (b *Backend) Group(ctx context.Context, name string) (nntp.Group, error) {
	g, err := b.Store.Group(ctx, name)
	return group(g), translate(err)
}

// Groups gives all of them.
func (b *Backend) Groups(ctx context.Context) iter.Seq2[nntp.Group, error] {
	return each(b.Store.Groups(ctx), func(g newsgroup.Group) nntp.Group { return group(g) })
}

// each makes one kind of listing of another.
func each[A, B any](all iter.Seq2[A, error], f func(A) B) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for a, err := range all {
			if err != nil {
				var none B
				yield(none, translate(err))
				return
			}
			if !yield(f(a), nil) {
				return
			}
		}
	}
}

// article is one of the store's.
type article struct{ a newsgroup.Article }

func (a *article) Number() int64                  { return a.a.Number }
func (a *article) ID() string                     { return a.a.ID() }
func (a *article) AppendOverview(b []byte) []byte { return append(b, a.a.Overview...) }

func (a *article) Open(ctx context.Context) (nntp.Text, error) {
	t, err := a.a.Open(ctx)
	if err != nil {
		return nntp.Text{}, translate(err)
	}
	return nntp.Text{Header: t.Header, Body: t.Body, Closer: t}, nil
}

func found(a newsgroup.Article, err error) (nntp.Article, error) {
	if err != nil {
		return nil, translate(err)
	}
	return &article{a}, nil
}

// Article finds an article by its number.
func (b *Backend) Article(ctx context.Context, group string, number int64) (nntp.Article, error) {
	return found(b.Store.Article(ctx, group, number))
}

// ByID finds an article by its identifier.
func (b *Backend) ByID(ctx context.Context, id string) (nntp.Article, error) {
	return found(b.Store.ByID(ctx, id))
}

// Next finds the article behind a number.
func (b *Backend) Next(ctx context.Context, group string, number int64) (nntp.Article, error) {
	return found(b.Store.Next(ctx, group, number))
}

// Previous finds the article before a number.
func (b *Backend) Previous(ctx context.Context, group string, number int64) (nntp.Article, error) {
	return found(b.Store.Previous(ctx, group, number))
}

// Articles gives those of a range.
func (b *Backend) Articles(ctx context.Context, group string, r nntp.Range) iter.Seq2[nntp.Article, error] {
	return each(b.Store.Articles(ctx, group, r.First, r.End()), func(a newsgroup.Article) nntp.Article { return &article{a} })
}

// Numbers gives the numbers of those.
func (b *Backend) Numbers(ctx context.Context, group string, r nntp.Range) iter.Seq2[int64, error] {
	return each(b.Store.Numbers(ctx, group, r.First, r.End()), func(n int64) int64 { return n })
}

// Overview is the store's.
func (b *Backend) Overview() nntp.Format { return b.Store.Overview() }

// Since gives what came.
func (b *Backend) Since(ctx context.Context, t time.Time, match func(group string) bool) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for a, err := range b.Store.Since(ctx, t) {
			if err != nil {
				yield("", translate(err))
				return
			}
			for _, p := range a.Places {
				if !match(p.Group) {
					continue
				}
				if !yield(a.ID, nil) {
					return
				}
				break
			}
		}
	}
}

// Wanted tells whether an article is new.
func (b *Backend) Wanted(ctx context.Context, id string) error {
	known, err := b.Store.Known(ctx, id)
	if err == nil && known {
		err = newsgroup.ErrDuplicate
	}
	return translate(err)
}

// draft is an article that was read.
type draft struct {
	*newsgroup.Draft
	in     nntp.Incoming
	how    newsgroup.Arrival
	target string // what it asks to have removed, if that may be obeyed
}

// Draft reads an article in.
func (b *Backend) Draft(ctx context.Context, in nntp.Incoming) (nntp.Draft, error) {
	header := in.Header.Append(nil)
	size := int64(-1)
	if in.Size >= 0 {
		size = int64(len(header)) + in.Size
	}
	d, err := b.Store.NewDraft(ctx, size)
	if err != nil {
		return nil, translate(err)
	}
	_, err = d.Write(header)
	if err == nil {
		_, err = io.Copy(d, in.Body)
	}
	if err != nil {
		return nil, translate(errors.Join(err, d.Close()))
	}
	out := &draft{Draft: d, how: newsgroup.Arrival{Local: in.Posted}}
	verb, target := control(in.Header)
	if verb != "" {
		out.how.Groups = []string{"control." + verb, "control"}
	}
	if b.Obey != nil && target != "" {
		out.target, out.in = target, in
		out.in.Header, _ = message.ParseHeader(header, message.Limits{Header: len(header)})
		out.in.Body = nil // it has been read
	}
	return out, nil
}

// Take keeps articles.
func (b *Backend) Take(ctx context.Context, drafts ...nntp.Draft) []error {
	all := make([]newsgroup.Addition, len(drafts))
	for i, one := range drafts {
		d := one.(*draft)
		all[i] = newsgroup.Addition{Draft: d.Draft, Arrival: d.how}
	}
	errs := make([]error, len(drafts))
	for i, done := range b.Store.AddAll(ctx, all) {
		errs[i] = translate(done.Err)
		d := drafts[i].(*draft)
		if done.Err != nil || d.target == "" {
			continue
		}
		// The article is here, so it was taken, whatever comes of what it asks for
		// (RFC 5537 section 5.1): who sent it once more would hear that we have it.
		if err := b.obey(ctx, d.in, d.target); err != nil && b.Log != nil {
			b.Log.Error("news: a cancel", "article", d.in.ID, "target", d.target, "error", err)
		}
	}
	return errs
}

// control is the first word of a Control field, and the article that is to go,
// if there is one to go (RFC 5536 sections 3.2.3 and 3.2.12).
func control(h message.Header) (verb, target string) {
	words := strings.Fields(h.Get("Control"))
	if len(words) == 0 {
		return "", strings.TrimSpace(h.Get("Supersedes"))
	}
	verb = strings.ToLower(words[0])
	if verb == "cancel" && len(words) > 1 {
		target = words[1]
	}
	return verb, target
}

// obey removes what an article asks to have removed, if it may ask that.
func (b *Backend) obey(ctx context.Context, in nntp.Incoming, target string) error {
	if !message.ValidMessageID(target) {
		return nil
	}
	a, err := b.Store.ByID(ctx, target)
	var header message.Header
	if err == nil {
		var t *newsgroup.Text
		if t, err = a.Open(ctx); err == nil {
			header, _ = message.ParseHeader(t.Header, message.Limits{})
			err = t.Close()
		}
	}
	if err != nil && !errors.Is(err, newsgroup.ErrNoArticle) {
		return err
	}
	if !b.Obey(ctx, in, header) {
		return nil
	}
	return b.Store.Cancel(ctx, target)
}
