package nntp

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/farend-go/farend/wire"
)

func listVerbs() []verb {
	verbs := []verb{
		{name: "LIST", need: reader, variants: true, usage: "[keyword [wildmat]]", rfc: "RFC 3977 7.6.1", do: (*session).listActive},
		{name: "LIST ACTIVE", need: reader, max: 1, usage: "[wildmat]", rfc: "RFC 3977 7.6.3", do: (*session).listActive},
		{name: "LIST ACTIVE.TIMES", need: reader, max: 1, usage: "[wildmat]", rfc: "RFC 3977 7.6.4", do: (*session).listTimes},
		{name: "LIST COUNTS", need: reader, max: 1, usage: "[wildmat]", rfc: "RFC 6048 2.2", do: (*session).listCounts},
		{name: "LIST NEWSGROUPS", need: reader, max: 1, usage: "[wildmat]", rfc: "RFC 3977 7.6.6", do: (*session).listDescriptions},
		{name: "LIST OVERVIEW.FMT", need: reader, rfc: "RFC 3977 8.4", do: (*session).listFormat},
		{name: "LIST HEADERS", need: reader, max: 1, usage: "[MSGID|RANGE]", rfc: "RFC 3977 8.6", do: (*session).listHeaders},
	}
	for _, name := range [...]string{"SUBSCRIPTIONS", "MOTD", "DISTRIB.PATS", "DISTRIBUTIONS", "MODERATORS"} {
		v := verb{name: "LIST " + name, need: reader, rfc: "RFC 6048 2"}
		if name == "SUBSCRIPTIONS" {
			v.max, v.usage = 1, "[wildmat]"
		}
		if name == "DISTRIB.PATS" {
			v.rfc = "RFC 3977 7.6.5"
		}
		v.do = func(s *session, ctx context.Context, args []string) error { return s.listLines(ctx, name, args) }
		verbs = append(verbs, v)
	}
	return verbs
}

// wanted is the wildmat of a LIST; false where it was none, and that has been
// said. nil is every name.
func (s *session) wanted(args []string) (w Wildmat, ok bool) {
	if len(args) == 0 {
		return nil, true
	}
	w, err := ParseWildmat(args[0])
	if err != nil {
		s.say(501, "That is no wildmat")
		return nil, false
	}
	return w, true
}

// groups are those that a wildmat means. One name is looked up, not looked for.
func (s *session) groups(ctx context.Context, w Wildmat) iter.Seq2[Group, error] {
	return func(yield func(Group, error) bool) {
		if len(w) == 1 && !w[0].Not && !strings.ContainsAny(w[0].Text, "*?") {
			g, err := s.h.Backend.Group(ctx, w[0].Text)
			if !errors.Is(err, ErrNoGroup) {
				yield(g, err)
			}
			return
		}
		for g, err := range s.h.Backend.Groups(ctx) {
			if (err != nil || w == nil || w.Match(g.Name)) && !yield(g, err) {
				return
			}
		}
	}
}

// listGroups writes a line for each group that is wanted, where line writes any.
func (s *session) listGroups(ctx context.Context, code int, text string, w Wildmat, line func(g *Group, b []byte) []byte) error {
	s.talk.W.Grow(wire.Large)
	s.say(code, text)
	n := 0
	for g, err := range s.groups(ctx, w) {
		if err != nil {
			return s.cut(ctx, "listing groups", err)
		}
		if s.buf = line(&g, s.buf[:0]); len(s.buf) == 0 {
			continue
		}
		if err := s.row(s.buf); err != nil {
			return err
		}
		s.paced(n)
		n++
	}
	return s.dot()
}

func (s *session) listActive(ctx context.Context, args []string) error {
	w, ok := s.wanted(args)
	if !ok {
		return nil
	}
	return s.listGroups(ctx, 215, "Newsgroups follow, in the form: name high low status", w, (*Group).appendActive)
}

func (s *session) listCounts(ctx context.Context, args []string) error {
	w, ok := s.wanted(args)
	if !ok {
		return nil
	}
	return s.listGroups(ctx, 215, "Newsgroups follow, in the form: name high low count status", w, (*Group).appendCounts)
}

