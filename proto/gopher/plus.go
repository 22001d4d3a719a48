package gopher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/wire"
)

// The lengths of a Gopher+ header that are none (Gopher+ section 2.3).
const (
	untilDot   = -1 // a single dot ends what follows
	untilClose = -2 // the end of the connection does
)

// header is the first line of a Gopher+ answer.
type header struct {
	failed bool
	length int64
}

func (h header) append(b []byte) []byte {
	sign := byte('+')
	if h.failed {
		sign = '-'
	}
	return strconv.AppendInt(append(b, sign), h.length, 10)
}

// parseHeader reads such a line; false: it is none, the server does not know
// Gopher+ and has simply answered.
func parseHeader(line []byte) (header, bool) {
	if len(line) < 2 || line[0] != '+' && line[0] != '-' || line[1] == '+' {
		return header{}, false
	}
	n, err := strconv.ParseInt(string(line[1:]), 10, 64)
	if err != nil || n < untilClose {
		return header{}, false
	}
	return header{line[0] == '-', n}, true
}

// The codes of a Gopher+ error (Gopher+ section 2.3).
const (
	CodeUnavailable = 1 // the item is not available
	CodeBusy        = 2 // try again later
	CodeMoved       = 3 // the item has moved; the text is where to
)

// Attributes are what Gopher+ tells about an item: blocks of lines under names
// (section 2.5).
type Attributes struct {
	Item   Item
	Blocks []Block // without +INFO, which is Item
}

// A Block is one attribute.
type Block struct {
	Name  string   // "ADMIN", "VIEWS", "ABSTRACT", ..., as it stands: case counts
	Value string   // on the line of the name: a reference to an item, mostly nothing
	Lines []string // without the blank before each
}

// Block gives the block of a name, the zero one where there is none.
func (a Attributes) Block(name string) Block {
	for _, b := range a.Blocks {
		if b.Name == name {
			return b
		}
	}
	return Block{}
}

// Append writes the attributes as lines with CRLF. ErrField: a name or line
// has a break inside.
func (a Attributes) Append(b []byte) ([]byte, error) {
	start := len(b)
	b, err := a.Item.Append(append(b, "+INFO: "...))
	if err != nil {
		return b[:start], err
	}
	b = append(b, '\r', '\n')
	for _, block := range a.Blocks {
		if strings.ContainsAny(block.Name+block.Value, "\r\n\x00") || strings.ContainsAny(block.Name, "+: \t") || block.Name == "" {
			return b[:start], ErrField
		}
		b = append(append(append(b, '+'), block.Name...), ':')
		if block.Value != "" {
			b = append(append(b, ' '), block.Value...)
		}
		b = append(b, '\r', '\n')
		for _, line := range block.Lines {
			if strings.ContainsAny(line, "\r\n\x00") {
				return b[:start], ErrField
			}
			b = append(append(append(b, ' '), line...), '\r', '\n')
		}
	}
	return b, nil
}

// ErrAttributes is text that is no list of attributes: a server that does not
// know Gopher+ sends the item instead.
var ErrAttributes = errors.New("gopher: no attributes")

// maxAttributes bounds those of one item.
const maxAttributes = 1 << 20

// ReadAttributes reads the attributes of items, one after the other, up to a
// single dot or the end of the stream.
func ReadAttributes(r io.Reader) iter.Seq2[Attributes, error] {
	return func(yield func(Attributes, error) bool) {
		var lines wire.Reader
		lines.Init(wire.Over(r, &lines), maxMenuLine)
		defer lines.Own()
		p := attributesParser{}
		for {
			line, err := lines.LooseLine()
			over := err == io.EOF || len(line) == 1 && line[0] == '.'
			if err == nil && !over {
				err = p.line(line)
			}
			if err != nil && !over {
				yield(Attributes{}, fmt.Errorf("gopher: attributes: %w", err))
				return
			}
			if p.done != nil && !yield(*p.done, nil) {
				return
			}
			p.done = nil
			if over {
				if p.now != nil {
					yield(*p.now, nil)
				}
				return
			}
		}
	}
}

