package wire

import (
	"bytes"
	"io"
	"strings"
)

// direct is the size from which a piece goes past the Writer's storage.
const direct = 4096

// A Writer writes lines, dot-blocks and bytes. Its storage is lent by the
// Source and goes back with Flush; a Writer at rest holds none. It is not safe
// for concurrent use.
type Writer struct {
	src  Source
	buf  []byte
	told int // buf[:told] has been heard by a tap
}

// Init makes w write to src.
func (w *Writer) Init(src Source) { *w = Writer{src: src} }

// Buffered is the number of bytes that wait for a Flush.
func (w *Writer) Buffered() int { return len(w.buf) }

// Grow gives the Writer storage of n bytes at least, until the next Flush: for
// whoever writes much in small pieces, or many answers one behind the other.
func (w *Writer) Grow(n int) {
	if cap(w.buf) >= n {
		return
	}
	b := append(Get(n)[:0], w.buf...)
	if w.buf != nil {
		w.src.Unlend(w.buf)
	}
	w.buf = b
}

// Write takes all of p, or fails.
func (w *Writer) Write(p []byte) (int, error) {
	if len(p) >= direct && len(p) > cap(w.buf)-len(w.buf) {
		if err := w.Flush(); err != nil {
			return 0, err
		}
		if err := w.src.Send(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if err := w.room(len(p)); err != nil {
		return 0, err
	}
	w.buf = append(w.buf, p...)
	return len(p), nil
}

// WriteString takes all of s, or fails.
func (w *Writer) WriteString(s string) (int, error) {
	if len(s) >= direct {
		return w.Write([]byte(s))
	}
	if err := w.room(len(s)); err != nil {
		return 0, err
	}
	w.buf = append(w.buf, s...)
	return len(s), nil
}

// Line writes line and CRLF. ErrBreak: it has a CR or LF inside, and nothing
// was written; here ends every injection of commands through arguments.
func (w *Writer) Line(line []byte) error {
	if bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		return ErrBreak
	}
	if _, err := w.Write(line); err != nil {
		return err
	}
	_, err := w.WriteString("\r\n")
	return err
}

// LineString is Line for a string.
func (w *Writer) LineString(line string) error {
	if strings.IndexByte(line, '\n') >= 0 || strings.IndexByte(line, '\r') >= 0 {
		return ErrBreak
	}
	if _, err := w.WriteString(line); err != nil {
		return err
	}
	_, err := w.WriteString("\r\n")
	return err
}

// room makes place for n bytes: either n < direct, or they fit.
func (w *Writer) room(n int) error {
	if w.buf == nil {
		w.buf = w.src.Lend()
	}
	if len(w.buf)+n <= cap(w.buf) {
		return nil
	}
	b := w.buf
	w.buf, w.told = w.buf[:0], 0 // the storage stays: there is more to come
	err := w.src.Send(b)
	if err != nil {
		w.buf = nil
		w.src.Unlend(b)
	}
	return err
}

// Flush sends what was written and gives the storage back.
func (w *Writer) Flush() error {
	if w.buf == nil {
		return nil
	}
	b := w.buf
	w.buf, w.told = nil, 0
	var err error
	if len(b) > 0 {
		err = w.src.Send(b)
	}
	w.src.Unlend(b)
	return err
}

// Untold gives the bytes that were written since the last call and not yet
// sent, for a tap that must hear them before a secret begins or ends.
func (w *Writer) Untold() []byte {
	b := w.buf[w.told:]
	w.told = len(w.buf)
	return b
}

// Block writes all of r as a dot-block, the closing line included: a dot at
// the beginning of a line is doubled, LF alone becomes CRLF, and a last line
// without an end gets one (RFC 5321 section 4.5.2). When r fails the block is
// left open, and the conversation must end.
func (w *Writer) Block(r io.Reader) error {
	b := w.BlockWriter()
	p := Get(Large)
	defer Put(p)
	if _, err := io.CopyBuffer(onlyWriter{b}, r, p); err != nil {
		return err
	}
	return b.Close()
}

type onlyWriter struct{ io.Writer }

// BlockWriter begins a dot-block; Close writes the line that ends it. Nothing
// else may be written meanwhile.
func (w *Writer) BlockWriter() *BlockWriter { return &BlockWriter{w: w, bol: true} }

// A BlockWriter makes a dot-block of what is written to it, as Block does.
type BlockWriter struct {
	w    *Writer
	bol  bool
	cr   bool
	done bool
}

// Write takes all of p, or fails.
func (b *BlockWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if b.bol && p[done] == '.' {
			if _, err := b.w.WriteString("."); err != nil {
				return done, err
			}
		}
		b.bol = false
		text, ended := plain(p[done:])
		if len(text) > 0 {
			if _, err := b.w.Write(text); err != nil {
				return done, err
			}
			b.cr = text[len(text)-1] == '\r'
		}
		done += len(text)
		if !ended {
			break
		}
		end := "\r\n"
		if b.cr {
			end = "\n"
		}
		if _, err := b.w.WriteString(end); err != nil {
			return done, err
		}
		b.bol, b.cr = true, false
		done++
	}
	return done, nil
}

// plain is what of p can be written as it is: up to a line end that has no CR, or
// behind which a dot or the end of p follows. ended: such a line end comes next.
func plain(p []byte) (text []byte, ended bool) {
	for at := 0; ; {
		i := bytes.IndexByte(p[at:], '\n')
		if i < 0 {
			return p, false
		}
		i += at
		if i == 0 || p[i-1] != '\r' || i+1 == len(p) || p[i+1] == '.' {
			return p[:i], true
		}
		at = i + 1
	}
}

// Close ends the block. It does not flush. A second Close does nothing.
func (b *BlockWriter) Close() error {
	if b.done {
		return nil
	}
	b.done = true
	end := ".\r\n"
	switch {
	case b.cr:
		end = "\n.\r\n"
	case !b.bol:
		end = "\r\n.\r\n"
	}
	_, err := b.w.WriteString(end)
	return err
}
