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
type Writer struct{ w *bufio.Writer }

// NewWriter gives a Writer that appends to w, which must be empty or end with
// an mbox's empty line.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriter(w)} }

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
	w.w.WriteString("From " + sender + " " + date.UTC().Format(time.ANSIC) + "\n")
	in := bufio.NewReaderSize(r, 64<<10)
	begins := true
	for {
		b, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return errors.Join(err, w.w.Flush())
		}
		if n := len(b) - 1; errors.Is(err, bufio.ErrBufferFull) && b[n] == '\r' {
			b = b[:n] // its LF may come with the next piece
			if err := in.UnreadByte(); err != nil {
				return errors.Join(err, w.w.Flush())
			}
		}
		w.line(b, begins)
		if len(b) > 0 {
			begins = b[len(b)-1] == '\n'
		}
		if err == io.EOF {
			break
		}
	}
	if !begins {
		w.w.WriteByte('\n')
	}
	w.w.WriteByte('\n')
	return w.w.Flush() // which has every error of the writes before
}

// line writes a line, or a piece of one.
func (w *Writer) line(b []byte, begins bool) {
	if begins && bytes.HasPrefix(bytes.TrimLeft(b, ">"), []byte("From ")) {
		w.w.WriteByte('>')
	}
	if text, ok := bytes.CutSuffix(b, []byte("\r\n")); ok {
		w.w.Write(text)
		w.w.WriteByte('\n')
		return
	}
	w.w.Write(b)
}