func (s *session) listTimes(ctx context.Context, args []string) error {
	w, ok := s.wanted(args)
	if !ok {
		return nil
	}
	return s.listGroups(ctx, 215, "Creation times follow", w, func(g *Group, b []byte) []byte {
		if g.Created.IsZero() {
			return b
		}
		return g.appendTimes(b)
	})
}

func (s *session) listDescriptions(ctx context.Context, args []string) error {
	w, ok := s.wanted(args)
	if !ok {
		return nil
	}
	return s.listGroups(ctx, 215, "Descriptions follow", w, func(g *Group, b []byte) []byte {
		if g.Description == "" {
			return b
		}
		return g.appendDescription(b)
	})
}

// newGroups gives the groups that were made since a time (RFC 3977 section 7.3).
func (s *session) newGroups(ctx context.Context, args []string) error {
	t, err := parseTime(args, s.h.time())
	if err != nil {
		s.say(501, "Usage: NEWGROUPS [yy]yymmdd hhmmss [GMT]")
		return nil
	}
	return s.listGroups(ctx, 231, "New newsgroups follow", nil, func(g *Group, b []byte) []byte {
		if g.Created.Truncate(time.Second).Before(t) {
			return b
		}
		return g.appendActive(b)
	})
}

// newNews gives the articles that came since a time (RFC 3977 section 7.4). A
// last argument in angle brackets is of RFC 977, and means distributions; it is
// passed over.
func (s *session) newNews(ctx context.Context, args []string) error {
	w, err := ParseWildmat(args[0])
	rest := args[1:]
	if last := rest[len(rest)-1]; strings.HasPrefix(last, "<") {
		rest = rest[:len(rest)-1]
	}
	t, timeErr := parseTime(rest, s.h.time())
	if err != nil || timeErr != nil {
		s.say(501, "Usage: NEWNEWS wildmat [yy]yymmdd hhmmss [GMT]")
		return nil
	}
	b, ok := s.h.Backend.(Arrivals)
	if !ok {
		s.say(503, "Nobody knows when articles came")
		return nil
	}
	s.talk.W.Grow(wire.Large)
	s.say(230, "New articles follow")
	n := 0
	for id, err := range b.Since(ctx, t, w.Match) {
		if err != nil {
			return s.cut(ctx, "NEWNEWS", err)
		}
		if err := s.talk.W.LineString(id); err != nil {
			return err
		}
		s.paced(n)
		n++
	}
	return s.dot()
}

func (s *session) listFormat(context.Context, []string) error {
	s.say(215, "Order of fields in the overview")
	for _, name := range s.h.Backend.Overview() {
		if err := s.talk.W.LineString(name); err != nil {
			return err
		}
	}
	return s.dot()
}

// listHeaders says what HDR can give: any field, and what the overview knows
// beside them (RFC 3977 section 8.6).
func (s *session) listHeaders(_ context.Context, args []string) error {
	if len(args) > 0 && !strings.EqualFold(args[0], "MSGID") && !strings.EqualFold(args[0], "RANGE") {
		s.say(501, "Usage: LIST HEADERS [MSGID|RANGE]")
		return nil
	}
	s.say(215, "Headers and metadata follow")
	lines := []string{":"}
	for _, name := range s.h.Backend.Overview() {
		if name = metadata(name); strings.HasPrefix(name, ":") {
			lines = append(lines, name)
		}
	}
	for _, line := range append(lines, ".") {
		if err := s.talk.W.LineString(line); err != nil {
			return err
		}
	}
	return nil
}

// listLines gives what the Handler was given.
func (s *session) listLines(_ context.Context, name string, args []string) error {
	lines, ok := s.h.Lists[name]
	w, valid := s.wanted(args)
	switch {
	case !valid:
		return nil
	case !ok:
		s.say(503, "That is not kept here")
		return nil
	}
	s.say(215, "Information follows")
	for _, line := range lines {
		if w != nil && !w.Match(line) {
			continue
		}
		if err := s.row([]byte(line)); err != nil {
			return err
		}
	}
	return s.dot()
}
