package newsgroup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/store"
)

// An Article is what is known of an article without reading it.
type Article struct {
	// Number is that in the group by which it was asked for; 0 where it was
	// asked for by its identifier.
	Number int64
	// Overview are the fields of its overview behind the number, with tabs
	// between them: Subject, From, Date, Message-ID, References, octets, lines,
	// Xref with its name, and those of Options. Nobody changes it.
	Overview []byte
	Arrived  time.Time
	// Header is how many octets the header has, without Xref and the empty line.
	Header int64

	ref   store.Ref
	store *Store
}

// The fields of an overview that are looked at here.
const (
	fieldID   = 3
	fieldSize = 5
	fieldXref = 7
)

// field is the n-th field of an overview, from 0.
func field(overview []byte, n int) []byte {
	for ; n > 0; n-- {
		i := bytes.IndexByte(overview, '\t')
		if i < 0 {
			return nil
		}
		overview = overview[i+1:]
	}
	f, _, _ := bytes.Cut(overview, []byte{'\t'})
	return f
}

func idOf(overview []byte) string { return string(field(overview, fieldID)) }

// ID is the message identifier.
func (a *Article) ID() string { return idOf(a.Overview) }

// Size is how many octets the article has, with Xref.
func (a *Article) Size() int64 {
	n, _ := strconv.ParseInt(string(field(a.Overview, fieldSize)), 10, 64) // we wrote it
	return n
}

// Xref is the field that the store puts in, with its name and without its end.
func (a *Article) Xref() string { return string(field(a.Overview, fieldXref)) }

// Places are where the article is, by its Xref.
func (a *Article) Places() []Place {
	var out []Place
	words := strings.Fields(a.Xref())
	for _, word := range words[min(2, len(words)):] {
		if group, number, ok := strings.Cut(word, ":"); ok {
			n, _ := strconv.ParseInt(number, 10, 64)
			out = append(out, Place{group, n})
		}
	}
	return out
}

// A Text is an open article.
type Text struct {
	// Header is the header with Xref, without the empty line behind it.
	Header []byte
	// Body is what comes after the empty line.
	Body *io.SectionReader
	blob store.Blob
}

// Close lets go of the article.
func (t *Text) Close() error { return t.blob.Close() }

// Open opens an article. It stays readable until it is closed, whatever becomes
// of the article. ErrNoArticle, and the errors of store.Blobs.
func (a *Article) Open(ctx context.Context) (*Text, error) {
	blob, err := a.store.engine.Blobs().Open(ctx, a.ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoArticle
	}
	if err != nil {
		return nil, err
	}
	xref := field(a.Overview, fieldXref)
	b := make([]byte, a.Header, int(a.Header)+len(xref)+4)
	if n, err := blob.ReadAt(b, 0); n < len(b) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, errors.Join(err, blob.Close())
	}
	b = append(append(b, xref...), '\r', '\n')
	at := a.Header + 2
	return &Text{Header: b, Body: io.NewSectionReader(blob, at, blob.Size()-at), blob: blob}, nil
}

// article makes one of a row, whose bytes are copied behind those of others in
// all.
func (s *Store) article(key, value []byte, all *[]byte) (Article, error) {
	r, err := parseRow(value)
	if err != nil {
		return Article{}, err
	}
	at := len(*all)
	*all = append(*all, r.overview...)
	return Article{
		Number: numberOf(key), Overview: (*all)[at:len(*all):len(*all)], Arrived: time.Unix(0, r.arrived),
		Header: r.header, ref: r.ref, store: s,
	}, nil
}

// Article gives an article by its number in a group. ErrNoGroup, ErrNoArticle.
func (s *Store) Article(ctx context.Context, group string, number int64) (a Article, err error) {
	err = s.engine.View(ctx, func(r store.Reader) error {
		a, err = s.get(r, group, number)
		if errors.Is(err, ErrNoArticle) {
			if _, no := readHead(r, group); no != nil {
				return no
			}
		}
		return err
	})
	return a, err
}

func (s *Store) get(r store.Reader, group string, number int64) (Article, error) {
	if len(group) > maxName || number < 1 {
		return Article{}, ErrNoArticle
	}
	key := keyRow(group, number)
	v, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return Article{}, ErrNoArticle
	}
	if err != nil {
		return Article{}, err
	}
	return s.article(key, v, new([]byte))
}

// ByID gives an article by its message identifier. ErrNoArticle.
func (s *Store) ByID(ctx context.Context, id string) (a Article, err error) {
	err = s.engine.View(ctx, func(r store.Reader) error {
		rec, err := history(r, id)
		if err != nil {
			return err
		}
		if len(rec.places) == 0 {
			return ErrNoArticle
		}
		a, err = s.get(r, rec.places[0].Group, rec.places[0].Number)
		a.Number = 0
		return err
	})
	return a, err
}

// history is what is known of an identifier. ErrNoArticle: nothing.
func history(r store.Reader, id string) (record, error) {
	if id == "" || len(id) > store.MaxKey-len(kindRecord) {
		return record{}, ErrNoArticle
	}
	v, err := r.Get(keyRecord(id))
	if errors.Is(err, store.ErrNotFound) {
		return record{}, ErrNoArticle
	}
	if err != nil {
		return record{}, err
	}
	return parseRecord(v)
}

