package nntp

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/wire"
)

// span is what an argument of OVER and HDR means: articles that were found, and
// what to say if there are none; with code 0 an empty list.
type span struct {
	all  iter.Seq2[Article, error]
	code int
	text string
}

// articles finds what a range or an identifier means; nil where that has been
// said.
func (s *session) articles(ctx context.Context, args []string) (*span, error) {
	if len(args) == 0 || isID(args[0]) {
		a, err := s.which(ctx, args)
		if a == nil {
			return nil, err
		}
		return &span{all: func(yield func(Article, error) bool) { yield(a, nil) }}, nil
	}
	r, err := ParseRange(args[0])
	switch {
	case err != nil:
		s.say(501, "That is neither a range nor a message-id")
		return nil, nil
	case s.group == "":
		s.say(412, "No newsgroup selected")
		return nil, nil
	}
	return &span{s.h.Backend.Articles(ctx, s.group, r), 423, "No articles in that range"}, nil
}

// listing writes a line for each article: what line appends, unless it says that
// there is none. The reply is written before the first article.
func (s *session) listing(ctx context.Context, of *span, code int, text string, line func(b []byte, a Article) ([]byte, bool, error)) error {
	n := 0
	for a, err := range of.all {
		switch {
		case err != nil && n == 0:
			return s.failed(ctx, "listing articles", err)
		case err != nil:
			return s.cut(ctx, "listing articles", err)
		}
		if n == 0 {
			s.talk.W.Grow(wire.Large)
			s.say(code, text)
		}
		b, ok, err := line(s.buf[:0], a)
		if err != nil {
			return s.cut(ctx, "listing articles", err)
		}
		s.buf = b
		if ok {
			if err := s.row(b); err != nil {
				return err
			}
		}
		s.paced(n)
		n++
	}
	switch {
	case n > 0:
	case of.code == 0:
		s.say(code, text)
	default:
		s.say(of.code, of.text)
		return nil
	}
	return s.dot()
}

// over gives rows of the overview (RFC 3977 section 8.3).
func (s *session) over(ctx context.Context, args []string) error {
	of, err := s.articles(ctx, args)
	if of == nil {
		return err
	}
	return s.listing(ctx, of, 224, "Overview information follows", appendRow)
}

func appendRow(b []byte, a Article) ([]byte, bool, error) {
	b = append(strconv.AppendInt(b, a.Number(), 10), '\t')
	return a.AppendOverview(b), true, nil
}

// xover is OVER as it was before (RFC 2980 section 2.8).
func (s *session) xover(ctx context.Context, args []string) error {
	if len(args) > 0 && isID(args[0]) {
		s.say(501, "That is no range")
		return nil
	}
	of, err := s.articles(ctx, args)
	if of == nil {
		return err
	}
	of.code = 420
	return s.listing(ctx, of, 224, "Overview information follows", appendRow)
}

// column is where a field is in an overview; below 0: it is not there.
type column struct {
	at   int
	name string // of the field, without colons; of metadata with the one before it
	full bool
	meta bool
}

func columnOf(f Format, name string) column {
	c := column{at: -1, name: name, meta: strings.HasPrefix(name, ":")}
	for i, known := range f {
		known = metadata(known)
		word, full := strings.CutSuffix(known, ":full")
		if !strings.HasPrefix(known, ":") {
			word = strings.TrimSuffix(word, ":")
		}
		if strings.EqualFold(word, name) {
			c.at, c.full = i, full
		}
	}
	return c
}

// appendFrom writes the field of one article.
func (c column) appendFrom(ctx context.Context, b []byte, a Article) ([]byte, bool, error) {
	if c.at < 0 {
		return c.appendOpened(ctx, b, a)
	}
	start := len(b)
	row := a.AppendOverview(b)
	field := row[start:]
	for range c.at {
		i := bytes.IndexByte(field, '\t')
		if i < 0 {
			return row[:start], false, nil
		}
		field = field[i+1:]
	}
	field, _, _ = bytes.Cut(field, []byte{'\t'})
	if c.full {
		field = field[min(len(field), len(c.name)+1):]
		field = bytes.TrimLeft(field, " ")
	}
	return append(row[:start], field...), len(field) > 0, nil
}

// appendOpened reads the field from the article itself.
func (c column) appendOpened(ctx context.Context, b []byte, a Article) ([]byte, bool, error) {
	t, err := a.Open(ctx)
	if errors.Is(err, ErrNoArticle) {
		return b, false, nil
	}
	if err != nil {
		return b, false, err
	}
	h, _ := message.ParseHeader(t.Header, message.Limits{})
	f, ok := h.Lookup(c.name)
	for _, octet := range []byte(f.Value()) {
		if octet == '\t' || octet == '\r' || octet == '\n' || octet == 0 {
			octet = ' '
		}
		b = append(b, octet)
	}
	return b, ok, t.Close()
}

// column finds what HDR is to give; false where that has been said.
func (s *session) column(name string) (column, bool) {
	c := columnOf(s.h.Backend.Overview(), name)
	switch {
	case c.meta && c.at < 0:
		s.say(503, "That metadata item is not known")
	case !c.meta && (name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })):
		s.say(501, "That is no name of a field")
	default:
		return c, true
	}
	return c, false
}

// hdr gives one field of articles (RFC 3977 section 8.5).
func (s *session) hdr(ctx context.Context, args []string) error {
	return s.fields(ctx, args, 225, 423, nil)
}

// xhdr is HDR as it was before (RFC 2980 section 2.6).
func (s *session) xhdr(ctx context.Context, args []string) error {
	return s.fields(ctx, args, 221, 420, func(string) bool { return true })
}

// xpat is XHDR for those fields that a pattern matches (RFC 2980 section 2.9).
func (s *session) xpat(ctx context.Context, args []string) error {
	pattern := strings.Join(args[2:], " ")
	return s.fields(ctx, args[:2], 221, 0, func(value string) bool { return matchesOld(pattern, value) })
}

// fields gives one field. With old it is in the form of XHDR, for those values
// that it takes. empty is what an empty range is answered with.
func (s *session) fields(ctx context.Context, args []string, code, empty int, old func(value string) bool) error {
	c, ok := s.column(args[0])
	if !ok {
		return nil
	}
	of, err := s.articles(ctx, args[1:])
	if of == nil {
		return err
	}
	if of.code != 0 {
		of.code = empty
	}
	byID := old != nil && len(args) > 1 && isID(args[1])
	return s.listing(ctx, of, code, "Headers follow", func(b []byte, a Article) ([]byte, bool, error) {
		if byID {
			b = append(append(b, a.ID()...), ' ')
		} else {
			b = append(strconv.AppendInt(b, a.Number(), 10), ' ')
		}
		start := len(b)
		b, has, err := c.appendFrom(ctx, b, a)
		switch {
		case err != nil || old == nil:
			return b, true, err
		case !has:
			b = append(b[:start], "(none)"...)
			return b, old("(none)"), nil
		}
		return b, old(string(b[start:])), nil
	})
}
