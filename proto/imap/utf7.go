package imap

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrName is a mailbox name that cannot be read: it is neither UTF-8 nor
// modified UTF-7, or has characters that no name may have.
var ErrName = errors.New("imap: bad mailbox name")

// mutf7 is base64 as RFC 3501 section 5.1.3 has it.
var mutf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding).Strict()

// EncodeName writes a mailbox name in modified UTF-7 (RFC 3501 section 5.1.3):
// printable ASCII stands for itself, "&" is "&-", all else is base64 of UTF-16
// between "&" and "-".
func EncodeName(name string) string {
	plain := func(r rune) bool { return r >= ' ' && r <= '~' }
	var b strings.Builder
	for len(name) > 0 {
		i := strings.IndexFunc(name, func(r rune) bool { return !plain(r) })
		if i < 0 {
			i = len(name)
		}
		b.WriteString(strings.ReplaceAll(name[:i], "&", "&-"))
		name = name[i:]
		if name == "" {
			break
		}
		i = strings.IndexFunc(name, plain)
		if i < 0 {
			i = len(name)
		}
		var raw []byte
		for _, u := range utf16.Encode([]rune(name[:i])) {
			raw = append(raw, byte(u>>8), byte(u))
		}
		b.WriteString("&" + mutf7.EncodeToString(raw) + "-")
		name = name[i:]
	}
	return b.String()
}

// DecodeName reads modified UTF-7. ErrName: it is none, or not the one way to
// write the name.
func DecodeName(wire string) (string, error) {
	var b strings.Builder
	for rest := wire; rest != ""; {
		plain, coded, found := strings.Cut(rest, "&")
		if strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r > '~' }) {
			return "", ErrName
		}
		b.WriteString(plain)
		if !found {
			break
		}
		coded, after, found := strings.Cut(coded, "-")
		if !found {
			return "", ErrName
		}
		rest = after
		if coded == "" {
			b.WriteByte('&')
			continue
		}
		raw, err := mutf7.DecodeString(coded)
		if err != nil || len(raw)%2 != 0 {
			return "", ErrName
		}
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	name := b.String()
	if strings.ContainsRune(name, utf8.RuneError) || EncodeName(name) != wire {
		return "", ErrName
	}
	return name, nil
}

// readName is a mailbox name as it came, made UTF-8, with INBOX in capitals.
// Clients that speak UTF-8 may send it bare; the others send modified UTF-7,
// and those that forget to encode it are understood.
func readName(wire string, utf8Names bool) (string, error) {
	name := wire
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 }) {
		return "", ErrName
	}
	if !utf8Names && isASCII(name) {
		if decoded, err := DecodeName(name); err == nil {
			name = decoded
		}
	}
	return canonical(name), nil
}

// canonical writes INBOX, in whatever case, in capitals, also above others.
func canonical(name string) string {
	if len(name) >= 5 && strings.EqualFold(name[:5], "INBOX") && (len(name) == 5 || name[5] == '/') {
		return "INBOX" + name[5:]
	}
	return name
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// writeName is a mailbox name as it goes.
func writeName(st Style, b []byte, name string) []byte { return st.AString(b, wireName(st, name)) }

// wireName is a name as it stands on the wire; one that is no UTF-8 came so
// from a server, and goes back so.
func wireName(st Style, name string) string {
	if st&UTF8 != 0 || !utf8.ValidString(name) {
		return name
	}
	return EncodeName(name)
}
