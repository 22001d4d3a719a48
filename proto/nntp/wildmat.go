package nntp

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrWildmat is a text that is no wildmat.
var ErrWildmat = errors.New("nntp: malformed wildmat")

// A Wildmat says which names are meant (RFC 3977 section 4): patterns with ? and
// *, of which the last that matches decides. nil means none; [ParseWildmat] of
// "*" all.
type Wildmat []Pattern

// A Pattern is one of a Wildmat's.
type Pattern struct {
	Not  bool
	Text string // with ? for one character, * for any number of them
}

// ParseWildmat reads a wildmat. A first pattern with "!" is taken as one that
// rules nothing out. ErrWildmat.
func ParseWildmat(text string) (Wildmat, error) {
	var w Wildmat
	for pattern := range strings.SplitSeq(text, ",") {
		p := Pattern{Text: pattern}
		if p.Text, p.Not = strings.CutPrefix(pattern, "!"); !validPattern(p.Text) {
			return nil, ErrWildmat
		}
		w = append(w, p)
	}
	return w, nil
}

// validPattern tells what section 4.1 takes. Octets that are no UTF-8 are
// characters of their own.
func validPattern(text string) bool {
	if text == "" {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`!,\[]`, c) >= 0 {
			return false
		}
	}
	return true
}

// Append writes the wildmat.
func (w Wildmat) Append(b []byte) []byte {
	for i, p := range w {
		if i > 0 {
			b = append(b, ',')
		}
		if p.Not {
			b = append(b, '!')
		}
		b = append(b, p.Text...)
	}
	return b
}

// String is the wildmat as a command has it.
func (w Wildmat) String() string { return string(w.Append(nil)) }

// Match tells whether a name is meant.
func (w Wildmat) Match(name string) bool {
	for _, p := range slices.Backward(w) {
		if matches(p.Text, name) {
			return !p.Not
		}
	}
	return false
}

// matches tells whether a pattern fits a whole name.
func matches(pattern, name string) bool { return fits(pattern, name, exactItem) }

// matchesOld is matches for the patterns of XPAT, in which there are sets of
// characters, [a-z] and [^a-z], and a backslash takes the meaning from what is
// behind it (RFC 2980 section 3.3).
func matchesOld(pattern, text string) bool { return fits(pattern, text, oldItem) }

// fits takes the star that came last further when it does not go on, so that no
// pattern costs more than its length times that of the text. item tells whether
// the pattern begins with something that fits one character, and how long that
// is.
func fits(pattern, text string, item func(pattern, char string) (size int, ok bool)) bool {
	star, again := -1, 0 // where the last star is, and where in text to go on behind it
	p, n := 0, 0
	for n < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, again = p, n
			p++
			continue
		}
		_, size := utf8.DecodeRuneInString(text[n:])
		if length, ok := item(pattern[p:], text[n:n+size]); ok {
			p += length
			n += size
			continue
		}
		if star < 0 {
			return false
		}
		_, size = utf8.DecodeRuneInString(text[again:])
		again += size
		p, n = star+1, again
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func exactItem(pattern, char string) (size int, ok bool) {
	if pattern != "" && pattern[0] == '?' {
		return 1, true
	}
	return len(char), strings.HasPrefix(pattern, char)
}

func oldItem(pattern, char string) (size int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '\\' && len(pattern) > 1:
		return 1 + len(char), strings.HasPrefix(pattern[1:], char)
	case pattern[0] == '[':
		if end := strings.IndexByte(pattern[min(2, len(pattern)):], ']'); end >= 0 {
			end += 2
			return end + 1, inSet(pattern[1:end], char)
		}
	}
	return exactItem(pattern, char)
}

// inSet tells whether a character is in a set as it stands between brackets.
func inSet(set, char string) bool {
	set, not := strings.CutPrefix(set, "^")
	c, _ := utf8.DecodeRuneInString(char)
	all := []rune(set)
	for i := 0; i < len(all); i++ {
		first, last := all[i], all[i]
		if i+2 < len(all) && all[i+1] == '-' {
			last = all[i+2]
			i += 2
		}
		if first <= c && c <= last {
			return !not
		}
	}
	return not
}
