package smtp

import (
	"strings"
	"unicode/utf8"
)

// A Mailbox is an address of mail (RFC 5321 section 4.1.2, RFC 6531 section
// 3.3). The zero Mailbox is the null path, to which nothing may be returned.
// Mailboxes that are written differently but mean the same, by needless quotes,
// are equal.
type Mailbox struct {
	Local  string // without quotes
	Domain string // a name, or an address in brackets; "" with Postmaster and in LMTP
}

// maxPath is how long a path may be, brackets included (RFC 5321 section
// 4.5.3.1.3).
const maxPath = 256

var (
	errPath = Reply{501, Status{5, 5, 4}, "Expected <address>"}
	errLong = Reply{501, Status{5, 1, 3}, "Address too long"}
	errBad  = Reply{501, Status{5, 1, 3}, "Bad address syntax"}
)

// ParseMailbox reads an address as people write it, without angle brackets:
// "ann@example.test", "\"a b\"@[192.0.2.1]"; "" is the null path. The error is
// a Reply.
func ParseMailbox(s string) (Mailbox, error) {
	m, rest, err := mailbox(s)
	if err == nil && rest != "" {
		err = errBad
	}
	if err != nil {
		return Mailbox{}, err
	}
	return m, nil
}

// String is the address as people write it, the local part quoted where it has
// to be; "" for the null path.
func (m Mailbox) String() string {
	if m == (Mailbox{}) {
		return ""
	}
	return string(m.append(nil))
}

// IsNull tells the null path.
func (m Mailbox) IsNull() bool { return m == Mailbox{} }

// ASCII tells whether the address can be said without SMTPUTF8.
func (m Mailbox) ASCII() bool { return isASCII(m.Local) && isASCII(m.Domain) }

func (m Mailbox) append(b []byte) []byte {
	switch {
	case m == Mailbox{}:
		return b
	case isDotString(m.Local):
		b = append(b, m.Local...)
	default:
		b = append(b, '"')
		for i := range len(m.Local) {
			if c := m.Local[i]; c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, m.Local[i])
		}
		b = append(b, '"')
	}
	if m.Domain != "" {
		b = append(append(b, '@'), m.Domain...)
	}
	return b
}

// appendPath writes the address as MAIL and RCPT have it.
func (m Mailbox) appendPath(b []byte) []byte { return append(m.append(append(b, '<')), '>') }

// valid tells whether the address can be written and read again.
func (m Mailbox) valid() bool {
	s := m.String()
	back, err := ParseMailbox(s)
	return err == nil && back == m && len(s)+2 <= maxPath
}

// path reads <address> at the beginning of s. A source route before the
// address is dropped (RFC 5321 appendix C).
func path(s string) (m Mailbox, rest string, err error) {
	if !strings.HasPrefix(s, "<") {
		return m, s, errPath
	}
	rest = s[1:]
	if strings.HasPrefix(rest, "@") {
		route, after, ok := strings.Cut(rest, ":")
		if !ok || strings.ContainsAny(route, "<>\" ") {
			return m, s, errBad
		}
		rest = after
	}
	if m, rest, err = mailbox(rest); err != nil {
		return m, s, err
	}
	if !strings.HasPrefix(rest, ">") {
		return m, s, errPath
	}
	rest = rest[1:]
	if len(s)-len(rest) > maxPath {
		return m, s, errLong
	}
	return m, rest, nil
}

// mailbox reads an address at the beginning of s, as far as it goes.
func mailbox(s string) (m Mailbox, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		if m.Local, rest, err = quoted(s); err != nil {
			return m, s, err
		}
	} else {
		n := strings.IndexFunc(s, func(r rune) bool { return !isLocal(r) })
		if n < 0 {
			n = len(s)
		}
		if m.Local, rest = s[:n], s[n:]; n == 0 {
			if rest == "" || rest[0] == '>' {
				return Mailbox{}, rest, nil
			}
			return m, s, errBad
		}
	}
	if !utf8.ValidString(m.Local) || m.Local == "" {
		return m, s, errBad
	}
	if !strings.HasPrefix(rest, "@") {
		return m, rest, nil
	}
	m.Domain, rest, err = domain(rest[1:])
	return m, rest, err
}

// quoted reads a quoted string.
func quoted(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s) && s[i+1] >= ' ' && s[i+1] < 0x7f:
			i++
			b.WriteByte(s[i])
		case c < ' ' || c == 0x7f || c == '\\':
			return "", s, errBad
		default:
			b.WriteByte(c)
		}
	}
	return "", s, errBad
}

// domain reads a name or an address in brackets.
func domain(s string) (name, rest string, err error) {
	n := 0
	if strings.HasPrefix(s, "[") {
		n = strings.IndexByte(s, ']') + 1
		if n < 3 || strings.ContainsFunc(s[1:n-1], func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '[' || r == '\\' }) {
			return "", s, errBad
		}
		return s[:n], s[n:], nil
	}
	for n < len(s) && isDomain(s[n]) {
		n++
	}
	name = s[:n]
	if n == 0 || n > 255 || name[0] == '.' || strings.Contains(name, "..") || name[n-1] == '.' || !utf8.ValidString(name) {
		return "", s, errBad
	}
	return name, s[n:], nil
}

// isDomain tells what a name may be made of; the underscore is seen in the
// wild.
func isDomain(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '-' || c == '.' || c == '_' || c >= utf8.RuneSelf
}

// isLocal tells what may stand in a local part without quotes.
func isLocal(r rune) bool {
	return r > ' ' && r != 0x7f && !strings.ContainsRune(`<>()[]\,;:@"`, r)
}

// isDotString tells whether a local part needs no quotes.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && !isLocal(rune(c)) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendXtext writes s as RFC 3461 section 4 has it.
func appendXtext(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '+' || c == '=' {
			b = append(b, '+', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// parseXtext is the other way; ok is false for what is none.
func parseXtext(s string) (text string, ok bool) {
	if strings.IndexByte(s, '+') < 0 {
		return s, isASCII(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return "", false
		}
		if s[i] != '+' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi > 15 || lo > 15 {
			return "", false
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), true
}

// unhex is a digit's value; above 15: it is none.
func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
