package message

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// Open gives the part's body as it stands in the message that ra holds.
func (p *Part) Open(ra io.ReaderAt) *io.SectionReader {
	return io.NewSectionReader(ra, p.Body, p.Size())
}

// ReadHeader reads the part's header again. The error is ra's, or
// io.ErrUnexpectedEOF if it is shorter than what was parsed.
func (p *Part) ReadHeader(ra io.ReaderAt, lim Limits) (Header, error) {
	size := min(p.Body-p.Header, int64(lim.withDefaults().Header))
	b := make([]byte, max(size, 0))
	if n, err := ra.ReadAt(b, p.Header); n < len(b) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Header{}, err
	}
	h, _ := ParseHeader(b, lim)
	return h, nil
}

// Decode gives the part's body with its transfer encoding undone. Of a
// multipart or message, which may have none, it is the body as it stands.
func (p *Part) Decode(ra io.ReaderAt) *Decoder {
	encoding := p.Encoding
	if p.isMultipart() {
		encoding = "7bit"
	}
	return NewDecoder(p.Open(ra), encoding)
}

// Text gives the part's body decoded, as UTF-8. What the charset does not have
// becomes U+FFFD.
func (p *Part) Text(ra io.ReaderAt) io.Reader {
	return charsetReader(p.Type.Params.Get("charset"), p.Decode(ra))
}

type coding uint8

const (
	codingIdentity coding = iota
	codingBase64
	codingQuotedPrintable
	codingUU
	codingUnknown
)

// codingOf finds a Content-Transfer-Encoding by its name.
func codingOf(name string) coding {
	switch strings.ToLower(name) {
	case "", "7bit", "8bit", "binary":
		return codingIdentity
	case "base64", "x-base64":
		return codingBase64
	case "quoted-printable", "x-quoted-printable":
		return codingQuotedPrintable
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return codingUU
	}
	return codingUnknown
}

// Decoder undoes a transfer encoding as it is read. It refuses nothing: what is
// wrong is passed by, and stands in Defects.
type Decoder struct {
	r       io.Reader
	step    stepper
	in, out []byte
	unread  []byte
	err     error
	defects []DefectKind
}

// stepper decodes one piece of input behind out. Nil is the end of it.
type stepper interface {
	decode(out, in []byte, d *Decoder) []byte
}

// NewDecoder gives a reader of what r has in that Content-Transfer-Encoding:
// base64, quoted-printable, x-uuencode. Others give r as it is.
func NewDecoder(r io.Reader, encoding string) *Decoder {
	d := &Decoder{r: r}
	switch codingOf(encoding) {
	case codingBase64:
		d.step = new(base64Step)
	case codingQuotedPrintable:
		d.step = new(quotedStep)
	case codingUU:
		d.step = new(uuStep)
	case codingUnknown:
		d.note(UnknownContentTransferEncoding)
	}
	return d
}

// Defects gives what was wrong with what has been read until now.
func (d *Decoder) Defects() []DefectKind { return d.defects }

func (d *Decoder) note(kind DefectKind) {
	if !slices.Contains(d.defects, kind) {
		d.defects = append(d.defects, kind)
	}
}

// Read gives decoded octets; the errors are those of the reader below.
func (d *Decoder) Read(p []byte) (int, error) {
	if d.step == nil {
		return d.r.Read(p)
	}
	if d.in == nil {
		d.in = make([]byte, 8<<10)
	}
	for len(d.unread) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		var n int
		n, d.err = d.r.Read(d.in)
		d.out = d.out[:0]
		if n > 0 {
			d.out = d.step.decode(d.out, d.in[:n], d)
		}
		if d.err == io.EOF {
			d.out = d.step.decode(d.out, nil, d)
		}
		d.unread = d.out
	}
	n := copy(p, d.unread)
	d.unread = d.unread[n:]
	return n, nil
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Values gives each octet its value: 64 and above is none.
var base64Values = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range len(base64Alphabet) {
		v[base64Alphabet[i]] = byte(i)
	}
	for _, c := range " \t\r\n" {
		v[c] = 0xfe
	}
	v['='] = 0xfd
	return v
}()

// base64Step is RFC 2045 6.8. What follows the padding is no part of it: lists
// put their footers there.
type base64Step struct {
	quad   uint32
	n      int // characters in quad
	padded int // "=" still to come, plus one once there was one
	ended  bool
}

func (s *base64Step) decode(out, in []byte, d *Decoder) []byte {
	if in == nil {
		return s.finish(out, d)
	}
	for _, c := range in {
		v := base64Values[c]
		switch {
		case v == 0xfe:
		case s.ended:
			if v != 0xfd {
				d.note(InvalidBase64Characters)
			}
		case v < 64:
			if s.padded > 0 { // "QQ=A": the "=" was none
				d.note(InvalidBase64Padding)
				s.padded = 0
			}
			s.quad = s.quad<<6 | uint32(v)
			if s.n++; s.n == 4 {
				out = append(out, byte(s.quad>>16), byte(s.quad>>8), byte(s.quad))
				s.quad, s.n = 0, 0
			}
		case v == 0xfd:
			out = s.pad(out, d)
		default:
			d.note(InvalidBase64Characters)
		}
	}
	return out
}

