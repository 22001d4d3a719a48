package nntp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// list says LIST with a keyword, and a wildmat if there is one.
func (c *Client) list(ctx context.Context, keyword string, w Wildmat) iter.Seq2[string, error] {
	if len(w) > 0 {
		keyword += " " + w.String()
	}
	return c.CmdLines(ctx, "LIST", keyword)
}

// List gives the groups that a wildmat means (nil: all) with marks and status:
// LIST ACTIVE.
func (c *Client) List(ctx context.Context, w Wildmat) iter.Seq2[Group, error] {
	return each(c.list(ctx, "ACTIVE", w), parseActive)
}

// ListCounts is List with how many articles there are (RFC 6048 section 2.2).
func (c *Client) ListCounts(ctx context.Context, w Wildmat) iter.Seq2[Group, error] {
	return each(c.list(ctx, "COUNTS", w), parseCounts)
}

// ListTimes gives when groups were made, and by whom: LIST ACTIVE.TIMES.
func (c *Client) ListTimes(ctx context.Context, w Wildmat) iter.Seq2[Group, error] {
	return each(c.list(ctx, "ACTIVE.TIMES", w), parseTimes)
}

// ListDescriptions gives what groups are about: LIST NEWSGROUPS.
func (c *Client) ListDescriptions(ctx context.Context, w Wildmat) iter.Seq2[Group, error] {
	return each(c.list(ctx, "NEWSGROUPS", w), parseDescription)
}

// ListLines gives the lines of another variant: SUBSCRIPTIONS, MOTD,
// DISTRIB.PATS, HEADERS ... ErrUnknown: the server does not keep it.
func (c *Client) ListLines(ctx context.Context, keyword string) ([]string, error) {
	return collect(c.list(ctx, keyword, nil))
}

// Format is what the fields of an overview are: LIST OVERVIEW.FMT. It is asked
// for once. A server that does not know has the usual one.
func (c *Client) Format(ctx context.Context) (Format, error) {
	if c.format != nil {
		return c.format, nil
	}
	lines, err := c.ListLines(ctx, "OVERVIEW.FMT")
	if err != nil && !refused(err) {
		return nil, err
	}
	c.format = standard()
	if len(lines) >= len(c.format) {
		c.format = lines
	}
	return c.format, nil
}

// Over gives the overview of a range of the group that is selected, and asks
// servers that do not know OVER by XOVER. No article in the range is no row and
// no error.
func (c *Client) Over(ctx context.Context, r Range) iter.Seq2[Overview, error] {
	return c.over(ctx, r.String())
}

// OverID gives the overview of one article; not every server can (OVER MSGID).
// ErrNoArticle, ErrUnknown.
func (c *Client) OverID(ctx context.Context, id string) (Overview, error) {
	if !isID(id) {
		return Overview{}, fmt.Errorf("%w: %.100q is no message-id", ErrCommand, id)
	}
	rows, err := collect(c.over(ctx, id))
	if err == nil && len(rows) != 1 {
		err = Reply{430, "No such article"}
	}
	if err != nil {
		return Overview{}, err
	}
	return rows[0], nil
}

func (c *Client) over(ctx context.Context, arg string) iter.Seq2[Overview, error] {
	return func(yield func(Overview, error) bool) {
		f, err := c.Format(ctx)
		if err != nil {
			yield(Overview{}, err)
			return
		}
		parse := func(line string) (Overview, error) { return ParseOverview(line, f) }
		old := arg
		for row, err := range each(c.eitherWay(ctx, &c.noOver, "OVER", "XOVER", arg, old), parse) {
			if isEmpty(err, arg) {
				return
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// isEmpty tells that a range has no articles: 423, or 420 from XOVER.
func isEmpty(err error, arg string) bool {
	r, ok := errors.AsType[Reply](err)
	return ok && !isID(arg) && (r.Code == 423 || r.Code == 420)
}

// eitherWay says a command, and its older form where the server does not know
// it, which is remembered.
func (c *Client) eitherWay(ctx context.Context, isOld *bool, verb, oldVerb, arg, oldArg string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if !*isOld {
			_, err := c.Cmd(ctx, verb, arg)
			r, no := errors.AsType[Reply](err)
			switch {
			case err == nil:
				c.lines(ctx, yield)
				return
			case !no || r.Code != 500:
				yield("", err)
				return
			}
			*isOld = true
		}
		for line, err := range c.CmdLines(ctx, oldVerb, oldArg) {
			if !yield(line, err) {
				return
			}
		}
	}
}

// A Field is one field of one article.
type Field struct {
	Number int64  // 0 where the article was named by its identifier
	Value  string // "" where the article does not have it
}

// Hdr gives one field, or what is known of an article (":bytes"), of a range of
// the group that is selected. Servers that do not know HDR are asked by XHDR,
// which cannot tell a field that is not there from one that says (none).
func (c *Client) Hdr(ctx context.Context, name string, r Range) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		arg := name + " " + r.String()
		for f, err := range each(c.eitherWay(ctx, &c.noHdr, "HDR", "XHDR", arg, arg), c.parseField) {
			if isEmpty(err, arg) {
				return
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// HdrID gives one field of one article. ErrNoArticle.
func (c *Client) HdrID(ctx context.Context, name, id string) (string, error) {
	if !isID(id) {
		return "", fmt.Errorf("%w: %.100q is no message-id", ErrCommand, id)
	}
	arg := name + " " + id
	all, err := collect(each(c.eitherWay(ctx, &c.noHdr, "HDR", "XHDR", arg, arg), c.parseField))
	if err == nil && len(all) != 1 {
		err = Reply{430, "No such article"}
	}
	if err != nil {
		return "", err
	}
	return all[0].Value, nil
}

// XPat gives those fields of a range that match a pattern, in the older form of
// a wildmat, with sets (RFC 2980 section 2.9).
func (c *Client) XPat(ctx context.Context, name string, r Range, pattern string) iter.Seq2[Field, error] {
	return each(c.CmdLines(ctx, "XPAT", name+" "+r.String()+" "+pattern), parseOldField)
}

// parseField reads a line of HDR, or of XHDR.
func (c *Client) parseField(line string) (Field, error) {
	if c.noHdr {
		return parseOldField(line)
	}
	number, value, _ := strings.Cut(line, " ")
	n, err := parseNumber(number)
	if err != nil {
		return Field{}, ErrReply
	}
	return Field{n, value}, nil
}

func parseOldField(line string) (Field, error) {
	number, value, _ := strings.Cut(line, " ")
	if value == "(none)" {
		value = ""
	}
	if isID(number) {
		return Field{0, value}, nil
	}
	n, err := parseNumber(number)
	if err != nil {
		return Field{}, ErrReply
	}
	return Field{n, value}, nil
}
