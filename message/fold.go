package message

import (
	"bytes"
	"fmt"
	"strings"
)

// Lengths of a header's lines without CRLF. RFC 5322 2.1.1, RFC 2047 2.
const (
	goodLine  = 78
	wordsLine = 76 // of a line that has an encoded word
	maxLine   = 998
)

// AppendField writes a field: name, colon, value, CRLF, folded at white space
// so that lines stay within 78 octets where they can, and within 998 always.
// Undoing the folds gives the value again. The errors are [ErrName],
// [ErrBreak] and [ErrLong]; then b is as it was.
func AppendField(b []byte, name, value string) ([]byte, error) {
	if !validName(name) {
		return b, fmt.Errorf("%w: %q", ErrName, name)
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		return b, fmt.Errorf("%w: %s", ErrBreak, name)
	}
	start := len(b)
	b = append(append(b, name...), ':')
	used := len(b) - start
	value = strings.Trim(value, " \t")
	for i := 0; value != ""; i++ {
		space, word := nextWord(value)
		value = value[len(space)+len(word):]
		if i == 0 {
			space = " "
		}
		limit := goodLine
		if strings.Contains(word, "=?") || bytes.Contains(b[len(b)-used:], []byte("=?")) {
			limit = wordsLine
		}
		if len(space)+len(word) > maxLine {
			return b[:start], fmt.Errorf("%w: %s", ErrLong, name)
		}
		// A long first word stays behind its name: folding there would not
		// bring it below 78, and some readers take such a field for empty.
		long := used+len(space)+len(word) > limit
		if long && (i > 0 || len(space)+len(word) <= limit || used+len(space)+len(word) > maxLine) {
			b = append(b, "\r\n"...)
			used = 0
		}
		b = append(append(b, space...), word...)
		used += len(space) + len(word)
	}
	return append(b, "\r\n"...), nil
}

// nextWord cuts white space and what follows it up to the next white space.
func nextWord(s string) (space, word string) {
	n := len(s) - len(strings.TrimLeft(s, " \t"))
	space, s = s[:n], s[n:]
	if end := strings.IndexAny(s, " \t"); end >= 0 {
		return space, s[:end]
	}
	return space, s
}

// validName tells a field name: printable ASCII without colon. RFC 5322 2.2.
func validName(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f || name[i] == ':' {
			return false
		}
	}
	return name != ""
}
