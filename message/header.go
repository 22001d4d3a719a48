package message

import (
	"bytes"
	"io"
	"iter"
	"strings"
	"time"
)

// Header is the fields of a message or part, in their order, octet for octet
// as they stood. The zero value is an empty header.
type Header struct {
	Fields  []Field
	Defects []Defect
}

// Field is one field of a header.
type Field struct {
	// Name is the name as written; names are compared without regard to case.
	Name string
	// Raw is the field as it stood: name, colon, value, folds, line end.
	Raw []byte

	at int // where Raw began in what was parsed
}

// Value is the field's body on one line: folds undone, white space around it
// gone, nothing decoded. RFC 5322 2.2.3.
func (f Field) Value() string {
	_, body, _ := bytes.Cut(f.Raw, []byte{':'})
	return unfold(body)
}

// Text is the field's body with its encoded words (RFC 2047) decoded.
func (f Field) Text() string { return DecodeText(f.Value()) }

func unfold(b []byte) string {
	b = bytes.Trim(b, " \t\r\n")
	if bytes.IndexByte(b, '\n') < 0 {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte{'\n'})
		if found {
			line = bytes.TrimRight(line, "\r")
		}
		out.Write(line)
		b = rest
	}
	return out.String()
}

// All gives the values of all fields of that name; see [Field.Value].
func (h Header) All(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range h.Fields {
			if strings.EqualFold(f.Name, name) && !yield(f.Value()) {
				return
			}
		}
	}
}