func (s *base64Step) pad(out []byte, d *Decoder) []byte {
	s.padded++
	switch {
	case s.n < 2:
		d.note(InvalidBase64Padding)
		s.padded = 0
	case s.n+s.padded == 4:
		s.ended = true
		return s.flush(out)
	}
	return out
}

func (s *base64Step) flush(out []byte) []byte {
	switch s.n {
	case 2:
		out = append(out, byte(s.quad>>4))
	case 3:
		out = append(out, byte(s.quad>>10), byte(s.quad>>2))
	}
	s.quad, s.n = 0, 0
	return out
}

func (s *base64Step) finish(out []byte, d *Decoder) []byte {
	switch s.n {
	case 1:
		d.note(InvalidBase64Length)
	case 2, 3:
		d.note(InvalidBase64Padding)
	}
	return s.flush(out)
}

// quotedStep is RFC 2045 6.7. held is what cannot be decided yet: white space
// that may end the line, or a beginning of "=XX".
type quotedStep struct{ held []byte }

// heldSpace is the most white space that is held: lines are 76 characters long.
const heldSpace = 1 << 10

func (s *quotedStep) decode(out, in []byte, d *Decoder) []byte {
	if in == nil {
		if len(s.held) > 0 && s.held[0] != '=' {
			return append(out, bytes.TrimRight(s.held, " \t")...)
		}
		if len(s.held) == 2 && unhex(s.held[1]) >= 0 {
			d.note(InvalidQuotedPrintable)
			out = append(out, s.held...)
		}
		return out // a "=" at the very end is a soft line break
	}
	for i := 0; i < len(in); i++ {
		if len(s.held) == 0 {
			plain := bytes.IndexAny(in[i:], "= \t\r")
			if plain < 0 {
				return append(out, in[i:]...)
			}
			out = append(out, in[i:i+plain]...)
			i += plain
			s.held = append(s.held, in[i])
			continue
		}
		var again bool
		if out, again = s.resolve(out, in[i], d); again {
			i--
		}
	}
	return out
}

// resolve decides what is held by the octet that follows. again says that this
// one has still to be looked at.
func (s *quotedStep) resolve(out []byte, c byte, d *Decoder) (result []byte, again bool) {
	held := s.held
	last := held[len(held)-1]
	s.held = held[:0]
	switch {
	case held[0] == '=' && len(held) == 1 && unhex(c) >= 0,
		c == '\r' && last != '\r' && (held[0] != '=' || len(held) == 1 || isSpace(last)),
		(c == ' ' || c == '\t') && last != '\r' && len(held) < heldSpace && (last == '=' || isSpace(last)):
		s.held = append(held, c)
		return out, false
	case held[0] == '=' && c == '\n' && (len(held) == 1 || isSpace(last)):
		return out, false // a soft line break, and white space that got behind it
	case held[0] == '=' && len(held) == 2 && unhex(last) >= 0 && unhex(c) >= 0:
		return append(out, byte(unhex(last)<<4|unhex(c))), false
	case held[0] == '=':
		d.note(InvalidQuotedPrintable)
		return append(out, held...), true
	case c == '\n' && last == '\r':
		return append(out, "\r\n"...), false
	case c == '\n':
		return append(out, '\n'), false
	}
	return append(out, held...), true
}

// uuStep is the uuencoding of POSIX: lines of "begin mode name", data, "end".
type uuStep struct {
	line         []byte
	begun, ended bool
}

// uuLine is the longest line of data: a length, and 63 octets in 84 characters,
// with some room for a checksum.
const uuLine = 100

func (s *uuStep) decode(out, in []byte, d *Decoder) []byte {
	if in == nil {
		out = s.take(out, d)
		if !s.begun || !s.ended {
			d.note(InvalidUUEncode)
		}
		return out
	}
	for _, c := range in {
		switch {
		case c == '\n':
			out = s.take(out, d)
		case len(s.line) < 1000:
			s.line = append(s.line, c)
		}
	}
	return out
}

// take decodes the line that is complete.
func (s *uuStep) take(out []byte, d *Decoder) []byte {
	line := bytes.TrimRight(s.line, "\r")
	s.line = s.line[:0]
	switch {
	case s.ended || len(line) == 0:
		return out
	case !s.begun:
		s.begun = bytes.HasPrefix(line, []byte("begin "))
		return out
	case string(bytes.TrimRight(line, " ")) == "end":
		s.ended = true
		return out
	}
	size := int(line[0]-' ') & 63
	data := line[1:]
	if len(line) > uuLine || len(data) < (size*8+5)/6 && len(bytes.TrimRight(data, " ")) < len(data) {
		d.note(InvalidUUEncode)
	}
	for i := 0; size > 0; i += 4 {
		// Blanks at a line's end get lost on the way; a missing one is zero.
		var v [4]byte
		for k := range v {
			if i+k < len(data) {
				v[k] = (data[i+k] - ' ') & 63
			}
		}
		three := [3]byte{v[0]<<2 | v[1]>>4, v[1]<<4 | v[2]>>2, v[2]<<6 | v[3]}
		out = append(out, three[:min(size, 3)]...)
		size -= 3
	}
	return out
}
