package message

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
)

// ParseMessageIDs gives the identifiers of a Message-ID, References or
// In-Reply-To field, each in angle brackets, without white space and comments,
// and without quotes where they are not needed, so that equal ones compare
// equal. What stands between them, as in "Message of Monday from Joe <a@b>",
// is passed by; where there are no brackets at all, words with an "@" are
// taken. RFC 5322 3.6.4, 4.5.4.
func ParseMessageIDs(value string) []string {
	var ids []string
	l := scanText(value)
	for !l.done() {
		l.skipCFWS()
		switch l.peek() {
		case '<':
			l.i++
			if id := l.inBrackets(); id != "" {
				ids = append(ids, "<"+id+">")
			}
		case '"':
			l.quoted("")
		default:
			l.i++
		}
	}
	if len(ids) == 0 && !strings.Contains(value, "<") {
		for w := range strings.FieldsSeq(value) {
			if at := strings.IndexByte(w, '@'); at > 0 && at < len(w)-1 {
				ids = append(ids, "<"+strings.Trim(w, ",;>")+">")
			}
		}
	}
	return ids
}

// inBrackets passes an identifier and the bracket that closes it. A "<" before
// that begins another: the bracket was forgotten.
func (l *lexer) inBrackets() string {
	var b strings.Builder
	for !l.done() {
		switch c := l.s[l.i]; {
		case c == '>':
			l.i++
			return b.String()
		case c == '<':
			return b.String()
		case isSpace(c):
			l.i++
		case c == '"':
			// RFC 5256 3: <"a"@b> and <a@b> are one.
			if text := l.quoted(""); isDotAtom(text) {
				b.WriteString(text)
			} else {
				b.Write(appendQuoted(nil, text))
			}
		default:
			b.WriteByte(c)
			l.i++
		}
	}
	return b.String()
}

// ValidMessageID tells what NNTP takes for an identifier: 3 to 250 octets of
// printable ASCII, a "<" first, a ">" last and nowhere else. RFC 3977 3.6.
func ValidMessageID(id string) bool {
	if len(id) < 3 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f || id[i] == '>' && i != len(id)-1 {
			return false
		}
	}
	return true
}

// ValidNewsID tells what may stand in the Message-ID field of a new article: a
// ValidMessageID that is atoms with dots, "@", and atoms with dots or a literal
// in square brackets. RFC 5536 3.1.3.
func ValidNewsID(id string) bool {
	if !ValidMessageID(id) {
		return false
	}
	left, right, ok := strings.Cut(id[1:len(id)-1], "@")
	if !ok || !isDotAtom(left) {
		return false
	}
	if inner, ok := strings.CutPrefix(right, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && !strings.ContainsAny(inner, `[]\<`)
	}
	return isDotAtom(right)
}

// NewMessageID makes an identifier that nobody else makes: time and 80 random
// bits, at that domain. The error is [ErrAddress] for what is no domain.
func NewMessageID(domain string, now time.Time) (string, error) {
	if !validDomain(domain) || !printable(domain) {
		return "", fmt.Errorf("%w: domain %q of a message identifier", ErrAddress, domain)
	}
	var random [10]byte
	rand.Read(random[:])
	name := strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
	return fmt.Sprintf("<%s.%s@%s>", now.UTC().Format("20060102150405"), name, domain), nil
}
