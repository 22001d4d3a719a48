package gopher

import (
	"bytes"
	"errors"
	"io"

	"github.com/farend-go/farend/wire"
)

// textReader gives a text without what its transfer added (RFC 1436, appendix:
// TextFile). A line with a single dot ends it, and so does the end of the
// stream; of two dots at the beginning of a line one goes. What many servers
// do, who send a file as it is, does no harm: lines may end with LF, and a dot
// before anything else stays. Line ends stay as they are.
type textReader struct {
	r     *wire.Reader
	mid   bool // within a line
	ended error

	strict bool // the dot must come: without it, io.ErrUnexpectedEOF
}

func (t *textReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && t.ended == nil {
		if t.r.Buffered() == 0 {
			if n > 0 {
				return n, nil // what lies here first; the next call waits
			}
			if t.ended = t.r.Fill(); t.ended != nil {
				break
			}
			continue
		}
		if !t.mid && !t.begin(n > 0) {
			if t.ended != nil || n > 0 {
				break
			}
			continue
		}
		line := t.r.Peek()
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		k := copy(p[n:], line)
		t.mid = line[k-1] != '\n'
		if err := t.r.Discard(int64(k)); err != nil { // it lies here
			return n, err
		}
		n += k
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	switch {
	case errors.Is(t.ended, errDot):
		return 0, io.EOF
	case t.ended == io.EOF && t.strict:
		return 0, io.ErrUnexpectedEOF
	}
	return 0, t.ended
}

// errDot is the end that was told.
var errDot = errors.New("gopher: the single dot")

// begin looks at the beginning of a line and takes a dot that was added. It is
// false when more has to come first, or the text is over.
func (t *textReader) begin(busy bool) bool {
	for {
		have := t.r.Peek()
		switch {
		case have[0] != '.', len(have) > 1 && have[1] != '.' && have[1] != '\r' && have[1] != '\n':
			t.mid = true
			return true
		case len(have) > 1 && have[1] == '.':
			t.mid = true
			t.skip(1)
			return true
		case len(have) > 2 && have[1] == '\r' && have[2] == '\n':
			t.skip(3)
			t.ended = errDot
			return false
		case len(have) > 2: // a CR that ends no line, or a dot of the text itself
			t.mid = true
			return true
		}
		if busy {
			return false
		}
		if err := t.r.Fill(); err == io.EOF { // ".", ".CR" or ".LF", and no more
			t.skip(int64(len(have)))
			t.ended = errDot
			return false
		} else if err != nil {
			t.ended = err
			return false
		}
	}
}

func (t *textReader) skip(n int64) { _ = t.r.Discard(n) } // what lies here can be dropped
