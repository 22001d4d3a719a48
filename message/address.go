package message

import (
	"fmt"
	"strings"
)

// Address is a mailbox, or a group of mailboxes. RFC 5322 3.4.
type Address struct {
	// Name is the display name, decoded; of a group, its name. A comment
	// behind an address without a name is taken for its name, as it was before
	// RFC 822.
	Name string
	// RawName is the name as it stood, without quotes and not decoded. Only
	// readers set it; writers look at Name.
	RawName string
	// Route is the list of domains that RFC 822 allowed before an address.
	Route string
	// Local and Domain are what stands before and after the "@", without
	// quotes; a domain literal has its brackets. Where there was no "@" there
	// is no Domain.
	Local, Domain string
	// Group tells a group, which has Members and no Local and Domain.
	Group   bool
	Members []Address
}

// Spec is the bare address, as SMTP and people write it, quoted where it must
// be: local@domain. A group has none.
func (a Address) Spec() string {
	if a.Local == "" && a.Domain == "" {
		return ""
	}
	b := appendLocal(nil, a.Local)
	if a.Domain != "" {
		b = append(append(b, '@'), a.Domain...)
	}
	return string(b)
}

// String is the address as it is written into a field, encoded words and all;
// of an address that cannot be written, nothing.
func (a Address) String() string {
	b, err := a.Append(nil)
	if err != nil {
		return ""
	}
	return string(b)
}

func appendLocal(b []byte, local string) []byte {
	if isDotAtom(local) {
		return append(b, local...)
	}
	return appendQuoted(b, local)
}

// Append writes the address into a field's value. The errors are [ErrAddress]
// and [ErrBreak]; then b is as it was. Octets above 127 in the address itself
// are written as UTF-8 (RFC 6532); those of the name become encoded words.
func (a Address) Append(b []byte) ([]byte, error) {
	if strings.ContainsAny(a.Name+a.Local+a.Domain, "\r\n\x00") {
		return b, ErrBreak
	}
	if a.Group {
		return a.appendGroup(b)
	}
	if a.Local == "" || a.Domain == "" || !validDomain(a.Domain) {
		return b, fmt.Errorf("%w: %q", ErrAddress, a.Spec())
	}
	if a.Name == "" {
		return append(b, a.Spec()...), nil
	}
	b = append(appendPhrase(b, a.Name), " <"...)
	return append(append(b, a.Spec()...), '>'), nil
}

func (a Address) appendGroup(b []byte) ([]byte, error) {
	out := append(appendPhrase(b, a.Name), ':')
	for i, m := range a.Members {
		if m.Group {
			return b, fmt.Errorf("%w: a group inside the group %q", ErrAddress, a.Name)
		}
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = m.Append(append(out, ' ')); err != nil {
			return b, err
		}
	}
	return append(out, ';'), nil
}

// validDomain tells a dot-atom or a domain literal.
func validDomain(d string) bool {
	if inner, ok := strings.CutPrefix(d, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && !strings.ContainsAny(inner, "[]\\ \t")
	}
	return isDotAtom(d)
}

// AppendAddresses writes a list.
func AppendAddresses(b []byte, list []Address) ([]byte, error) {
	out := b
	for i, a := range list {
		if i > 0 {
			out = append(out, ", "...)
		}
		var err error
		if out, err = a.Append(out); err != nil {
			return b, err
		}
	}
	return out, nil
}

// ParseAddress reads a field with one mailbox. The error is [ErrAddress].
func ParseAddress(value string) (Address, error) {
	list, err := ParseAddresses(value)
	if err != nil {
		return Address{}, err
	}
	if len(list) != 1 || list[0].Group {
		return Address{}, fmt.Errorf("%w: %q is not one mailbox", ErrAddress, value)
	}
	return list[0], nil
}

// ParseAddresses reads a list of mailboxes and groups. It gives what it could
// make of the value, whatever that is; the error, an [ErrAddress], says that
// something was missing or left over.
func ParseAddresses(value string) ([]Address, error) {
	p := addressParser{lexer: lexer{s: value}}
	list := p.list(false)
	if p.open {
		p.fail("not closed")
	}
	return list, p.err
}

