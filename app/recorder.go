package app

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
)

// A Recorder is an Ear that remembers the last conversations, for whoever must
// say what went before a failure. The zero Recorder is ready.
type Recorder struct {
	mu    sync.Mutex
	began time.Time
	count int
	last  []*recorded
}

const (
	recordedTalks = 3   // conversations that are remembered
	recordedLines = 40  // of each, the last ones
	recordedBytes = 200 // of each line, the first ones
)

// recorded is one conversation. Its lines are guarded by the Recorder's mutex.
type recorded struct {
	r     *Recorder
	name  string
	lines []string
	left  int // lines that are forgotten
}

func (r *Recorder) begin(name string) *recorded {
	if r.began.IsZero() {
		r.began = time.Now()
	}
	r.count++
	one := &recorded{r: r, name: name}
	r.last = append(r.last, one)
	if len(r.last) > recordedTalks {
		r.last = append(r.last[:0], r.last[1:]...)
	}
	return one
}

// Talk begins a conversation.
func (r *Recorder) Talk(c Conversation) conv.Tap {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begin(fmt.Sprintf("%s #%d", c.Service, c.Number))
}

// Packet remembers a datagram: those with one peer are a conversation.
func (r *Recorder) Packet(at Listening, e server.PacketEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("%s %s %s", at.Name, at.Network, nameOf(e.Peer))
	var one *recorded
	for _, known := range r.last {
		if known.name == name {
			one = known
		}
	}
	if one == nil {
		one = r.begin(name)
	}
	one.add(e.Time, e.Ours, quoted(e.Data))
}

// Hear remembers one event of a connection.
func (c *recorded) Hear(u conv.Utterance) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	switch u.Event {
	case conv.Said:
		c.add(u.Time, u.Ours, quoted(u.Bytes))
	case conv.Ended:
		c.add(u.Time, false, "(FIN)")
	case conv.Reset:
		c.add(u.Time, false, "(RST)")
	case conv.Broke:
		c.add(u.Time, false, fmt.Sprintf("(%v)", u.Err))
	case conv.Upgraded:
		c.add(u.Time, true, "(TLS)")
	case conv.Closed:
		c.add(u.Time, true, "(closed)")
	}
}

func (c *recorded) add(at time.Time, ours bool, text string) {
	who := "C"
	if ours {
		who = "S"
	}
	c.lines = append(c.lines, fmt.Sprintf("%7.3f  %s  %s", at.Sub(c.r.began).Seconds(), who, text))
	if len(c.lines) > recordedLines {
		c.lines = append(c.lines[:0], c.lines[1:]...)
		c.left++
	}
}

// quoted shows bytes as Go would write them, without the quotes.
func quoted(b []byte) string {
	more := ""
	if len(b) > recordedBytes {
		more = fmt.Sprintf(" ... (%d bytes in all)", len(b))
		b = b[:recordedBytes]
	}
	text := strconv.Quote(string(b))
	return strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`) + more
}

// Count is how many conversations there were.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// WriteTo writes the conversations that are remembered, the last one last; S
// is our end, C the other.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, c := range r.last {
		fmt.Fprintf(&b, "%s\n", c.name)
		if c.left > 0 {
			fmt.Fprintf(&b, "  ... %d lines before\n", c.left)
		}
		for _, line := range c.lines {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
