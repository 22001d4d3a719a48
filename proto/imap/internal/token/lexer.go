package token

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSyntax is what every error of a Lexer is.
var ErrSyntax = errors.New("imap: syntax")

// Depth is how deep parentheses may nest.
const Depth = 200

// A Lexer reads tokens one after the other. The first thing that does not fit
// is its error; from then on it gives zero values, so that a parser looks at
// Err once, at its end, and in its loops.
type Lexer struct {
	b     []byte
	pos   int
	depth int
	err   error
}

// New is a Lexer over b, which must not change meanwhile.
func New(b []byte) *Lexer { return &Lexer{b: b} }

// Err is the first thing that did not fit; it is ErrSyntax.
func (l *Lexer) Err() error { return l.err }

// Fail notes that what stands here is not what was wanted.
func (l *Lexer) Fail(want string) {
	if l.err == nil {
		l.err = fmt.Errorf("%w: %s expected at byte %d", ErrSyntax, want, l.pos)
	}
}

// Forgive forgets the error and goes back to pos, which is outside of all that
// is nested.
func (l *Lexer) Forgive(pos int) { l.pos, l.depth, l.err = pos, 0, nil }

// Rest is what has not been read.
func (l *Lexer) Rest() []byte { return l.b[l.pos:] }

// Pos is how many bytes were read.
func (l *Lexer) Pos() int { return l.pos }

// More tells whether something is left, and nothing went wrong.
func (l *Lexer) More() bool { return l.err == nil && l.pos < len(l.b) }

// End wants nothing to be left and gives the error.
func (l *Lexer) End() error {
	if l.More() {
		l.Fail("the end")
	}
	return l.err
}

// Peek is the next byte; 0 at the end and after an error.
func (l *Lexer) Peek() byte {
	if !l.More() {
		return 0
	}
	return l.b[l.pos]
}

// Take reads c if it comes next.
func (l *Lexer) Take(c byte) bool {
	if !l.More() || l.b[l.pos] != c {
		return false
	}
	l.pos++
	return true
}

// Expect reads c.
func (l *Lexer) Expect(c byte) {
	if !l.Take(c) {
		l.Fail(strconv.QuoteRune(rune(c)))
	}
}

// SP reads one space.
func (l *Lexer) SP() { l.Expect(' ') }

// TakeWord reads word, in any case, if it comes next and no further
// ATOM-CHAR follows; word is in upper case.
func (l *Lexer) TakeWord(word string) bool {
	rest := l.Rest()
	if l.err != nil || len(rest) < len(word) || !strings.EqualFold(string(rest[:len(word)]), word) {
		return false
	}
	if len(rest) > len(word) && classes[rest[len(word)]]&atomChar != 0 {
		return false
	}
	l.pos += len(word)
	return true
}

func (l *Lexer) word(class uint8, want string) string {
	start := l.pos
	for l.More() && classes[l.b[l.pos]]&class != 0 {
		l.pos++
	}
	if l.pos == start {
		l.Fail(want)
		return ""
	}
	return string(l.b[start:l.pos])
}

// Atom reads an atom.
func (l *Lexer) Atom() string { return l.word(atomChar, "an atom") }

// Name reads an atom and gives it in upper case: a command's or a data item's
// name, up to the "[" that may open a section.
func (l *Lexer) Name() string {
	start := l.pos
	for l.More() && classes[l.b[l.pos]]&atomChar != 0 && l.b[l.pos] != '[' {
		l.pos++
	}
	if l.pos == start {
		l.Fail("a name")
		return ""
	}
	return strings.ToUpper(string(l.b[start:l.pos]))
}

// Tag reads a tag.
func (l *Lexer) Tag() string { return l.word(tagChar, "a tag") }