type addressParser struct {
	lexer
	err error
}

func (p *addressParser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s at octet %d", ErrAddress, what, p.i)
	}
}

// list reads addresses to the end, or to the semicolon of a group.
func (p *addressParser) list(inGroup bool) []Address {
	var list []Address
	for {
		p.comment = ""
		p.skipCFWS()
		switch {
		case p.done():
			if inGroup {
				p.fail("group not closed")
			}
			return list
		case p.take(','): // RFC 5322 4.4: the list may have empty members
			continue
		case p.take(';'):
			if inGroup {
				return list
			}
			continue // Outlook separates by semicolons
		}
		if a, ok := p.address(inGroup); ok {
			list = append(list, a)
		}
	}
}

// address reads one address. It passes at least one octet.
func (p *addressParser) address(inGroup bool) (Address, bool) {
	w := words{from: p.i}
	p.comment = ""
	for {
		p.skipCFWS()
		switch c := p.peek(); {
		case p.done() || c == ',' || c == ';':
			return p.bare(w)
		case c == '<':
			return p.angle(w), true
		case c == ':' && !inGroup:
			p.i++
			raw := w.phrase()
			return Address{Name: DecodeText(raw), RawName: raw, Group: true, Members: p.list(true)}, true
		case c == '@' && w.broken:
			p.i++
		case c == '@':
			if a, ok := p.spec(w); ok {
				return a, true
			}
			w.broken = true // "a@b <c@d>": all of it is the name
		case c == '"':
			w.add(p.quoted(""), true)
		case c == '[':
			w.add(p.literal(), false)
		default:
			if text := p.atom(); text != "" {
				w.add(text, false)
				break
			}
			p.fail("unexpected " + string(rune(c)))
			p.i++
		}
	}
}

// words are the words before the "<", "@" or ":" that tells what they are.
type words struct {
	list   []string
	quoted []bool
	from   int    // where they begin
	broken bool   // they are no words of the grammar, and only this can be said:
	text   string // what stands there
}

func (w *words) add(s string, quoted bool) {
	w.list = append(w.list, s)
	w.quoted = append(w.quoted, quoted)
}

// phrase is the words as a display name.
func (w *words) phrase() string {
	if w.broken {
		return strings.TrimSpace(w.text)
	}
	return strings.Join(w.list, " ")
}

