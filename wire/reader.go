package wire

import (
	"bytes"
	"io"
)

// DefaultLine is the limit of a line, CRLF included, where none is given: room
// for the longest command of the protocols here (RFC 3977 section 3.1 and RFC
// 5321 section 4.5.3.1.4 ask for 512; SMTP's AUTH for 12,288, which its own
// limit then says).
const DefaultLine = 4096

// A Reader reads lines, dot-blocks and literals. The zero Reader is made ready
// by Init. It is not safe for concurrent use.
type Reader struct {
	src  Source
	buf  []byte
	r, w int32 // buf[r:w] has not been read
	told int32 // buf[told:r] has been read, and no tap has heard it
	lim  int32
	keep int32 // Rewind goes back no further: what lies before was dropped
	lent bool  // buf belongs to the Source
	skip bool  // the rest of a line that was too long is being dropped
	old  bool  // open was begun before the Mark
	open body  // a block or literal that has not been read to its end
}

// body is what Line must finish before it can find the next line.
type body interface{ discard() error }

// Init makes r read from src, with lines of at most limit bytes, CRLF
// included (0: DefaultLine).
func (r *Reader) Init(src Source, limit int) {
	if limit <= 0 {
		limit = DefaultLine
	}
	*r = Reader{src: src, lim: int32(min(limit, 1<<30))}
}

// SetLimit changes the limit of a line (0: DefaultLine), for the protocols
// that allow more after a login or an extension.
func (r *Reader) SetLimit(limit int) {
	if limit <= 0 {
		limit = DefaultLine
	}
	r.lim = int32(min(limit, 1<<30))
}

// Limit is the limit of a line, CRLF included.
func (r *Reader) Limit() int { return int(r.lim) }

// Buffered is the number of bytes that lie here, read from below and not yet
// asked for.
func (r *Reader) Buffered() int { return int(r.w - r.r) }

// Peek gives the bytes that lie here, without waiting and without taking
// them. They are valid until the next call.
func (r *Reader) Peek() []byte { return r.buf[r.r:r.w] }

// Line reads a line and gives it without its CRLF. The bytes are valid until
// the next call. Only CRLF ends a line: ErrBareLF, ErrBareCR and
// ErrLineTooLong take the offending line away, so that the next call reads the
// next line. io.EOF is the end of the stream between lines,
// io.ErrUnexpectedEOF within one. What is left of an open block or literal is
// read and dropped first.
func (r *Reader) Line() ([]byte, error) {
	line, err := r.LooseLine()
	if err != nil {
		return nil, err
	}
	// LooseLine cut the line end off; whether it was CRLF stands behind it.
	if behind := line[:len(line)+1]; behind[len(line)] != '\r' {
		return nil, ErrBareLF
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		return nil, ErrBareCR
	}
	return line, nil
}

// LooseLine is Line for peers that are known to be lax: LF alone ends a line
// too, and a CR within it is left as it is. No server of ours uses it where a
// line may be part of a message.
func (r *Reader) LooseLine() ([]byte, error) {
	if err := r.finish(); err != nil {
		return nil, err
	}
	seen := int32(0)
	for {
		if i := bytes.IndexByte(r.buf[r.r+seen:r.w], '\n'); i >= 0 {
			start, end := r.r, r.r+seen+int32(i)
			r.r = end + 1
			if r.skip { // the end of the line that was too long
				r.skip, r.keep, seen = false, r.r, 0
				continue
			}
			if r.r-start > r.lim {
				r.keep = r.r
				return nil, ErrLineTooLong
			}
			if end > start && r.buf[end-1] == '\r' {
				end--
			}
			return r.buf[start:end], nil
		}
		if r.skip {
			r.r, r.keep = r.w, r.w
		}
		if r.w-r.r >= r.lim { // dropped at once, so that a long line costs no memory
			r.r, r.keep, r.skip = r.w, r.w, true
			return nil, ErrLineTooLong
		}
		seen = r.w - r.r
		if err := r.src.Fill(); err != nil {
			if err == io.EOF && (seen > 0 || r.skip) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// Chunk takes whatever lies here and waits only for the first byte. The bytes
// are valid until the next call. io.EOF is the end of the stream.
func (r *Reader) Chunk() ([]byte, error) {
	for r.r == r.w {
		if err := r.src.Fill(); err != nil {
			return nil, err
		}
	}
	b := r.buf[r.r:r.w]
	r.r = r.w
	return b, nil
}

// Read reads like an io.Reader: at least one byte, at most len(p).
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.r == r.w {
		if err := r.src.Fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf[r.r:r.w])
	r.r += int32(n)
	return n, nil
}

// ReadByte takes one byte.
func (r *Reader) ReadByte() (byte, error) {
	for r.r == r.w {
		if err := r.src.Fill(); err != nil {
			return 0, err
		}
	}
	c := r.buf[r.r]
	r.r++
	return c, nil
}

// Discard drops n bytes. io.ErrUnexpectedEOF: the stream ended before.
func (r *Reader) Discard(n int64) error {
	for n > 0 {
		if r.r == r.w {
			if err := r.src.Fill(); err == io.EOF {
				return io.ErrUnexpectedEOF
			} else if err != nil {
				return err
			}
		}
		k := min(n, int64(r.w-r.r))
		r.r += int32(k)
		n -= k
	}
	return nil
}

// finish drops what is left of an open block or literal.
func (r *Reader) finish() error {
	if r.open == nil {
		return nil
	}
	err := r.open.discard()
	if err == nil {
		r.open, r.old = nil, false
	}
	return err
}
