package message

import (
	"slices"
	"strings"
)

// Part is a message or a part of one: what it is, and where it lies. Offsets
// count octets from the start of what was parsed.
type Part struct {
	// Header, Body and End are offsets: the header with its empty line is
	// Header to Body, the body is Body to End. The line end before a
	// multipart's delimiter belongs to the delimiter (RFC 2046 5.1.1).
	Header, Body, End int64
	// Lines is how many line ends the body has.
	Lines int64

	Type        MediaType
	Encoding    string      // Content-Transfer-Encoding in lower case, without comments; "7bit" if there is none
	Disposition Disposition // RFC 2183
	ID          string      // Content-ID, as it stands
	Description string      // Content-Description, unfolded, not decoded
	MD5         string      // Content-MD5
	Location    string      // Content-Location
	Languages   []string    // Content-Language

	// Envelope is there for a message: the root, and what a message/rfc822 has inside.
	Envelope *Envelope
	// Parts are those of a multipart; for message/rfc822 it is the one message
	// inside, with an Envelope of its own. A part that could not be opened has none.
	Parts []Part
	// EightBit tells, for the root, whether the message has an octet above 127
	// anywhere; UTF8Header whether this part's header has (RFC 6532).
	EightBit, UTF8Header bool
	// Defects are those of this part; those of single octets are with the root.
	Defects []Defect
}

// Size is the length of the body in octets.
func (p *Part) Size() int64 { return p.End - p.Body }

// Multipart tells whether the part was opened as a multipart.
func (p *Part) Multipart() bool { return len(p.Parts) > 0 && p.Type.Type == "multipart" }

// Message gives the message inside a message/rfc822 or message/global.
func (p *Part) Message() (*Part, bool) {
	if len(p.Parts) != 1 || p.Type.Type != "message" {
		return nil, false
	}
	return &p.Parts[0], true
}

// Filename is the name of an attachment, decoded: Content-Disposition's
// filename, else Content-Type's name. It is the sender's word; no path of it
// is to be trusted.
func (p *Part) Filename() string {
	if name := p.Disposition.Params.Get("filename"); name != "" {
		return name
	}
	return p.Type.Params.Get("name")
}

// Has tells whether this part or one below it has the defect.
func (p *Part) Has(kind DefectKind) bool {
	for q := range p.Walk {
		if slices.ContainsFunc(q.Defects, func(d Defect) bool { return d.Kind == kind }) {
			return true
		}
	}
	return false
}

// Walk gives the part and all below it, in the order of the message. It is an
// iterator: for q := range root.Walk.
func (p *Part) Walk(yield func(*Part) bool) { p.walk(yield) }

func (p *Part) walk(yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	for i := range p.Parts {
		if !p.Parts[i].walk(yield) {
			return false
		}
	}
	return true
}

// First gives the first part that is of that type and is no attachment, or nil.
// The subtype may be "*".
func (p *Part) First(typ, subtype string) *Part {
	for q := range p.Walk {
		if q.Type.Is(typ, subtype) && q.Disposition.Value != "attachment" && len(q.Parts) == 0 {
			return q
		}
	}
	return nil
}

// What says which piece of a part is meant, as IMAP names them (RFC 9051
// 6.4.5.1).
type What uint8

const (
	// Whole is the body of a part; of the root, header and body: BODY[], BODY[1].
	Whole What = iota
	// Head is the header of a message: BODY[HEADER], BODY[2.HEADER].
	Head
	// Text is the body of a message: BODY[TEXT], BODY[2.TEXT].
	Text
	// MIME is the header of a part: BODY[1.MIME].
	MIME
)

// Find gives the part with that number: [1 2] is the second part of the first.
// No number is the part itself. A message that is no multipart has one part, 1,
// which is its body. RFC 9051 6.4.5.1.
func (p *Part) Find(path []int) (*Part, bool) {
	at, message := p, true // a part of a message may be what is not numbered itself
	for _, n := range path {
		if inside, ok := at.Message(); ok && !message {
			at, message = inside, true
		}
		switch {
		case at.Multipart() && n >= 1 && n <= len(at.Parts):
			at, message = &at.Parts[n-1], false
		case !at.Multipart() && message && n == 1:
			message = false
		default:
			return nil, false
		}
	}
	return at, true
}

// Range gives where a piece of the numbered part lies: octets from to to of
// the message. It is false if there is no such part, or if Head or Text is
// asked of a part that is no message, or MIME of the whole message.
func (p *Part) Range(path []int, what What) (from, to int64, ok bool) {
	at, ok := p.Find(path)
	if !ok {
		return 0, 0, false
	}
	switch {
	case what == MIME:
		return at.Header, at.Body, len(path) > 0
	case what == Whole && len(path) == 0:
		return at.Header, at.End, true
	case what == Whole:
		return at.Body, at.End, true
	}
	if len(path) > 0 {
		if at, ok = at.Message(); !ok {
			return 0, 0, false
		}
	}
	if what == Head {
		return at.Header, at.Body, true
	}
	return at.Body, at.End, true
}

// isMultipart tells whether the part says that it is one.
func (p *Part) isMultipart() bool { return p.Type.Type == "multipart" }

// isMessage tells whether the part says that a message is inside.
func (p *Part) isMessage() bool {
	return p.Type.Type == "message" && (p.Type.Subtype == "rfc822" || p.Type.Subtype == "global")
}

// identity tells whether the encoding leaves the body as it is.
func identity(encoding string) bool {
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// encodingName brings a Content-Transfer-Encoding to the form that Part has.
func encodingName(value string) string {
	s := scanText(value)
	s.skipCFWS()
	name := strings.ToLower(s.token())
	switch name {
	case "":
		return "7bit"
	case "7-bit":
		return "7bit"
	case "8-bit":
		return "8bit"
	}
	return name
}
