package talk

import (
	"fmt"
	"io"
	"sync"
)

// A Dump shows bytes of both directions in hexadecimal, sixteen to a line:
// "<" before what the peer said and ">" before what we say, then how many bytes
// came before in that direction. It may be used by several goroutines.
type Dump struct {
	w      io.Writer
	mu     sync.Mutex
	offset [2]int64
}

// NewDump shows on w.
func NewDump(w io.Writer) *Dump { return &Dump{w: w} }

// Show shows b. What goes wrong with writing it is not told: the dump is beside
// the conversation.
func (d *Dump) Show(ours bool, b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mark, way := byte('<'), 0
	if ours {
		mark, way = '>', 1
	}
	var out []byte
	for len(b) > 0 {
		n := min(16, len(b))
		out = dumpLine(out, mark, d.offset[way], b[:n])
		d.offset[way] += int64(n)
		b = b[n:]
	}
	_, _ = d.w.Write(out)
}

func dumpLine(out []byte, mark byte, offset int64, b []byte) []byte {
	out = fmt.Appendf(out, "%c %08x ", mark, offset)
	for i := range 16 {
		if i == 8 {
			out = append(out, ' ')
		}
		if i < len(b) {
			out = fmt.Appendf(out, " %02x", b[i])
		} else {
			out = append(out, "   "...)
		}
	}
	out = append(out, "  |"...)
	for _, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		out = append(out, c)
	}
	return append(out, "|\n"...)
}
