package message

import "strings"

// lexer reads the words of a structured field (RFC 5322 3.2, RFC 2045 5.1),
// leniently: what is not closed ends at the end.
type lexer struct {
	s string
	i int
	// comment is the text of the comment passed last.
	comment string
	// open tells that a comment, quoted string or literal was not closed.
	open bool
}

func scanText(s string) *lexer { return &lexer{s: s} }

func (l *lexer) done() bool { return l.i >= len(l.s) }

// peek is the octet that stands here, or 0.
func (l *lexer) peek() byte {
	if l.done() {
		return 0
	}
	return l.s[l.i]
}

// take passes c if it stands here.
func (l *lexer) take(c byte) bool {
	if l.done() || l.s[l.i] != c {
		return false
	}
	l.i++
	return true
}

func (l *lexer) skipSpace() {
	for !l.done() && isSpace(l.s[l.i]) {
		l.i++
	}
}

// skipCFWS passes white space and comments.
func (l *lexer) skipCFWS() {
	for {
		l.skipSpace()
		if l.peek() != '(' {
			return
		}
		l.comment = l.readComment()
	}
}

// readComment passes a comment, which may hold others, and gives its text.
func (l *lexer) readComment() string {
	var b strings.Builder
	depth := 0
	for !l.done() {
		c := l.s[l.i]
		l.i++
		switch c {
		case '\\':
			if !l.done() {
				b.WriteByte(l.s[l.i])
				l.i++
			}
			continue
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				return strings.TrimSpace(b.String())
			}
		}
		b.WriteByte(c)
	}
	l.open = true
	return strings.TrimSpace(b.String())
}

// quoted passes a quoted string and gives what it says. escapes are the octets
// before which a backslash is no text; all, if there are none.
func (l *lexer) quoted(escapes string) string {
	l.i++
	if end := strings.IndexAny(l.s[l.i:], "\\\""); end >= 0 && l.s[l.i+end] == '"' {
		text := l.s[l.i : l.i+end]
		l.i += end + 1
		return text
	}
	var b strings.Builder
	for !l.done() {
		c := l.s[l.i]
		l.i++
		if c == '"' {
			return b.String()
		}
		if c == '\\' && !l.done() && (escapes == "" || strings.IndexByte(escapes, l.s[l.i]) >= 0) {
			c = l.s[l.i]
			l.i++
		}
		b.WriteByte(c)
	}
	l.open = true
	return b.String()
}

// literal passes a domain literal and gives it with its brackets, without
// white space.
func (l *lexer) literal() string {
	var b strings.Builder
	for !l.done() {
		c := l.s[l.i]
		l.i++
		if !isSpace(c) {
			b.WriteByte(c)
		}
		if c == ']' {
			return b.String()
		}
	}
	l.open = true
	return b.String() + "]"
}

// atom passes atext and dots and what is no syntax of its own: all but white
// space and specials.
func (l *lexer) atom() string {
	from := l.i
	for !l.done() && !isSpace(l.s[l.i]) && !strings.ContainsRune(`()<>[]:;@,"`, rune(l.s[l.i])) {
		l.i++
	}
	return l.s[from:l.i]
}

// token passes a token of RFC 2045 5.1; octets above 127 pass for one.
func (l *lexer) token() string {
	from := l.i
	for !l.done() && isToken(l.s[l.i]) {
		l.i++
	}
	return l.s[from:l.i]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isToken(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte(`()<>@,;:\"/[]?=`, c) < 0
}

// isAtext tells the characters of an atom (RFC 5322 3.2.3, RFC 6532 3.2).
func isAtext(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte(`()<>[]:;@\,."`, c) < 0
}

// isDotAtom tells whether s is atoms joined by single dots.
func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if s[i] != '.' && !isAtext(s[i]) {
			return false
		}
	}
	return true
}

// appendQuoted writes a quoted string.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// parseTokens reads a list of words separated by commas.
func parseTokens(s string) []string {
	l := scanText(s)
	var list []string
	for !l.done() {
		l.skipCFWS()
		from := l.i
		for !l.done() && l.s[l.i] != ',' && l.s[l.i] != '(' && !isSpace(l.s[l.i]) {
			l.i++
		}
		if l.i > from {
			list = append(list, l.s[from:l.i])
		}
		l.skipCFWS()
		l.take(',')
	}
	return list
}
