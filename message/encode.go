package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// NewEncoder gives a writer that puts what it is given into w in that
// Content-Transfer-Encoding: base64 in lines of 76, or quoted-printable, which
// takes text and makes every line end CRLF. Other names leave it as it is.
// Close writes what is left, and does not close w.
func NewEncoder(w io.Writer, encoding string) io.WriteCloser {
	switch codingOf(encoding) {
	case codingBase64:
		lines := &lineWriter{w: w}
		return &base64Writer{base64.NewEncoder(base64.StdEncoding, lines), lines}
	case codingQuotedPrintable:
		return quotedprintable.NewWriter(w)
	}
	return plainWriter{w}
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

type base64Writer struct {
	io.WriteCloser
	lines *lineWriter
}

func (w *base64Writer) Close() error {
	if err := w.WriteCloser.Close(); err != nil {
		return err
	}
	return w.lines.end()
}

// lineWriter breaks what it is given into lines of 76 (RFC 2045 6.8).
type lineWriter struct {
	w    io.Writer
	used int
	buf  []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.buf = l.buf[:0]
	for rest := p; len(rest) > 0; {
		if l.used == 76 {
			l.buf = append(l.buf, "\r\n"...)
			l.used = 0
		}
		n := min(76-l.used, len(rest))
		l.buf = append(l.buf, rest[:n]...)
		l.used += n
		rest = rest[n:]
	}
	_, err := l.w.Write(l.buf)
	return len(p), err
}

func (l *lineWriter) end() error {
	if l.used == 0 {
		return nil
	}
	_, err := l.w.Write([]byte("\r\n"))
	return err
}

// textEncoding chooses how a text is written: as it is, if every transport
// takes that, else the shorter of the two encodings.
func textEncoding(s string) string {
	if ascii(s) && strings.IndexByte(s, 0) < 0 && !longLine(s) {
		return "7bit"
	}
	q := 0
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c == '=' || c < ' ' && !isSpace(c) {
			q += 2
		}
		q++
	}
	if base64.StdEncoding.EncodedLen(len(s)) < q {
		return "base64"
	}
	return "quoted-printable"
}

func longLine(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if len(line) > maxLine {
			return true
		}
	}
	return false
}

// canonical is s with CRLF at the end of every line, the last one too.
func canonical(s string) []byte {
	b, _ := io.ReadAll(NewCRLFReader(strings.NewReader(s))) // a string gives no error
	if len(b) > 0 && !bytes.HasSuffix(b, []byte("\r\n")) {
		b = append(b, "\r\n"...)
	}
	return b
}