// Known tells whether an article is here, or was: Add would be ErrDuplicate.
func (s *Store) Known(ctx context.Context, id string) (known bool, err error) {
	err = s.engine.View(ctx, func(r store.Reader) error {
		_, err := history(r, id)
		known = err == nil
		if errors.Is(err, ErrNoArticle) {
			return nil
		}
		return err
	})
	return known, err
}

// Next gives the article with the next higher number in a group, Previous that
// with the next lower one. ErrNoGroup, ErrNoArticle.
func (s *Store) Next(ctx context.Context, group string, number int64) (a Article, err error) {
	return s.neighbour(ctx, group, func(r store.Reader) iter.Seq2[[]byte, []byte] {
		return r.Ascend(keyRow(group, max(number, 0)+1), rowsEnd(group))
	})
}

// Previous is the other way; see Next.
func (s *Store) Previous(ctx context.Context, group string, number int64) (a Article, err error) {
	return s.neighbour(ctx, group, func(r store.Reader) iter.Seq2[[]byte, []byte] {
		return r.Descend(keyRows(group), keyRow(group, max(number, 0)))
	})
}

func (s *Store) neighbour(ctx context.Context, group string, walk func(store.Reader) iter.Seq2[[]byte, []byte]) (a Article, err error) {
	err = s.engine.View(ctx, func(r store.Reader) error {
		if _, err := readHead(r, group); err != nil {
			return err
		}
		for k, v := range walk(r) {
			a, err = s.article(k, v, new([]byte))
			return err
		}
		return ErrNoArticle
	})
	return a, err
}

// Articles gives the articles of a group from one number to another, both
// inclusive, in order. It reads some hundreds at a time: between them others may
// change the group.
func (s *Store) Articles(ctx context.Context, group string, from, to int64) iter.Seq2[Article, error] {
	return pages(func(next []byte) (page []Article, more []byte, err error) {
		err = s.engine.View(ctx, func(r store.Reader) error {
			start := next
			if start == nil {
				if _, err := readHead(r, group); err != nil {
					return err
				}
				start = keyRow(group, max(from, 1))
			}
			page, more = make([]Article, 0, min(pageSize, max(to-numberOf(start)+1, 0))), nil
			overviews := make([]byte, 0, cap(page)*usualOverview)
			for k, v := range r.Ascend(start, rowsEnd(group)) {
				if numberOf(k) > to {
					return nil
				}
				if len(page) == pageSize {
					more = bytes.Clone(k)
					return nil
				}
				a, err := s.article(k, v, &overviews)
				if err != nil {
					return err
				}
				page = append(page, a)
			}
			return nil
		})
		return page, more, err
	})
}

// usualOverview is how long an overview mostly is at most.
const usualOverview = 300

// Numbers gives only the numbers; see Articles.
func (s *Store) Numbers(ctx context.Context, group string, from, to int64) iter.Seq2[int64, error] {
	return pages(func(next []byte) (page []int64, more []byte, err error) {
		err = s.engine.View(ctx, func(r store.Reader) error {
			page, more = nil, nil
			start := next
			if start == nil {
				if _, err := readHead(r, group); err != nil {
					return err
				}
				start = keyRow(group, max(from, 1))
			}
			for k := range r.Ascend(start, rowsEnd(group)) {
				n := numberOf(k)
				if n > to {
					return nil
				}
				if len(page) == 8*pageSize {
					more = bytes.Clone(k)
					return nil
				}
				page = append(page, n)
			}
			return nil
		})
		return page, more, err
	})
}

// Since gives the articles that arrived at a time or later and are still here,
// in the order in which they came.
func (s *Store) Since(ctx context.Context, t time.Time) iter.Seq2[Arrived, error] {
	return pages(func(next []byte) (page []Arrived, more []byte, err error) {
		err = s.engine.View(ctx, func(r store.Reader) error {
			page, more = nil, nil
			start := next
			if start == nil {
				start = keyTime(t)
			}
			for k := range r.Ascend(start, after(kindArrived)) {
				if len(page) == pageSize {
					more = bytes.Clone(k)
					return nil
				}
				_, id := timeOf(k)
				rec, err := history(r, id)
				if err != nil {
					return err
				}
				if len(rec.places) > 0 {
					page = append(page, Arrived{id, rec.time(), rec.places})
				}
			}
			return nil
		})
		return page, more, err
	})
}

// Arrived is an article and when it came.
type Arrived struct {
	ID     string
	Time   time.Time
	Places []Place
}

// Watch yields soon after every change of the news, and once at the beginning;
// one time may stand for many changes. It ends with ctx, or with the engine's
// error.
func (s *Store) Watch(ctx context.Context) iter.Seq[error] {
	return func(yield func(error) bool) {
		var rev store.Rev
		err := s.engine.View(ctx, func(r store.Reader) error { rev = r.Rev(); return nil })
		if err != nil || !yield(nil) {
			if err != nil {
				yield(err)
			}
			return
		}
		for _, err := range s.engine.Watch(ctx, []byte("n"), rev) {
			if !yield(err) || err != nil {
				return
			}
		}
	}
}