// local is the words as a local part: RFC 5322 4.4 allows white space and
// comments around its dots.
func (w *words) local() (string, bool) {
	var b strings.Builder
	good := true
	for i, s := range w.list {
		last := b.String()
		if i > 0 && !strings.HasSuffix(last, ".") && !strings.HasPrefix(s, ".") {
			good = false
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	if len(w.list) == 1 && w.quoted[0] {
		return b.String(), true
	}
	return b.String(), good && (isDotAtom(b.String()) || hasQuoted(w.quoted))
}

func hasQuoted(list []bool) bool {
	for _, q := range list {
		if q {
			return true
		}
	}
	return false
}

// bare is an address without "@" or "<": a local part alone, or a name alone.
func (p *addressParser) bare(w words) (Address, bool) {
	if len(w.list) == 0 && !w.broken {
		return Address{}, false
	}
	p.fail("no domain")
	if w.broken {
		return Address{Local: strings.TrimSpace(p.s[w.from:p.i])}, true
	}
	local, _ := w.local()
	return Address{Local: local}.named(p.comment), true
}

// spec reads the "@" and domain of an address without brackets. If what comes
// after shows that it was none, it gives false, and the words are broken.
func (p *addressParser) spec(w words) (Address, bool) {
	p.i++
	domain := p.domain()
	local, good := w.local()
	a := Address{Local: local, Domain: domain}
	p.skipCFWS()
	switch c := p.peek(); {
	case p.done() || c == ',' || c == ';':
	case c == '<':
		return a, false
	default:
		ahead := strings.IndexAny(p.s[p.i:], ",;<")
		if ahead >= 0 && p.s[p.i+ahead] == '<' {
			return a, false
		}
		p.fail("text after an address")
		if ahead < 0 {
			ahead = len(p.s) - p.i
		}
		p.i += ahead
	}
	if !good || domain == "" {
		p.fail("malformed local part or domain")
	}
	return a.named(p.comment), true
}

// named gives the address the name that stood in a comment.
func (a Address) named(comment string) Address {
	a.Name, a.RawName = DecodeText(comment), comment
	return a
}

// domain reads a domain: atoms and dots with comments between, or a literal.
func (p *addressParser) domain() string {
	var b strings.Builder
	for {
		p.skipCFWS()
		if p.peek() == '[' {
			b.WriteString(p.literal())
			continue
		}
		before := p.i
		text := p.atom()
		if text == "" {
			return b.String()
		}
		if b.Len() > 0 && !strings.HasPrefix(text, ".") && !strings.HasSuffix(b.String(), ".") {
			p.i = before // another word: what it is, is the caller's question
			return b.String()
		}
		b.WriteString(text)
	}
}

// angle reads "<...>" behind a name.
func (p *addressParser) angle(w words) Address {
	w.text = p.s[w.from:p.i]
	raw := w.phrase()
	if w.broken {
		p.fail("a name that is no phrase")
	}
	p.i++
	a := Address{Name: DecodeText(raw), RawName: raw}
	if raw == "" {
		a = a.named(p.comment)
	}
	p.inAngle(&a)
	p.skipCFWS()
	if raw == "" && a.RawName == "" {
		a = a.named(p.comment)
	}
	if c := p.peek(); !p.done() && c != ',' && c != ';' {
		p.fail("text after an address")
		p.toSeparator()
	}
	return a
}

// toSeparator passes to the next comma or semicolon outside of quotes, or to
// another "<", which may be of a list whose commas are missing.
func (p *addressParser) toSeparator() {
	for !p.done() {
		switch p.s[p.i] {
		case ',', ';':
			return
		case '"':
			p.quoted("")
		case '(':
			p.readComment()
		default:
			p.i++
		}
	}
}

// inAngle reads what is between the brackets, and the one that closes.
func (p *addressParser) inAngle(a *Address) {
	var parts []string // what "@" separates
	var text strings.Builder
	quoted, good := false, true
	for {
		p.skipCFWS()
		switch c := p.peek(); {
		case p.done():
			p.open = true
			a.setSpec(append(parts, text.String()))
			return
		case c == '>':
			p.i++
			if !a.setSpec(append(parts, text.String())) || !good || !quoted && a.Local != "" && !isDotAtom(a.Local) {
				p.fail("malformed address in brackets")
			}
			return
		case c == ':' && a.Route == "" && (len(parts) > 0 || strings.HasPrefix(text.String(), ",")):
			p.i++
			a.Route = strings.Join(append(parts, text.String()), "@")
			parts, quoted = nil, false
			text.Reset()
		case c == '@':
			p.i++
			parts = append(parts, text.String())
			text.Reset()
		case c == '"':
			quoted = true
			text.WriteString(p.quoted(""))
		case c == '[':
			text.WriteString(p.literal())
		case c == ',' && (len(parts) == 0 || parts[0] != ""):
			// The bracket was never closed: the next address begins.
			p.open = true
			a.setSpec(append(parts, text.String()))
			return
		default:
			if s := p.atom(); s != "" {
				text.WriteString(s)
				break
			}
			good = good && c == ','
			text.WriteByte(c)
			p.i++
		}
	}
}

// setSpec sets local part and domain from what "@" separated, and tells
// whether that was two.
func (a *Address) setSpec(parts []string) bool {
	last := len(parts) - 1
	if last == 0 {
		a.Local = parts[0]
		return false
	}
	a.Local = strings.Join(parts[:last], "@")
	a.Domain = parts[last]
	return last == 1 && a.Local != "" && a.Domain != ""
}
