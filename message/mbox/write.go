package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
)

// Writer writes an mboxrd. It may be used by one goroutine at a time.
type Writer struct {
	w   io.Writer
	out []byte
}

// heldOutput is how much is put together before it is written.
const heldOutput = 64 << 10

// NewWriter gives a Writer that appends to w, which must be empty or end with
// an mbox's empty line.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Append writes one message: its "From " line, the text of r with LF at the end
// of each line, an empty line. An empty sender becomes MAILER-DAEMON; blanks
// and control characters in it become "-". When Append returns, w has all of
// it; the errors are r's and w's, and after one the file ends somewhere inside
// the message.
func (w *Writer) Append(sender string, date time.Time, r io.Reader) error {
	sender = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '-'
		}
		return r
	}, sender)
	if sender == "" {
		sender = "MAILER-DAEMON"
	}
	w.out = append(w.out[:0], "From "+sender+" "+date.UTC().Format(time.ANSIC)+"\n"...)
	in := bufio.NewReaderSize(r, 64<<10)
	begins := true
	for {
		b, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && err != io.EOF && !long {
			return errors.Join(err, w.flush())
		}
		if n := len(b) - 1; long && b[n] == '\r' {
			b = b[:n] // its LF may come with the next piece
			if err := in.UnreadByte(); err != nil {
				return errors.Join(err, w.flush())
			}
		}
		w.out = appendLine(w.out, b, begins)
		if len(b) > 0 {
			begins = b[len(b)-1] == '\n'
		}
		if err == io.EOF {
			break
		}
		if len(w.out) >= heldOutput {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	if !begins {
		w.out = append(w.out, '\n')
	}
	w.out = append(w.out, '\n')
	return w.flush()
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.out)
	w.out = w.out[:0]
	return err
}

// appendLine writes a line, or a piece of one.
func appendLine(out, b []byte, begins bool) []byte {
	if begins && bytes.HasPrefix(bytes.TrimLeft(b, ">"), []byte("From ")) {
		out = append(out, '>')
	}
	if text, ok := bytes.CutSuffix(b, []byte("\r\n")); ok {
		return append(append(out, text...), '\n')
	}
	return append(out, b...)
}
