package gopher

import (
	"bytes"
	"errors"
	"strings"
)

// A Request is what a client asks: the one line, and what may follow it.
type Request struct {
	Selector string
	Search   string // the words for an item of type Search
	// Plus is the Gopher+ part: "+" for the item with a header, "+VIEW LANG"
	// for another view of it, "!" for its attributes, "$" for those of all
	// items of a menu, both with "+NAME" behind for some of them only.
	Plus string
	// Flag is "1" where a data block follows the line, "0" or "" where none
	// does (Gopher+ section 2.4).
	Flag string
}

// ErrRequest is a request with more fields than there are.
var ErrRequest = errors.New("gopher: malformed request")

// isPlus tells a Gopher+ part from the words of a search. Words that look like
// one are taken for one; a server that knows the item to be an index puts that
// right.
func isPlus(s string) bool { return s != "" && strings.IndexByte("+!$", s[0]) >= 0 }

// isFlag tells Gopher+'s data flag.
func isFlag(s string) bool { return s == "0" || s == "1" }

// Append writes the request as a line without CRLF. ErrField: something inside
// would end it, and nothing was written.
func (r Request) Append(b []byte) ([]byte, error) {
	if !clean(r.Selector, r.Search, r.Plus) {
		return b, ErrField
	}
	if r.Flag != "" && (!isFlag(r.Flag) || r.Plus == "") {
		return b, ErrRequest
	}
	b = append(b, r.Selector...)
	if r.Search != "" || r.Plus != "" && !isPlus(r.Plus) {
		b = append(append(b, '\t'), r.Search...)
	}
	if r.Plus != "" {
		b = append(append(b, '\t'), r.Plus...)
	}
	if r.Flag != "" {
		b = append(append(b, '\t'), r.Flag...)
	}
	return b, nil
}

// ParseRequest reads a request line without its end (RFC 1436 section 3.6 and
// 3.7, Gopher+ section 2.4, RFC 4266 section 2.3).
func ParseRequest(line []byte) (Request, error) {
	if bytes.ContainsAny(line, "\r\n\x00") {
		return Request{}, ErrField
	}
	f := strings.Split(string(line), "\t")
	r := Request{Selector: f[0]}
	switch f = f[1:]; {
	case len(f) == 0:
	case len(f) == 1 && isPlus(f[0]):
		r.Plus = f[0]
	case len(f) == 1:
		r.Search = f[0]
	case len(f) == 2 && isPlus(f[0]) && (isFlag(f[1]) || f[1] == ""):
		r.Plus, r.Flag = f[0], f[1]
	case len(f) == 2:
		r.Search, r.Plus = f[0], f[1]
	case len(f) == 3 && isFlag(f[2]) && f[1] != "":
		r.Search, r.Plus, r.Flag = f[0], f[1], f[2]
	default:
		return Request{}, ErrRequest
	}
	return r, nil
}
