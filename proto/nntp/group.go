package nntp

import (
	"strconv"
	"strings"
	"time"
)

// Statuses of a group (RFC 3977 section 7.6.3, RFC 6048 section 3.1). Others are
// passed on as they are.
const (
	Open      = "y" // posting is permitted
	ReadOnly  = "n" // it is not
	Moderated = "m" // it is, to the moderator
	Closed    = "x" // nothing comes any more, from nowhere
	Junk      = "j" // only what other servers send, and not kept there
)

// A Group is what is known of a group.
type Group struct {
	Name string
	// Low and High are the water marks: numbers below and above are not there.
	// An empty group has Low one above High.
	Low, High int64
	Count     int64  // how many articles there are, more or less; -1: not known
	Status    string // "y", "n", "m" ...; "=name" is another name of a group; "": not known

	Description string
	Created     time.Time // zero: not known
	Creator     string
}

// appendActive writes a line of LIST ACTIVE, and of NEWGROUPS.
func (g *Group) appendActive(b []byte) []byte {
	b = append(append(b, g.Name...), ' ')
	b = append(strconv.AppendInt(b, g.High, 10), ' ')
	b = append(strconv.AppendInt(b, g.Low, 10), ' ')
	return append(b, g.Status...)
}

// parseActive reads one.
func parseActive(line string) (Group, error) {
	f := strings.Fields(line)
	if len(f) < 4 {
		return Group{}, ErrReply
	}
	return marks(f[0], f[1], f[2], "", f[3])
}

// appendCounts writes a line of LIST COUNTS (RFC 6048 section 3.4).
func (g *Group) appendCounts(b []byte) []byte {
	b = append(append(b, g.Name...), ' ')
	b = append(strconv.AppendInt(b, g.High, 10), ' ')
	b = append(strconv.AppendInt(b, g.Low, 10), ' ')
	b = append(strconv.AppendInt(b, max(g.Count, 0), 10), ' ')
	return append(b, g.Status...)
}

// parseCounts reads one.
func parseCounts(line string) (Group, error) {
	f := strings.Fields(line)
	if len(f) < 5 {
		return Group{}, ErrReply
	}
	return marks(f[0], f[1], f[2], f[3], f[4])
}

func marks(name, high, low, count, status string) (g Group, err error) {
	g = Group{Name: name, Status: status, Count: -1}
	if g.High, err = parseNumber(high); err != nil {
		return Group{}, ErrReply
	}
	if g.Low, err = parseNumber(low); err != nil {
		return Group{}, ErrReply
	}
	if count == "" {
		return g, nil
	}
	if g.Count, err = parseNumber(count); err != nil {
		return Group{}, ErrReply
	}
	return g, nil
}

// appendTimes writes a line of LIST ACTIVE.TIMES (RFC 3977 section 7.6.4).
func (g *Group) appendTimes(b []byte) []byte {
	b = append(append(b, g.Name...), ' ')
	b = append(strconv.AppendInt(b, max(g.Created.Unix(), 0), 10), ' ')
	if g.Creator == "" {
		return append(b, "unknown"...)
	}
	return append(b, g.Creator...)
}

// parseTimes reads one.
func parseTimes(line string) (Group, error) {
	name, rest, _ := strings.Cut(line, " ")
	when, creator, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
	seconds, err := parseNumber(when)
	if err != nil || !ok || name == "" {
		return Group{}, ErrReply
	}
	return Group{Name: name, Count: -1, Created: time.Unix(seconds, 0).UTC(), Creator: strings.TrimLeft(creator, " ")}, nil
}

// appendDescription writes a line of LIST NEWSGROUPS (RFC 3977 section 7.6.6).
func (g *Group) appendDescription(b []byte) []byte {
	return append(append(append(b, g.Name...), '\t'), g.Description...)
}

// parseDescription reads one.
func parseDescription(line string) (Group, error) {
	i := strings.IndexAny(line, " \t")
	if i <= 0 {
		return Group{}, ErrReply
	}
	return Group{Name: line[:i], Count: -1, Description: strings.Trim(line[i:], " \t")}, nil
}

// appendSelected writes what GROUP answers behind its code.
func (g *Group) appendSelected(b []byte) []byte {
	for _, n := range [...]int64{g.Count, g.Low, g.High} {
		b = append(strconv.AppendInt(b, max(n, 0), 10), ' ')
	}
	return append(b, g.Name...)
}

// parseSelected reads that.
func parseSelected(text string) (Group, error) {
	f := strings.Fields(text)
	if len(f) < 4 {
		return Group{}, ErrReply
	}
	return marks(f[3], f[2], f[1], f[0], "")
}
