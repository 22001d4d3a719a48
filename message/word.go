package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// DecodeText gives the text of a field's value with its encoded words decoded
// (RFC 2047). White space between two of them goes away; a character that was
// cut between two is put together; one that cannot be decoded stays as it is.
// What is no UTF-8 becomes U+FFFD, a control character a blank, so that the
// result is one line.
func DecodeText(s string) string {
	text, _ := decodeWords(s)
	return text
}

// decodeWords is DecodeText; bad tells that a word could not be decoded.
func decodeWords(s string) (text string, bad bool) {
	if !strings.Contains(s, "=?") {
		return oneLine(validText(s)), false
	}
	d := wordDecoder{}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			d.plain(s)
			break
		}
		w, length, ok := parseWord(s[i:])
		switch {
		case !ok:
			bad = true
			d.plain(s[:i+length])
		case i > 0 && (!d.pending || strings.TrimLeft(s[:i], " \t") != ""):
			d.plain(s[:i])
			d.word(w)
		default:
			d.word(w)
		}
		s = s[i+length:]
	}
	d.flush()
	return oneLine(d.out.String()), bad || d.bad
}

func oneLine(s string) string {
	if printable(s) || strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// encodedWord is one encoded word, its transfer encoding undone.
type encodedWord struct {
	charset string
	octets  []byte
	source  string
}

// parseWord reads an encoded word at the start of s. If there is none, length
// is how much is plain text for certain.
func parseWord(s string) (w encodedWord, length int, ok bool) {
	charset, after, found := strings.Cut(s[2:], "?")
	if !found {
		return w, len(s), false
	}
	if charset == "" || strings.ContainsAny(charset, " \t") || len(after) < 2 || after[1] != '?' {
		return w, 2, false
	}
	coding := after[0] | 0x20
	if coding != 'q' && coding != 'b' {
		return w, 2, false
	}
	text, _, found := strings.Cut(after[2:], "?=")
	if !found {
		return w, len(s), false // nor can one end that begins later
	}
	length = 2 + len(charset) + 3 + len(text) + 2
	w.charset, _, _ = strings.Cut(charset, "*") // RFC 2231 5: a language may follow
	w.source = s[:length]
	if coding == 'q' {
		w.octets = decodeQ(text)
		return w, length, true
	}
	w.octets, ok = decodeB(text)
	return w, length, ok
}

func decodeQ(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '_':
			c = ' '
		case '=':
			if coded, ok := hexByte(s[i+1:]); ok {
				c = coded
				i += 2
			}
		}
		b = append(b, c)
	}
	return b
}

func decodeB(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.Map(func(r rune) rune {
		if isSpace(byte(r)) {
			return -1
		}
		return r
	}, s), "=")
	if len(s)%4 == 1 && len(s) > 1 {
		s = s[:len(s)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

// wordDecoder puts words of one charset together before it decodes them.
type wordDecoder struct {
	out     strings.Builder
	pending bool
	charset string
	octets  []byte
	source  []byte
	bad     bool
}

func (d *wordDecoder) plain(s string) {
	d.flush()
	d.out.WriteString(validText(s))
}

func (d *wordDecoder) word(w encodedWord) {
	if d.pending && !strings.EqualFold(d.charset, w.charset) {
		d.flush()
	}
	d.pending, d.charset = true, w.charset
	d.octets = append(d.octets, w.octets...)
	if len(d.source) > 0 {
		d.source = append(d.source, ' ')
	}
	d.source = append(d.source, w.source...)
}

func (d *wordDecoder) flush() {
	if !d.pending {
		return
	}
	text, known := decodeCharset(d.charset, d.octets)
	if !known {
		d.bad = true
		text = validText(string(d.source))
	}
	d.out.WriteString(text)
	d.pending, d.octets, d.source = false, d.octets[:0], d.source[:0]
}

// wordLength is the longest encoded word that is written. RFC 2047 2 allows 75;
// this leaves room on a line for the names of common fields.
const wordLength = 64

// EncodeText gives s as the value of an unstructured field: its words that are
// not printable ASCII become encoded words in UTF-8, whole characters in each
// (RFC 2047 5). Line breaks inside become part of an encoded word, and harmless.
func EncodeText(s string) string {
	words := strings.Split(s, " ")
	from, to := -1, -1
	for i, w := range words {
		if mustEncode(w) {
			if from < 0 {
				from = i
			}
			to = i + 1
		}
	}
	if strings.Trim(s, " ") != s { // a field's value has no blanks around it
		from, to = 0, len(words)
	}
	if from < 0 {
		return s
	}
	var b []byte
	if from > 0 {
		b = append(append(b, strings.Join(words[:from], " ")...), ' ')
	}
	b = appendWords(b, strings.Join(words[from:to], " "))
	if to < len(words) {
		b = append(append(b, ' '), strings.Join(words[to:], " ")...)
	}
	return string(b)
}

// mustEncode tells whether a word cannot stand as it is: because of what is in
// it, or because no line could hold it.
func mustEncode(w string) bool {
	return !printable(w) || strings.Contains(w, "=?") || len(w) > maxLine-100
}

// appendPhrase writes a display name: as atoms, as a quoted string, or as
// encoded words.
func appendPhrase(b []byte, name string) []byte {
	if mustEncode(name) {
		return appendWords(b, name)
	}
	for i := range len(name) {
		if !isAtext(name[i]) && (name[i] != ' ' || i == 0 || i == len(name)-1 || name[i-1] == ' ') {
			return appendQuoted(b, name)
		}
	}
	if name == "" {
		return append(b, `""`...)
	}
	return append(b, name...)
}

// appendWords writes s as encoded words with blanks between, in the encoding
// that is shorter. The letters are those of RFC 2047 5 (3), good for a phrase too.
func appendWords(b []byte, s string) []byte {
	s = validText(s)
	q := 0
	for i := range len(s) {
		q += qLength(s[i])
	}
	inBase64 := base64.StdEncoding.EncodedLen(len(s)) < q
	for i := 0; s != ""; i++ {
		if i > 0 {
			b = append(b, ' ')
		}
		n := wordPrefix(s, inBase64)
		if inBase64 {
			b = append(b, "=?utf-8?b?"...)
			b = base64.StdEncoding.AppendEncode(b, []byte(s[:n]))
		} else {
			b = append(b, "=?utf-8?q?"...)
			b = appendQ(b, s[:n])
		}
		b = append(b, "?="...)
		s = s[n:]
	}
	return b
}

// wordPrefix is how many octets of s go into one encoded word: whole characters.
func wordPrefix(s string, inBase64 bool) int {
	room := wordLength - len("=?utf-8?q??=")
	n, used := 0, 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		if inBase64 {
			used = base64.StdEncoding.EncodedLen(n + size)
		} else {
			for i := range size {
				used += qLength(s[n+i])
			}
		}
		if used > room {
			break
		}
		n += size
	}
	return n
}

func qLength(c byte) int {
	if c == ' ' || isQ(c) {
		return 1
	}
	return 3
}

// isQ tells the characters that stand for themselves in a phrase's "Q" word.
func isQ(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!*+-/", c) >= 0
}

func appendQ(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b = append(b, '_')
		case isQ(c):
			b = append(b, c)
		default:
			b = append(b, '=', digits[c>>4], digits[c&15])
		}
	}
	return b
}
