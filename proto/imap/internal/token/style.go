package token

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Style is how strings are written.
type Style uint8

const (
	UTF8    Style = 1 << iota // quoted strings may have UTF-8 in them (RFC 9051, RFC 6855)
	NonSync                   // literals need no go-ahead: {n+} (RFC 7888)
)

// longest is how long a quoted string gets; a longer one is a literal.
const longest = 1000

// Quotable tells whether s can be a quoted string.
func (st Style) Quotable(s string) bool {
	if len(s) > longest {
		return false
	}
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c == 0 || c == '\r' || c == '\n':
			return false
		case c >= 0x80:
			ascii = false
		}
	}
	return ascii || st&UTF8 != 0 && utf8.ValidString(s)
}

// String writes s as a quoted string, or as a literal where it must be one.
func (st Style) String(b []byte, s string) []byte {
	if !st.Quotable(s) {
		return append(st.head(b, s), s...)
	}
	b = append(b, '"')
	if strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 {
		return append(append(b, s...), '"')
	}
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func (st Style) head(b []byte, s string) []byte {
	if strings.IndexByte(s, 0) >= 0 {
		b = append(b, '~')
	}
	b = strconv.AppendInt(append(b, '{'), int64(len(s)), 10)
	if st&NonSync != 0 {
		b = append(b, '+')
	}
	return append(b, "}\r\n"...)
}

// AString writes s as an atom where it is one, else as String does.
func (st Style) AString(b []byte, s string) []byte {
	if all(s, astringChar) && !strings.EqualFold(s, "NIL") {
		return append(b, s...)
	}
	return st.String(b, s)
}

// Pattern is AString for what may have wildcards.
func (st Style) Pattern(b []byte, s string) []byte {
	if all(s, listChar) && !strings.EqualFold(s, "NIL") {
		return append(b, s...)
	}
	return st.String(b, s)
}

// NString writes s, or NIL where it is empty.
func (st Style) NString(b []byte, s string) []byte {
	if s == "" {
		return append(b, "NIL"...)
	}
	return st.String(b, s)
}

// List writes the items in parentheses, with spaces between.
func List[T any](b []byte, items []T, item func(b []byte, v T) []byte) []byte {
	b = append(b, '(')
	for i, v := range items {
		if i > 0 {
			b = append(b, ' ')
		}
		b = item(b, v)
	}
	return append(b, ')')
}