// Lookup gives the first field of that name.
func (h Header) Lookup(name string) (Field, bool) {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// Get gives the value of the first field of that name, or nothing; see [Field.Value].
func (h Header) Get(name string) string {
	f, _ := h.Lookup(name)
	return f.Value()
}

// Text gives the first field of that name with its encoded words decoded.
func (h Header) Text(name string) string { return DecodeText(h.Get(name)) }

// Subject is the subject as a person reads it.
func (h Header) Subject() string { return h.Text("Subject") }

// Date is the Date field; the error is [ErrDate].
func (h Header) Date() (time.Time, error) { return ParseDate(h.Get("Date")) }

// Addresses gives the addresses of all fields of that name, one list.
func (h Header) Addresses(name string) []Address {
	var list []Address
	for v := range h.All(name) {
		more, _ := ParseAddresses(v)
		list = append(list, more...)
	}
	return list
}

// MessageID is the message's identifier in its angle brackets, or nothing.
func (h Header) MessageID() string { return first(ParseMessageIDs(h.Get("Message-ID"))) }

// References gives the identifiers of the References field, oldest first.
func (h Header) References() []string { return ParseMessageIDs(h.Get("References")) }

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// Append writes the header's fields as they stand and the empty line after them.
func (h Header) Append(b []byte) []byte {
	for _, f := range h.Fields {
		b = append(b, f.Raw...)
	}
	return append(b, "\r\n"...)
}

// Add writes a field below the others, folded; value is what should be read
// there, in whatever syntax the field has. Octets above 127 stand as UTF-8
// (RFC 6532); [EncodeText] makes them encoded words. The errors are
// [ErrName], [ErrBreak] and [ErrLong]; then nothing was added.
func (h *Header) Add(name, value string) error {
	raw, err := AppendField(nil, name, value)
	if err != nil {
		return err
	}
	h.Fields = append(h.Fields, Field{Name: name, Raw: raw})
	return nil
}

// Set is Del and Add.
func (h *Header) Set(name, value string) error {
	raw, err := AppendField(nil, name, value)
	if err != nil {
		return err
	}
	h.Del(name)
	h.Fields = append(h.Fields, Field{Name: name, Raw: raw})
	return nil
}

// Del takes all fields of that name away.
func (h *Header) Del(name string) {
	kept := h.Fields[:0:0]
	for _, f := range h.Fields {
		if !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	h.Fields = kept
}

// ParseHeader reads a header from the start of b. It gives the header, whose
// fields alias b, and how many octets of b it takes, the empty line included.
func ParseHeader(b []byte, lim Limits) (Header, int) {
	lim = lim.withDefaults()
	var h Header
	if lines := bytes.Count(b[:min(len(b), 4<<10)], []byte{'\n'}); lines > 1 {
		h.Fields = make([]Field, 0, min(lines-1, lim.Fields))
	}
	at := 0
	for at < len(b) {
		end := at + lineLength(b[at:])
		line := b[at:end]
		kind, name := classify(line)
		if kind == blankLine {
			return h, end
		}
		if kind == noField {
			h.Defects = note(h.Defects, MissingHeaderBodySeparator, int64(at))
			return h, at
		}
		h.take(kind, name, b, at, end, lim)
		at = end
	}
	return h, at
}

// take adds one line, b[at:end], to the header.
func (h *Header) take(kind lineKind, name, b []byte, at, end int, lim Limits) {
	switch {
	case kind == envelopeLine:
		// The first line of a file out of an mbox is not misplaced.
		if at > 0 {
			h.Defects = note(h.Defects, MisplacedEnvelopeHeader, int64(at))
		}
	case kind == namelessField:
		h.Defects = note(h.Defects, InvalidHeader, int64(at))
	case kind == continuation && len(h.Fields) == 0:
		h.Defects = note(h.Defects, FirstHeaderLineIsContinuation, int64(at))
	case end > lim.Header:
		h.Defects = note(h.Defects, HeaderTooLarge, int64(at))
	case kind == continuation:
		h.extend(b, at, end)
	case len(h.Fields) >= lim.Fields:
		h.Defects = note(h.Defects, TooManyFields, int64(at))
	default:
		if trimmed := bytes.TrimRight(name, " \t"); len(trimmed) < len(name) {
			h.Defects = note(h.Defects, ObsoleteHeader, int64(at))
			name = trimmed
		}
		h.Fields = append(h.Fields, Field{fieldName(name), b[at:end:end], at})
	}
}

// fieldName is string(b), without an allocation for the names that most
// headers have.
func fieldName(b []byte) string {
	switch string(b) {
	case "Return-Path":
		return "Return-Path"
	case "Received":
		return "Received"
	case "From":
		return "From"
	case "To":
		return "To"
	case "Date":
		return "Date"
	case "Subject":
		return "Subject"
	case "Message-ID":
		return "Message-ID"
	case "Message-Id":
		return "Message-Id"
	case "MIME-Version":
		return "MIME-Version"
	case "Content-Type":
		return "Content-Type"
	case "Content-Transfer-Encoding":
		return "Content-Transfer-Encoding"
	}
	return string(b)
}

// extend adds a continuation line to the last field, if that is where it
// stands: a line that was dropped takes its continuations with it.
func (h *Header) extend(b []byte, at, end int) {
	last := &h.Fields[len(h.Fields)-1]
	if last.at+len(last.Raw) == at {
		last.Raw = b[last.at:end:end]
	}
}

// SelectFields appends to b the fields of header that have one of the names
// (or, with not, those that have none of them), as they stand, and an empty
// line: IMAP's HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 9051 6.4.5.1).
func SelectFields(b, header []byte, names []string, not bool) []byte {
	h, _ := ParseHeader(header, Limits{Header: len(header), Fields: len(header)})
	for _, f := range h.Fields {
		named := false
		for _, name := range names {
			named = named || strings.EqualFold(f.Name, name)
		}
		if named != not {
			b = append(b, f.Raw...)
		}
	}
	return append(b, "\r\n"...)
}

// ReadHeader reads a header from r and gives it with what comes after it.
// The error is r's; io.EOF is none, for a header may be all there is.
func ReadHeader(r io.Reader, lim Limits) (Header, io.Reader, error) {
	lim = lim.withDefaults()
	s := newScanner(r)
	var raw []byte
	var dropped bool
	begun := 0 // where the line begins in raw
	for {
		line, err := s.peek()
		if err != nil {
			return Header{}, nil, err
		}
		if len(line) == 0 {
			break
		}
		kind := s.kind(line)
		if kind == noField {
			h, _ := ParseHeader(raw, lim)
			h.Defects = note(h.Defects, MissingHeaderBodySeparator, s.offset())
			return markDropped(h, dropped, lim), s, nil
		}
		if s.begins {
			begun = len(raw)
		}
		// Once something is dropped all is: a fold must not end up below another field.
		switch {
		case dropped:
		case len(raw)+len(line) > lim.Header:
			dropped, raw = true, raw[:begun] // and a line is kept whole or not at all
		default:
			raw = append(raw, line...)
		}
		s.skip(len(line))
		if kind == blankLine {
			break
		}
	}
	h, _ := ParseHeader(raw, lim)
	return markDropped(h, dropped, lim), s, nil
}

func markDropped(h Header, dropped bool, lim Limits) Header {
	if dropped {
		h.Defects = note(h.Defects, HeaderTooLarge, int64(lim.Header))
	}
	return h
}
