package nntp

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/message"
)

// An Overview is a row of OVER (RFC 3977 section 8.3): an article's number, and
// fields of its header and what is known of it, in the order of Format.
type Overview struct {
	Number int64
	Fields []string // as they came: a field that is there "in full" with its name
	Format Format   // nil: that of every server
}

// A Format is what the fields of an Overview are, as LIST OVERVIEW.FMT says it:
// "Subject:", ":bytes", "Xref:full". Only the first seven are the same
// everywhere.
type Format []string

// standard are the fields that every server has, in this order.
func standard() Format {
	return Format{"Subject:", "From:", "Date:", "Message-ID:", "References:", ":bytes", ":lines"}
}

// metadata names what is no field of a header, in its two spellings (RFC 3977
// section 8.4).
func metadata(name string) string {
	switch strings.ToLower(name) {
	case "bytes:":
		return ":bytes"
	case "lines:":
		return ":lines"
	}
	return name
}

// Get gives a field, or what is known under a name with a colon before it
// (":bytes"), without regard to case. It is false where the overview does not
// have it, and "" where the article does not.
func (o *Overview) Get(name string) (string, bool) {
	f := o.Format
	if f == nil {
		f = standard()
	}
	for i, known := range f {
		if i >= len(o.Fields) {
			break
		}
		known = metadata(known)
		word, full := strings.CutSuffix(known, ":full")
		if !strings.HasPrefix(known, ":") {
			word = strings.TrimSuffix(word, ":")
		}
		if !strings.EqualFold(word, name) {
			continue
		}
		value := o.Fields[i]
		if full && len(value) > len(word) && strings.EqualFold(value[:len(word)], word) && value[len(word)] == ':' {
			value = strings.TrimLeft(value[len(word)+1:], " ")
		}
		return value, true
	}
	return "", false
}

func (o *Overview) text(name string) string {
	v, _ := o.Get(name)
	return v
}

// Subject is the subject as a person reads it.
func (o *Overview) Subject() string { return message.DecodeText(o.text("Subject")) }

// From is the author, as the field has it.
func (o *Overview) From() string { return o.text("From") }

// Date is the Date field; message.ParseDate reads it.
func (o *Overview) Date() string { return o.text("Date") }

// ID is the message identifier.
func (o *Overview) ID() string { return o.text("Message-ID") }

// References are the identifiers of the articles before it, oldest first.
func (o *Overview) References() []string { return message.ParseMessageIDs(o.text("References")) }

// Bytes is the size in octets, Lines that of the body in lines; -1 where it is
// not known.
func (o *Overview) Bytes() int64 { return count(o.text(":bytes")) }

// Lines is the length of the body; see Bytes.
func (o *Overview) Lines() int64 { return count(o.text(":lines")) }

func count(text string) int64 {
	n, err := parseNumber(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return n
}

// Append writes the row without the line's end. What would end a field or the
// line becomes a blank.
func (o *Overview) Append(b []byte) []byte {
	b = strconv.AppendInt(b, o.Number, 10)
	for _, f := range o.Fields {
		b = append(b, '\t')
		for i := range len(f) {
			switch c := f[i]; c {
			case '\t', '\r', '\n', 0:
				b = append(b, ' ')
			default:
				b = append(b, c)
			}
		}
	}
	return b
}

// ParseOverview reads a row. ErrReply: it has no number.
func ParseOverview(line string, f Format) (Overview, error) {
	number, rest, ok := strings.Cut(line, "\t")
	n, err := parseNumber(strings.TrimSpace(number))
	if err != nil {
		return Overview{}, ErrReply
	}
	o := Overview{Number: n, Format: f}
	if ok {
		o.Fields = strings.Split(rest, "\t")
	}
	return o, nil
}
