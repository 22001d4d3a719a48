package message

import (
	"bytes"
	"cmp"
	"io"
	"slices"
)

// Parse reads a message to its end and gives its structure. The message is
// read once, in order, and only headers are held, one at a time. The error is
// r's; what was read until then is given with it.
func Parse(r io.Reader, lim Limits) (*Part, error) {
	s := newScanner(r)
	s.watch = new(octets)
	return structure(s, lim), s.failure()
}

// ParseBytes gives the structure of a message that lies in memory, as Parse
// does, and copies nothing of it but what the structure says.
func ParseBytes(b []byte, lim Limits) *Part {
	s := newBytesScanner(b)
	s.watch = new(octets)
	if len(b) > 0 {
		s.watch.see(b, 0)
	}
	return structure(s, lim)
}

func structure(s *scanner, lim Limits) *Part {
	p := parser{s: s, lim: lim.withDefaults(), parts: 1}
	root := new(Part)
	p.message(root, 0)
	s.watch.end(s.offset())
	for _, d := range s.watch.defects {
		root.Defects = note(root.Defects, d.Kind, d.At)
	}
	if len(root.Defects) > 1 {
		slices.SortStableFunc(root.Defects, func(a, b Defect) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind)) })
	}
	root.EightBit = s.watch.eightBit
	return root
}

// parser is one pass over one message.
type parser struct {
	s     *scanner
	lim   Limits
	parts int
	open  []string // the boundaries of the multiparts around, outermost first
	raw   []byte   // the header that is being read
	stop  delimiter
}

// delimiter is the line that ended a part: of open[of], or of nothing if of is
// negative, which is the end of the message.
type delimiter struct {
	of    int
	close bool
}

// message reads a message: the root, or one inside.
func (p *parser) message(m *Part, depth int) {
	h := p.header(m)
	p.describe(m, h, MediaType{Type: "text", Subtype: "plain"})
	m.Envelope = readEnvelope(h, func(kind DefectKind, f Field) {
		m.Defects = note(m.Defects, kind, m.Header+int64(f.at))
	})
	p.body(m, depth)
}

// header reads a header into p.raw and sets the offsets of what it heads. The
// header ends at an empty line, at a line that is no field, and at a delimiter.
func (p *parser) header(m *Part) Header {
	m.Header = p.s.offset()
	p.raw = p.raw[:0]
	dropped := false
	separated := false
	begun := 0 // where the line begins in p.raw
	for p.stop.of = -1; ; {
		line, _ := p.s.peek()
		if len(line) == 0 || p.s.begins && p.delimits(line) {
			break
		}
		kind := p.s.kind(line)
		if kind == noField {
			m.Defects = note(m.Defects, MissingHeaderBodySeparator, p.s.offset())
			separated = true
			break
		}
		if p.s.begins {
			begun = len(p.raw)
		}
		switch {
		case dropped:
		case len(p.raw)+len(line) > p.lim.Header:
			dropped, p.raw = true, p.raw[:begun] // a field is kept whole or not at all
		default:
			p.keep(line)
		}
		p.s.skip(len(line))
		if kind == blankLine {
			separated = true
			break
		}
	}
	m.Body = p.s.offset()
	h, _ := ParseHeader(p.raw, p.lim)
	if !separated && len(p.raw) > 0 {
		h.Defects = note(h.Defects, MissingHeaderBodySeparator, int64(len(p.raw)))
	}
	h = markDropped(h, dropped, p.lim)
	for _, d := range h.Defects {
		m.Defects = note(m.Defects, d.Kind, m.Header+d.At)
	}
	return h
}

// keep adds the line that stands here to p.raw, which is where the header lies
// if the whole message lies in memory.
func (p *parser) keep(line []byte) {
	if !p.s.whole {
		p.raw = append(p.raw, line...)
		return
	}
	if len(p.raw) == 0 {
		p.raw = line
		return
	}
	p.raw = p.raw[:len(p.raw)+len(line)]
}

