package message

import (
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// charset finds the encoding of a name that a message gives. The names are
// those of the WHATWG's list and IANA's; the former takes us-ascii and iso-8859-1 for the
// windows-1252 that is written under them. No name is UTF-8, which US-ASCII is
// part of.
func charset(name string) (encoding.Encoding, bool) {
	name = strings.Trim(strings.ToLower(name), " \t\"'")
	switch name {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968":
		// Octets above 127 are none of ASCII; today's writers mean UTF-8.
		return unicode.UTF8, true
	}
	if enc, err := htmlindex.Get(name); err == nil && enc != encoding.Replacement {
		return enc, true
	}
	if enc, err := ianaindex.IANA.Encoding(name); err == nil && enc != nil { // DOS code pages, HZ
		return enc, true
	}
	return unicode.UTF8, false
}

// decodeCharset gives the text of b, and whether the charset was known.
func decodeCharset(name string, b []byte) (string, bool) {
	enc, known := charset(name)
	if enc == unicode.UTF8 {
		return validText(string(b)), known
	}
	text, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return validText(string(b)), false
	}
	return string(text), known
}

// validText is s with what is no UTF-8 replaced by U+FFFD.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// charsetReader gives what r holds as UTF-8.
func charsetReader(name string, r io.Reader) io.Reader {
	enc, _ := charset(name)
	return transform.NewReader(r, enc.NewDecoder())
}