// Flag reads a flag: an atom, or one behind a backslash, or "\*".
func (l *Lexer) Flag() string {
	if !l.Take('\\') {
		return l.Atom()
	}
	if l.Take('*') {
		return `\*`
	}
	return `\` + l.Atom()
}

// AString reads an atom, which may have "]" in it, or a string.
func (l *Lexer) AString() string {
	if l.isString() {
		return l.String()
	}
	return l.word(astringChar, "a string or an atom")
}

// Pattern reads a list-mailbox: an atom with wildcards, or a string.
func (l *Lexer) Pattern() string {
	if l.isString() {
		return l.String()
	}
	return l.word(listChar, "a pattern")
}

func (l *Lexer) isString() bool {
	c := l.Peek()
	return c == '"' || c == '{' || c == '~' && bytes.HasPrefix(l.Rest(), []byte("~{"))
}

// NString reads a string, or NIL (then ok is false).
func (l *Lexer) NString() (s string, ok bool) {
	if !l.isString() && l.TakeWord("NIL") {
		return "", false
	}
	return l.String(), l.err == nil
}

// Nil reads NIL if it comes next.
func (l *Lexer) Nil() bool { return l.TakeWord("NIL") }

// String reads a quoted string or a literal.
func (l *Lexer) String() string {
	if !l.Take('"') {
		return l.literal()
	}
	var out []byte
	for {
		rest := l.Rest()
		i := bytes.IndexAny(rest, "\"\\\r\n\x00")
		if l.err != nil || i < 0 || rest[i] < ' ' {
			l.Fail("the end of a quoted string")
			return ""
		}
		l.pos += i + 1
		if rest[i] == '"' {
			if out == nil {
				return string(rest[:i])
			}
			return string(append(out, rest[:i]...))
		}
		out = append(out, rest[:i]...)
		if c := l.Peek(); c != '"' && c != '\\' {
			l.Fail("a quoted special")
			return ""
		}
		out = append(out, l.b[l.pos])
		l.pos++
	}
}

// A Head is how a literal begins.
type Head struct {
	Size   int64
	Sync   bool // the peer waits for a go-ahead: {n} and not {n+}
	Binary bool // literal8: ~{n}
}

// Head reads the head of a literal if it is the last that is there.
func (l *Lexer) Head() (h Head, ok bool) {
	start := l.pos
	h, ok = l.head()
	if !ok || l.pos < len(l.b) {
		l.pos = start
		return Head{}, false
	}
	return h, true
}

func (l *Lexer) head() (h Head, ok bool) {
	if l.err != nil {
		return h, false
	}
	h, n := parseHead(l.Rest())
	l.pos += n
	return h, n > 0
}

// parseHead reads a head and tells how long it is; 0: it is none.
func parseHead(b []byte) (h Head, n int) {
	h.Sync = true
	if n < len(b) && b[n] == '~' {
		h.Binary = true
		n++
	}
	if n >= len(b) || b[n] != '{' {
		return Head{}, 0
	}
	n++
	digits := n
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	size, err := strconv.ParseInt(string(b[digits:n]), 10, 64)
	if err != nil {
		return Head{}, 0
	}
	h.Size = size
	if n < len(b) && (b[n] == '+' || b[n] == '-') {
		h.Sync = false
		n++
	}
	if n >= len(b) || b[n] != '}' {
		return Head{}, 0
	}
	return h, n + 1
}

// Trailing finds the head of a literal at the end of a line (without its
// CRLF): the bytes of the literal come next on the stream.
func Trailing(line []byte) (h Head, ok bool) {
	if len(line) == 0 || line[len(line)-1] != '}' {
		return h, false
	}
	i := bytes.LastIndexByte(line, '{')
	if i < 0 {
		return h, false
	}
	if i > 0 && line[i-1] == '~' {
		i--
	}
	h, n := parseHead(line[i:])
	return h, n > 0 && i+n == len(line)
}

func (l *Lexer) literal() string {
	h, ok := l.head()
	rest := l.Rest()
	if !ok || !bytes.HasPrefix(rest, []byte("\r\n")) || int64(len(rest)-2) < h.Size {
		l.Fail("a string")
		return ""
	}
	text := rest[2 : 2+h.Size]
	l.pos += 2 + len(text)
	if !h.Binary && bytes.IndexByte(text, 0) >= 0 {
		l.Fail("a literal without NUL")
		return ""
	}
	return string(text)
}

// Digits reads a number of at most limit.
func (l *Lexer) Digits(limit uint64) uint64 {
	start := l.pos
	for l.More() && l.b[l.pos] >= '0' && l.b[l.pos] <= '9' {
		l.pos++
	}
	n, err := strconv.ParseUint(string(l.b[start:l.pos]), 10, 64)
	if err != nil || n > limit {
		l.pos = start
		l.Fail("a number")
		return 0
	}
	return n
}

// Number reads a number of 32 bits.
func (l *Lexer) Number() uint32 { return uint32(l.Digits(1<<32 - 1)) }

// Positive reads an nz-number.
func (l *Lexer) Positive() uint32 {
	if l.Peek() == '0' {
		l.Fail("a number above 0")
	}
	return l.Number()
}

// Number64 reads a number of 63 bits.
func (l *Lexer) Number64() int64 { return int64(l.Digits(1<<63 - 1)) }

// Open reads "(" and Close ")"; too many that are open are an error.
func (l *Lexer) Open() {
	if l.depth++; l.depth > Depth {
		l.Fail("less nesting")
	}
	l.Expect('(')
}

// Close ends what Open began.
func (l *Lexer) Close() {
	l.depth--
	l.Expect(')')
}

// Down and Up count nesting that is not in parentheses.
func (l *Lexer) Down() {
	if l.depth++; l.depth > Depth {
		l.Fail("less nesting")
	}
}

// Up ends what Down began.
func (l *Lexer) Up() { l.depth-- }

// List reads "(" item *(SP item) ")", also without items.
func (l *Lexer) List(item func()) {
	l.Open()
	if l.Peek() != ')' {
		item()
		for l.Take(' ') {
			item()
		}
	}
	l.Close()
}

// Skip reads one value of any kind, for data items that nobody knows: a list,
// a string, or what stands up to the next space or parenthesis.
func (l *Lexer) Skip() {
	switch c := l.Peek(); {
	case c == '(':
		l.List(l.Skip)
	case l.isString():
		_ = l.String()
	default:
		start := l.pos
		for l.More() && !bytes.ContainsRune([]byte(" ()\"\r\n"), rune(l.b[l.pos])) {
			l.pos++
		}
		if l.pos == start {
			l.Fail("a value")
		}
	}
}
