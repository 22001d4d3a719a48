package wire_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/farend-go/farend/wire"
)

// The oracles say what the grammar says, in the plainest way, about input that
// lies there whole.

// oracleLine takes the next line of in. It looks for the LF and judges what
// stands before; a line over the limit is too long wherever its end is.
//
// Behind a line that is too long and has no end, the end of the stream lies
// within a line.
func oracleLine(in string, limit int, within bool) (line, rest string, err error) {
	end := strings.Index(in, "\n")
	if end < 0 {
		switch {
		case in == "" && !within:
			return "", "", io.EOF
		case len(in) >= limit:
			return "", "", wire.ErrLineTooLong
		}
		return "", "", io.ErrUnexpectedEOF
	}
	whole, rest := in[:end+1], in[end+1:]
	switch {
	case len(whole) > limit:
		return "", rest, wire.ErrLineTooLong
	case !strings.HasSuffix(whole, "\r\n"):
		return "", rest, wire.ErrBareLF
	case strings.Contains(whole[:len(whole)-2], "\r"):
		return "", rest, wire.ErrBareCR
	}
	return whole[:len(whole)-2], rest, nil
}

// oracleBlock takes a dot-block from the front of in: split at CRLF, stop at
// the line that is a dot, undouble the others.
func oracleBlock(in string) (body, rest string, err error) {
	var b strings.Builder
	for {
		line, after, found := strings.Cut(in, "\r\n")
		if found && line == "." {
			return b.String(), after, nil
		}
		if !found {
			// What is begun and not ended: its dot may yet be the end, or one
			// too many.
			if line == "." || line == ".\r" {
				line = ""
			}
			b.WriteString(strings.TrimPrefix(line, "."))
			return b.String(), "", io.ErrUnexpectedEOF
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
		in = after
	}
}

// oracleBare tells whether a CR or LF stands alone.
func oracleBare(s string) bool {
	s = strings.ReplaceAll(s, "\r\n", "")
	return strings.ContainsAny(s, "\r\n")
}

// pieces gives its parts one by one, then the end.
type pieces struct{ parts []string }

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.parts) > 0 && p.parts[0] == "" {
		p.parts = p.parts[1:]
	}
	if len(p.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.parts[0])
	p.parts[0] = p.parts[0][n:]
	return n, nil
}

// reader is a Reader over parts that come one after another.
func reader(limit int, parts ...string) *wire.Reader {
	r := &wire.Reader{}
	r.Init(wire.Over(&pieces{slices.Clone(parts)}, r), limit)
	return r
}

// cuts calls f with in whole, in two parts for each byte, and byte by byte.
func cuts(in string, f func(parts ...string)) {
	f(in)
	for i := 1; i < len(in); i++ {
		f(in[:i], in[i:])
	}
	f(strings.Split(in, "")...)
}

// out is a Source that keeps what is sent.
type out struct {
	bytes.Buffer
	sends int
	lent  int // how many pieces of storage are out
	size  int
	fail  error
}

func (o *out) Fill() error { return io.EOF }
func (o *out) Lend() []byte {
	o.lent++
	return make([]byte, 0, o.size)
}
func (o *out) Unlend([]byte) { o.lent-- }

func (o *out) Send(b []byte) error {
	o.sends++
	if o.fail != nil {
		return o.fail
	}
	o.Write(b)
	return nil
}

var errBroken = errors.New("broken")

// newWriter is a Writer over an out with storage of a size.
func newWriter(size int) (*wire.Writer, *out) {
	o := &out{size: size}
	w := &wire.Writer{}
	w.Init(o)
	return w, o
}
