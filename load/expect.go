package load

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Expect is what an answer must be. The zero Expect is Same.
type Expect struct {
	kind kind
	text []byte
	n    int
}

type kind uint8

const (
	same kind = iota
	line
	exactly
	text
)

// Same expects what was sent.
func Same() Expect { return Expect{} }

// Line expects anything up to a line feed.
func Line() Expect { return Expect{kind: line} }

// Bytes expects n bytes, whatever they are.
func Bytes(n int) Expect { return Expect{kind: exactly, n: n} }

// Text expects these bytes.
func Text(b []byte) Expect { return Expect{kind: text, text: b, n: len(b)} }

// ParseExpect reads "same", "line", "N bytes", or else a text with the escapes
// of ParseText. "text:" before it makes a text of anything.
func ParseExpect(s string) (Expect, error) {
	switch s {
	case "same":
		return Same(), nil
	case "line":
		return Line(), nil
	}
	if number, ok := strings.CutSuffix(s, "bytes"); ok {
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if err == nil && n > 0 && n <= maxMessage {
			return Bytes(n), nil
		}
		if err == nil {
			return Expect{}, fmt.Errorf("expect %q: from 1 to %d bytes", s, maxMessage)
		}
	}
	b, err := ParseText(strings.TrimPrefix(s, "text:"))
	if err != nil {
		return Expect{}, err
	}
	if len(b) == 0 {
		return Expect{}, fmt.Errorf("expect %q: same, line, N bytes, or a text", s)
	}
	return Text(b), nil
}

// String is the expectation as ParseExpect takes it.
func (e Expect) String() string {
	switch e.kind {
	case line:
		return "line"
	case exactly:
		return strconv.Itoa(e.n) + " bytes"
	case text:
		return "text:" + FormatText(e.text)
	}
	return "same"
}

var lineFeed = []byte{'\n'}

// matcher follows the answers in a stream. sent is what Same compares with.
type matcher struct {
	kind kind
	want []byte
	n    int // of an answer; not for lines
	pos  int // within the present answer
}

func (e Expect) matcher(sent []byte) matcher {
	m := matcher{kind: e.kind, want: e.text, n: e.n}
	if e.kind == same {
		m.want, m.n = sent, len(sent)
	}
	return m
}

// feed takes what came and tells how many answers it completed, until at, where
// it is wrong; at is -1 when all of it is right.
func (m *matcher) feed(b []byte) (done, at int) {
	if m.kind == line {
		return bytes.Count(b, lineFeed), -1
	}
	for off := 0; off < len(b); {
		k := min(len(b)-off, m.n-m.pos)
		if m.kind != exactly && !bytes.Equal(b[off:off+k], m.want[m.pos:m.pos+k]) {
			return done, off + differ(b[off:off+k], m.want[m.pos:])
		}
		off += k
		if m.pos += k; m.pos == m.n {
			m.pos = 0
			done++
		}
	}
	return done, -1
}

// differ is the first place where a and b are not the same.
func differ(a, b []byte) int {
	for i := range a {
		if i == len(b) || a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// whole tells whether b is an answer, all of it: a datagram.
func (m *matcher) whole(b []byte) bool {
	switch m.kind {
	case line:
		return bytes.IndexByte(b, '\n') == len(b)-1 && len(b) > 0
	case exactly:
		return len(b) == m.n
	}
	return bytes.Equal(b, m.want)
}
