package nntp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/farend-go/farend/wire"
)

// group_ selects a group; its first article becomes the current one (RFC 3977
// section 6.1.1).
func (s *session) group_(ctx context.Context, args []string) error {
	g, err := s.h.Backend.Group(ctx, args[0])
	if err != nil {
		return s.failed(ctx, "GROUP", err)
	}
	s.choose(g)
	s.say(211, string(g.appendSelected(nil)))
	return nil
}

func (s *session) choose(g Group) {
	s.group, s.current = g.Name, 0
	if g.Low <= g.High {
		s.current = g.Low
	}
}

// listGroup is GROUP with the numbers that there are (RFC 3977 section 6.1.2).
func (s *session) listGroup(ctx context.Context, args []string) error {
	name, r := s.group, From(0)
	if len(args) > 0 {
		name = args[0]
	}
	if len(args) > 1 {
		var err error
		if r, err = ParseRange(args[1]); err != nil {
			s.say(501, "That is no range")
			return nil
		}
	}
	if name == "" {
		s.say(412, "No newsgroup selected")
		return nil
	}
	g, err := s.h.Backend.Group(ctx, name)
	if err != nil {
		return s.failed(ctx, "LISTGROUP", err)
	}
	s.choose(g)
	s.talk.W.Grow(wire.Large)
	s.say(211, string(g.appendSelected(nil)))
	n := 0
	for number, err := range s.h.Backend.Numbers(ctx, name, r) {
		if err != nil {
			return s.cut(ctx, "LISTGROUP", err)
		}
		s.buf = append(strconv.AppendInt(s.buf[:0], number, 10), '\r', '\n')
		if _, err := s.talk.W.Write(s.buf); err != nil {
			return err
		}
		s.paced(n)
		n++
	}
	return s.dot()
}

func (s *session) next(ctx context.Context, _ []string) error {
	return s.move(ctx, s.h.Backend.Next, 421, "No next article in this group")
}

func (s *session) last(ctx context.Context, _ []string) error {
	return s.move(ctx, s.h.Backend.Previous, 422, "No previous article in this group")
}

// move makes a neighbour the current article.
func (s *session) move(ctx context.Context, find func(context.Context, string, int64) (Article, error), code int, text string) error {
	if !s.hasCurrent() {
		return nil
	}
	a, err := find(ctx, s.group, s.current)
	switch {
	case errors.Is(err, ErrNoArticle):
		s.say(code, text)
		return nil
	case err != nil:
		return s.failed(ctx, "finding an article", err)
	}
	s.current = a.Number()
	s.say(223, itoa(a.Number())+" "+a.ID())
	return nil
}

// hasCurrent says so where there is no current article.
func (s *session) hasCurrent() bool {
	switch {
	case s.group == "":
		s.say(412, "No newsgroup selected")
	case s.current == 0:
		s.say(420, "No current article")
	default:
		return true
	}
	return false
}

// which finds the article that an argument names; nil where there is none, and
// that has been said. By its number it becomes the current one.
func (s *session) which(ctx context.Context, args []string) (Article, error) {
	if len(args) == 1 && isID(args[0]) {
		a, err := s.h.Backend.ByID(ctx, args[0])
		if errors.Is(err, ErrNoArticle) {
			s.say(430, "No article with that message-id")
			return nil, nil
		}
		if err != nil {
			return nil, s.failed(ctx, "finding an article", err)
		}
		return a, nil
	}
	if len(args) == 0 {
		if !s.hasCurrent() {
			return nil, nil
		}
		return s.numbered(ctx, s.current, 420, "The current article is gone")
	}
	n, err := parseNumber(args[0])
	if err != nil {
		s.say(501, "That is neither a number nor a message-id")
		return nil, nil
	}
	if s.group == "" {
		s.say(412, "No newsgroup selected")
		return nil, nil
	}
	return s.numbered(ctx, n, 423, "No article with that number")
}

func (s *session) numbered(ctx context.Context, n int64, code int, text string) (Article, error) {
	a, err := s.h.Backend.Article(ctx, s.group, n)
	switch {
	case errors.Is(err, ErrNoArticle):
		s.say(code, text)
		return nil, nil
	case err != nil:
		return nil, s.failed(ctx, "finding an article", err)
	}
	s.current = n
	return a, nil
}

func (s *session) stat(ctx context.Context, args []string) error {
	a, err := s.which(ctx, args)
	if a == nil {
		return err
	}
	s.found(223, a)
	return nil
}

// found is the reply with an article's number and identifier.
func (s *session) found(code int, a Article) {
	b := strconv.AppendInt(s.buf[:0], int64(code), 10)
	b = strconv.AppendInt(append(b, ' '), a.Number(), 10)
	s.buf = append(append(b, ' '), a.ID()...)
	_ = s.talk.W.Line(s.buf)
}

func (s *session) article(ctx context.Context, args []string) error {
	return s.send(ctx, args, 220, true, true)
}

func (s *session) head(ctx context.Context, args []string) error {
	return s.send(ctx, args, 221, true, false)
}

func (s *session) body(ctx context.Context, args []string) error {
	return s.send(ctx, args, 222, false, true)
}

// send sends an article, or half of it. Reply and article lie in the same
// buffer, so that what fits leaves in one write.
func (s *session) send(ctx context.Context, args []string, code int, header, body bool) error {
	a, err := s.which(ctx, args)
	if a == nil {
		return err
	}
	t, err := a.Open(ctx)
	if errors.Is(err, ErrNoArticle) {
		if len(args) == 1 && isID(args[0]) {
			s.say(430, "The article is gone")
		} else {
			s.say(423, "The article is gone")
		}
		return nil
	}
	if err != nil {
		return s.failed(ctx, "opening "+a.ID(), err)
	}
	s.talk.W.Grow(wire.Large)
	s.found(code, a)
	err = s.write(t, header, body)
	if closeErr := t.Close(); err == nil && closeErr != nil { // all of it was there all the same
		return fmt.Errorf("nntp: closing %s: %w", a.ID(), closeErr)
	}
	if err != nil {
		return s.cut(ctx, "sending "+a.ID(), err)
	}
	return nil
}

func (s *session) write(t Text, header, body bool) error {
	b := s.talk.W.BlockWriter()
	if header {
		if _, err := b.Write(t.Header); err != nil {
			return err
		}
	}
	if header && body {
		if _, err := io.WriteString(b, "\r\n"); err != nil {
			return err
		}
	}
	if body {
		p := wire.Get(wire.Large)
		defer wire.Put(p)
		for {
			s.talk.Progress() // a long article that gets on is not one Turn's time
			n, err := t.Body.Read(p)
			if n > 0 {
				if _, err := b.Write(p[:n]); err != nil {
					return err
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return b.Close()
}
