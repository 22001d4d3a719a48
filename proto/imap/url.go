package imap

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// ErrURL is a URL that names nothing in IMAP.
var ErrURL = errors.New("imap: bad URL")

// A URL is what an imap: URL names (RFC 5092).
type URL struct {
	User, Mechanism string // "": none, any
	Mailbox         string // "": the server
	UIDValidity     uint32 // 0: not told
	Search          string // a search program, as it goes to the server
	UID             uint32 // of a message
	Index           uint32 // its sequence number, curl's MAILINDEX
	Section         Section
	Partial         *Partial
}

// ParseURL reads a URL. The error is ErrURL.
func ParseURL(u *url.URL) (URL, error) {
	var what URL
	what.User, what.Mechanism = parseUser(u)
	path, params, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), ";")
	if params != "" {
		path = strings.TrimSuffix(path, "/")
	}
	var err error
	if what.Mailbox, err = url.PathUnescape(path); err != nil {
		return what, fmt.Errorf("%w: %w", ErrURL, err)
	}
	what.Mailbox = canonical(what.Mailbox)
	for params != "" {
		var one string
		one, params, _ = strings.Cut(params, ";")
		if err := what.set(strings.TrimSuffix(one, "/")); err != nil {
			return what, err
		}
	}
	if what.Search, err = url.PathUnescape(u.RawQuery); err != nil {
		return what, fmt.Errorf("%w: %w", ErrURL, err)
	}
	piece := what.UID > 0 || what.Index > 0
	if piece && (what.Mailbox == "" || what.Search != "" || what.UID > 0 && what.Index > 0) ||
		!piece && (what.Partial != nil || what.Section.Text != "" || what.Section.Part != nil) {
		return what, fmt.Errorf("%w: a message has a mailbox, and UID before SECTION and PARTIAL", ErrURL)
	}
	return what, nil
}

// parseUser takes the user apart. The mechanism is "" for any.
func parseUser(u *url.URL) (user, mechanism string) {
	user = u.User.Username()
	if i := strings.LastIndex(strings.ToUpper(user), ";AUTH="); i >= 0 {
		user, mechanism = user[:i], user[i+len(";AUTH="):]
	}
	if mechanism == "*" {
		mechanism = ""
	}
	return user, mechanism
}

// set reads one of the parameters.
func (what *URL) set(param string) error {
	name, value, ok := strings.Cut(param, "=")
	value, err := url.PathUnescape(value)
	if err != nil || !ok {
		return fmt.Errorf("%w: %q", ErrURL, param)
	}
	switch strings.ToUpper(name) {
	case "UIDVALIDITY":
		what.UIDValidity, err = positive(value)
	case "UID":
		what.UID, err = positive(value)
	case "MAILINDEX":
		what.Index, err = positive(value)
	case "SECTION":
		l := token.New([]byte("[" + value + "]"))
		what.Section = lexSection(l, false)
		err = l.End()
	case "PARTIAL":
		what.Partial, err = parseRange(value)
	default:
		return fmt.Errorf("%w: %q is unknown", ErrURL, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrURL, name, err)
	}
	return nil
}

func positive(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && n == 0 {
		err = ErrSyntax
	}
	return uint32(n), err
}

// parseRange reads offset.length; without a length it goes to the end.
func parseRange(text string) (*Partial, error) {
	from, length, has := strings.Cut(text, ".")
	p := &Partial{Length: 1<<32 - 1}
	n, err := strconv.ParseUint(from, 10, 32)
	if err != nil {
		return nil, err
	}
	p.Offset = int64(n)
	if has {
		m, err := positive(length)
		if err != nil {
			return nil, err
		}
		p.Length = int64(m)
	}
	return p, nil
}

// Path is the path and the query of the URL, escaped; ParseURL reads it.
func (what URL) Path() string {
	b := []byte("/" + url.PathEscape(what.Mailbox))
	number := func(name string, n uint32) {
		if n > 0 {
			b = strconv.AppendUint(append(append(b, name...), '='), uint64(n), 10)
		}
	}
	number(";UIDVALIDITY", what.UIDValidity)
	number("/;UID", what.UID)
	number("/;MAILINDEX", what.Index)
	if what.Section.Text != "" || what.Section.Part != nil {
		section := string(what.Section.Append(nil))
		b = append(append(b, "/;SECTION="...), url.PathEscape(section[1:len(section)-1])...)
	}
	if p := what.Partial; p != nil {
		b = strconv.AppendInt(append(b, "/;PARTIAL="...), p.Offset, 10)
		b = strconv.AppendInt(append(b, '.'), p.Length, 10)
	}
	if what.Search != "" {
		b = append(append(b, '?'), url.PathEscape(what.Search)...)
	}
	return string(b)
}