// body reads a part's body: it opens what can be opened.
func (p *parser) body(m *Part, depth int) {
	lines := p.s.lines
	boundary := ""
	if m.isMultipart() {
		boundary = m.boundary()
	}
	switch {
	case p.stop.of >= 0: // the header ended at a delimiter
	case boundary != "" && p.room(m, depth):
		p.multipart(m, boundary, depth)
	case m.isMessage() && identity(m.Encoding) && p.room(m, depth):
		p.parts++
		m.Parts = make([]Part, 1)
		p.message(&m.Parts[0], depth+1)
	default:
		p.pass()
	}
	p.end(m, lines)
}

// room tells whether the limits let a part be opened, and notes it if not.
func (p *parser) room(m *Part, depth int) bool {
	switch {
	case depth >= p.lim.Depth:
		m.Defects = note(m.Defects, TooDeep, m.Body)
	case p.parts >= p.lim.Parts:
		m.Defects = note(m.Defects, TooManyParts, m.Body)
	default:
		return true
	}
	return false
}

// end sets where a part ends, which is here, at a delimiter or the end of all.
func (p *parser) end(m *Part, lines int64) {
	m.End = p.s.offset()
	m.Lines = p.s.lines - lines
	if p.stop.of < 0 || m.End == m.Body {
		return
	}
	end := m.End - int64(p.s.eol) // RFC 2046 5.1.1: it belongs to the delimiter
	if n := len(m.Parts); n > 0 && m.Parts[n-1].End > end {
		return // it is the empty line of a header inside, with no body below
	}
	m.End = end
	m.Lines--
}

// multipart reads the parts of a multipart, and what is before and after them.
func (p *parser) multipart(m *Part, boundary string, depth int) {
	self := len(p.open)
	p.open = append(p.open, boundary)
	p.pass()
	begun := p.stop.of == self
	for p.stop.of == self && !p.stop.close {
		p.skipLine()
		if p.parts >= p.lim.Parts {
			m.Defects = note(m.Defects, TooManyParts, p.s.offset())
			break
		}
		p.parts++
		m.Parts = append(m.Parts, Part{})
		p.part(m, &m.Parts[len(m.Parts)-1], depth+1)
	}
	closed := p.stop.of == self && p.stop.close
	p.open = p.open[:self]
	switch {
	case !begun:
		m.Defects = note(m.Defects, StartBoundaryNotFound, m.Body)
	case len(m.Parts) == 0 && closed:
		m.Defects = note(m.Defects, MultipartInvariantViolation, m.Body)
	case !closed && p.stop.of != self:
		m.Defects = note(m.Defects, CloseBoundaryNotFound, p.s.offset())
	}
	if p.stop.of >= self {
		p.skipLine()
		p.pass() // the epilogue, or what is over the limit
	}
}

// part reads one part of a multipart.
func (p *parser) part(in, m *Part, depth int) {
	h := p.header(m)
	def := MediaType{Type: "text", Subtype: "plain"}
	if in.Type.Subtype == "digest" {
		def = MediaType{Type: "message", Subtype: "rfc822"} // RFC 2046 5.1.5
	}
	p.describe(m, h, def)
	p.body(m, depth)
}

// pass goes on to the next delimiter, and does not pass that.
func (p *parser) pass() {
	s := p.s
	for p.stop.of = -1; ; {
		if s.i == s.j && !s.fill() {
			return
		}
		if s.begins && len(p.open) > 0 && s.buf[s.i] == '-' {
			line, _ := s.peek()
			if p.delimits(line) {
				return
			}
		}
		s.skip(lineLength(s.buf[s.i:s.j]))
	}
}

// skipLine passes the line that stands here, however long it is.
func (p *parser) skipLine() {
	for {
		line, _ := p.s.peek()
		p.s.skip(len(line))
		if len(line) == 0 || p.s.begins {
			return
		}
	}
}

// delimits tells whether the line is a delimiter of a multipart around, and
// leaves in p.stop of which. The line must be the delimiter and nothing else
// but white space, so that a boundary that begins like another is not taken
// for it.
func (p *parser) delimits(line []byte) bool {
	if len(p.open) == 0 || !bytes.HasPrefix(line, []byte("--")) || partial(line) {
		return false
	}
	text := bytes.TrimRight(line[2:], " \t\r\n")
	for i, boundary := range slices.Backward(p.open) {
		if after, ok := bytes.CutPrefix(text, []byte(boundary)); ok && (len(after) == 0 || string(after) == "--") {
			p.stop = delimiter{i, len(after) > 0}
			return true
		}
	}
	return false
}