// attributesParser gathers the lines of an item.
type attributesParser struct {
	now, done *Attributes
	size      int
}

func (p *attributesParser) line(line []byte) error {
	if p.size += len(line); p.size > maxAttributes {
		return wire.ErrLineTooLong
	}
	if rest, ok := bytes.CutPrefix(line, []byte("+INFO")); ok && (len(rest) == 0 || rest[0] == ':' || rest[0] == ' ') {
		item, err := ParseItem(bytes.TrimLeft(rest, ": "))
		if err != nil {
			return err
		}
		p.done, p.now, p.size = p.now, &Attributes{Item: item}, 0
		return nil
	}
	if p.now == nil {
		return ErrAttributes
	}
	if len(line) > 0 && line[0] == '+' { // the colon is forgotten now and then
		name, value, _ := strings.Cut(string(line[1:]), ":")
		p.now.Blocks = append(p.now.Blocks, Block{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		return nil
	}
	last := len(p.now.Blocks) - 1
	if last < 0 {
		return nil // of +INFO, which has one line
	}
	text := strings.TrimPrefix(string(line), " ")
	p.now.Blocks[last].Lines = append(p.now.Blocks[last].Lines, text)
	return nil
}

// A View is one form in which an item can be had (Gopher+ section 2.6).
type View struct {
	Media string // a media type: "text/plain"
	Lang  string // "De_DE"; "" where none is told
	Size  int64  // in bytes, roughly; -1: not told
	// Selector is what a Backend opens for it; it is not sent.
	Selector string
}

var sizePattern = regexp.MustCompile(`<([0-9]{1,12}(?:\.[0-9]+)?)([kKmM]?)[bB]?>`)

// Views are those of the +VIEWS block, the server's favourite first.
func (a Attributes) Views() []View {
	var out []View
	for _, line := range a.Block("VIEWS").Lines {
		what, size, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		media, lang, _ := strings.Cut(strings.TrimSpace(what), " ")
		v := View{Media: media, Lang: strings.TrimSpace(lang), Size: -1}
		if m := sizePattern.FindStringSubmatch(size); m != nil {
			n, _ := strconv.ParseFloat(m[1], 64) // the pattern has digits
			switch m[2] {
			case "k", "K":
				n *= 1 << 10
			case "m", "M":
				n *= 1 << 20
			}
			v.Size = int64(n)
		}
		out = append(out, v)
	}
	return out
}

// line is a View as it stands in the block.
func (v View) line() string {
	s := v.Media
	if v.Lang != "" {
		s += " " + v.Lang
	}
	s += ":"
	if v.Size >= 0 {
		s += fmt.Sprintf(" <%dk>", (v.Size+1023)>>10)
	}
	return s
}

// Abstract is the text of the +ABSTRACT block.
func (a Attributes) Abstract() string { return strings.Join(a.Block("ABSTRACT").Lines, "\n") }

// admin is a line of the +ADMIN block.
func (a Attributes) admin(names ...string) string {
	for _, line := range a.Block("ADMIN").Lines {
		name, value, _ := strings.Cut(line, ":")
		for _, want := range names {
			if strings.EqualFold(strings.TrimSpace(name), want) {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}

// Admin is who is responsible for the item: a name, and an address in angle
// brackets.
func (a Attributes) Admin() string { return a.admin("Admin") }

// stamp is a moment in Gopher+.
const stamp = "20060102150405"

// ModTime is when the item was changed last, in the server's time, which it
// does not tell: taken as UTC. Zero: not told.
func (a Attributes) ModTime() time.Time {
	text := a.admin("Mod-Date", "Date")
	if _, after, ok := strings.Cut(text, "<"); ok {
		text, _, _ = strings.Cut(after, ">")
	}
	t, err := time.Parse(stamp, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
