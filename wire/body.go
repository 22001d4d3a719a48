package wire

import (
	"bytes"
	"io"
)

// A Block reads a dot-block (RFC 5321 section 4.5.2, RFC 3977 section 3.1.1,
// RFC 1939 section 3): the lines up to one that is a single dot, with the dots
// that were doubled at the start of a line made single again. Line ends stay
// CRLF. Only CRLF.CRLF ends it, or .CRLF when nothing came before. It is valid
// until the end of the block; the next Line drops what was left unread.
type Block struct {
	r    *Reader
	bol  bool // at the beginning of a line
	cr   bool // the byte before was CR
	bare bool
	err  error
}

// Block begins a dot-block. What is left of an earlier body is dropped first.
func (r *Reader) Block() *Block {
	b := &Block{r: r, bol: true, err: r.finish()}
	if b.err == nil {
		r.open = b
	}
	return b
}

// Bare tells whether a CR or LF stood alone in what was read so far. A mail
// server refuses such a message (the receivers behind it do not agree on
// where it ends).
func (b *Block) Bare() bool { return b.bare }

// Read gives the content. io.EOF: the block is at its end, and the next bytes
// of the stream are the next line. io.ErrUnexpectedEOF: the stream ended first.
func (b *Block) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if b.err == nil && (b.r.r == b.r.w || b.bol && !b.decided()) {
			if n > 0 {
				return n, nil // what lies here first; the next call waits
			}
			b.fill()
			continue
		}
		if b.err != nil {
			break
		}
		if b.bol {
			b.begin()
			continue
		}
		n += b.text(p[n:])
		if b.r.open == body(b) {
			b.r.taken(false)
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	err := b.err
	if err == ErrWait {
		b.err = nil // the caller may come again with more
	}
	return 0, err
}

func (b *Block) fill() {
	if b.err = b.r.src.Fill(); b.err == io.EOF {
		b.err = io.ErrUnexpectedEOF
	}
}

// decided tells whether enough lies here to know what the line begins with.
func (b *Block) decided() bool {
	have := b.r.Peek()
	switch {
	case len(have) == 0:
		return false
	case have[0] != '.' || len(have) >= 3:
		return true
	}
	return len(have) == 2 && have[1] != '\r'
}

// begin takes the dot at the beginning of a line: the end, or one too many.
func (b *Block) begin() {
	have := b.r.Peek()
	b.bol = false
	if have[0] != '.' {
		return
	}
	if have[1] == '\r' && have[2] == '\n' {
		b.r.r += 3
		b.err = io.EOF
		if b.r.open == body(b) {
			b.r.taken(true)
		}
		return
	}
	b.r.r++
}

// text copies the line as far as it lies here.
func (b *Block) text(p []byte) int {
	have := b.r.Peek()
	if i := bytes.IndexByte(have, '\n'); i >= 0 {
		have = have[:i+1]
	}
	n := copy(p, have)
	have = have[:n]
	b.r.r += int32(n)
	last := have[n-1]
	inner := have[:n-1] // a CR here stands alone, unless the LF follows at once
	if last == '\n' {
		crlf := b.cr && n == 1 || n > 1 && have[n-2] == '\r'
		if !crlf {
			b.bare = true
		} else if n > 1 {
			inner = have[:n-2]
		}
		b.bol = crlf
	}
	if bytes.IndexByte(inner, '\r') >= 0 || b.cr && have[0] != '\n' {
		b.bare = true
	}
	b.cr = last == '\r'
	return n
}

func (b *Block) discard() error { return drain(b) }

// drain reads a body to its end.
func drain(r io.Reader) error {
	p := Get(medium)
	defer Put(p)
	for {
		if _, err := r.Read(p); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// A Literal reads a counted number of bytes (RFC 9051 section 4.3, SMTP's
// BDAT, RFC 3030). The next Line drops what was left unread, so that the
// conversation stays in step whatever becomes of the bytes.
type Literal struct {
	r    *Reader
	left int64
}

// Literal begins a literal of n bytes. What is left of an earlier body is
// dropped first, in the first Read.
func (r *Reader) Literal(n int64) (*Literal, error) {
	if err := r.finish(); err != nil {
		return nil, err
	}
	l := &Literal{r, n}
	if n > 0 {
		r.open = l
	}
	return l, nil
}

// Left is the number of bytes that have not been read.
func (l *Literal) Left() int64 { return l.left }

// Read gives the next bytes; io.EOF after the last one, io.ErrUnexpectedEOF
// when the stream ended before.
func (l *Literal) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if l.r.open == body(l) {
		l.r.taken(l.left == 0)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (l *Literal) discard() error { return drain(l) }
