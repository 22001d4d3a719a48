package message

import (
	"bytes"
	"io"
)

// lineKind is what a line is inside a header.
type lineKind uint8

const (
	blankLine     lineKind = iota + 1 // ends the header
	fieldLine                         // begins a field
	continuation                      // begins with white space
	envelopeLine                      // the "From " of an mbox
	namelessField                     // ": value"
	noField                           // anything else: the body has begun
	rest                              // not the beginning of a line
)

// classify tells what a line is, and the name of the field that it begins,
// with the white space before its colon.
func classify(line []byte) (lineKind, []byte) {
	text := bytes.TrimRight(line, "\r\n")
	switch {
	case len(text) == 0:
		return blankLine, nil
	case text[0] == ' ' || text[0] == '\t':
		return continuation, nil
	case text[0] == ':':
		return namelessField, nil
	case bytes.HasPrefix(text, []byte("From ")) || bytes.HasPrefix(text, []byte(">From ")):
		// "From :" is a field with obsolete white space.
		if after := bytes.TrimLeft(text[len("From"):], " \t"); len(after) > 0 && after[0] == ':' {
			break
		}
		return envelopeLine, nil
	}
	name, _, ok := bytes.Cut(text, []byte{':'})
	if !ok {
		return noField, nil
	}
	for _, c := range bytes.TrimRight(name, " \t") {
		if c <= ' ' || c >= 0x7f {
			return noField, nil
		}
	}
	return fieldLine, name
}

// lineLength is the length of the first line of b with its line end.
func lineLength(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// firstBuffer is the scanner's storage until it is full: most mail is small.
// scanBuffer is what it grows to, and so the longest piece of a line.
const (
	firstBuffer = 4 << 10
	scanBuffer  = 32 << 10
)

// partial tells that peek gave a piece of a line that is longer.
func partial(line []byte) bool { return len(line) == scanBuffer && line[scanBuffer-1] != '\n' }

// scanner reads a stream line by line. A line that is longer than scanBuffer
// comes in pieces of that size, also where all of it lies in memory.
type scanner struct {
	r    io.Reader
	buf  []byte
	i, j int // what is unread is buf[i:j]
	base int64
	err  error

	whole  bool  // buf is all there is, and stays as it is
	begins bool  // buf[i] begins a line
	lines  int64 // line ends passed
	eol    int   // length of the line end passed last: 1 or 2
	last   byte  // the octet passed last
	watch  *octets
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, firstBuffer), begins: true}
}

// newBytesScanner reads what lies in memory, where it lies.
func newBytesScanner(b []byte) *scanner {
	return &scanner{buf: b, j: len(b), err: io.EOF, whole: true, begins: true}
}

// offset is where buf[i] stands in the stream.
func (s *scanner) offset() int64 { return s.base + int64(s.i) }

// fill reads more behind what is unread. It tells whether there is more.
func (s *scanner) fill() bool {
	if s.err != nil {
		return false
	}
	to := s.buf
	if s.j == len(s.buf) && len(s.buf) < scanBuffer {
		to = make([]byte, scanBuffer)
	}
	if s.i > 0 || len(to) > len(s.buf) {
		copy(to, s.buf[s.i:s.j])
		s.buf = to
		s.base += int64(s.i)
		s.i, s.j = 0, s.j-s.i
	}
	if s.j == len(s.buf) {
		return false
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.j:])
		if s.watch != nil && n > 0 {
			s.watch.see(s.buf[s.j:s.j+n], s.base+int64(s.j))
		}
		s.j += n
		s.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// failure is the error of the stream, unless that is its end.
func (s *scanner) failure() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// peek gives the next line with its line end, or a piece of it, without passing
// it. Nothing is the end of the stream.
func (s *scanner) peek() ([]byte, error) {
	seen := 0
	for {
		unread := s.buf[s.i:min(s.j, s.i+scanBuffer)]
		if k := bytes.IndexByte(unread[seen:], '\n'); k >= 0 {
			return unread[:seen+k+1], nil
		}
		if seen = len(unread); seen == scanBuffer {
			return unread, nil
		}
		if !s.fill() {
			return s.buf[s.i:s.j], s.failure()
		}
	}
}

// kind is classify for a line that peek gave.
func (s *scanner) kind(line []byte) lineKind {
	if !s.begins {
		return rest
	}
	k, _ := classify(line)
	if k == blankLine && partial(line) { // so many CRs are no line end
		return noField
	}
	return k
}

// skip passes n octets, of which at most the last is a line end.
func (s *scanner) skip(n int) {
	if n == 0 {
		return
	}
	end := s.i + n
	last := s.buf[end-1]
	s.begins = last == '\n'
	if s.begins {
		s.lines++
		if n > 1 {
			s.last = s.buf[end-2]
		}
		s.eol = 1
		if s.last == '\r' {
			s.eol = 2
		}
	}
	s.last = last
	s.i = end
}

// Read gives what is unread: the scanner is its own rest.
func (s *scanner) Read(p []byte) (int, error) {
	if s.i < s.j {
		n := copy(p, s.buf[s.i:s.j])
		s.i += n
		return n, nil
	}
	if s.err != nil {
		return 0, s.err
	}
	return s.r.Read(p)
}

// octets watches all that is read for what makes a message unfit for some
// transports. It looks at whole buffers, where this costs next to nothing.
type octets struct {
	defects  []Defect
	eightBit bool
	lineFrom int64 // where the line began that is being read
	crLast   bool  // the buffer before ended in CR
}

func (o *octets) see(b []byte, at int64) {
	pairs := 0 // CRs that have their LF in b
	for from := 0; from < len(b); {
		k := bytes.IndexByte(b[from:], '\n')
		if k < 0 {
			break
		}
		lf := from + k
		switch {
		case lf > 0 && b[lf-1] == '\r':
			pairs++
		case lf == 0 && o.crLast:
		default:
			o.note(BareLF, at+int64(lf))
		}
		if at+int64(lf)-o.lineFrom > 999 {
			o.note(LongLine, o.lineFrom)
		}
		o.lineFrom = at + int64(lf) + 1
		from = lf + 1
	}
	if o.crLast && b[0] != '\n' {
		o.note(BareCR, at-1)
	}
	o.crLast = b[len(b)-1] == '\r'
	if o.crLast {
		pairs++
	}
	if bytes.Count(b, []byte{'\r'}) != pairs {
		o.note(BareCR, at+int64(bareCR(b)))
	}
	if k := bytes.IndexByte(b, 0); k >= 0 {
		o.note(NUL, at+int64(k))
	}
	o.eightBit = o.eightBit || !ascii(b)
}

// end says that the stream ended at that offset.
func (o *octets) end(at int64) {
	if o.crLast {
		o.note(BareCR, at-1)
	}
	if at-o.lineFrom > 998 {
		o.note(LongLine, o.lineFrom)
	}
}

func (o *octets) note(kind DefectKind, at int64) { o.defects = note(o.defects, kind, at) }

// bareCR is where a CR stands that no LF follows.
func bareCR(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == '\r' && b[i+1] != '\n' {
			return i
		}
	}
	return len(b) - 1
}

// ascii tells whether no octet has its eighth bit set.
func ascii[T string | []byte](b T) bool {
	for len(b) >= 8 {
		v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56 // one load
		if v&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for i := range len(b) {
		if b[i]&0x80 != 0 {
			return false
		}
	}
	return true
}
