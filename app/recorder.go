package app

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// A Recorder is an Ear that remembers the last conversations, for whoever must
// say what went before a failure. The zero Recorder is ready.
type Recorder struct {
	mu    sync.Mutex
	count int
	last  []*recorded
}

const (
	recordedTalks = 3    // conversations that are remembered
	recordedBytes = 4096 // of the transcript of each, the last ones
)

// recorded is one conversation.
type recorded struct {
	*transcript.Recorder
	name string
	tail *tail
}

func (r *Recorder) begin(name string) *recorded {
	r.count++
	one := &recorded{name: name, tail: &tail{}}
	one.Recorder = transcript.NewRecorder(one.tail, transcript.Text, transcript.ServerSide, name)
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
	return r.begin(fmt.Sprintf("%s #%d with %s", c.Service, c.Number, nameOf(c.Peer)))
}

// Packet remembers a datagram: those with one peer are a conversation.
func (r *Recorder) Packet(at Listening, e server.PacketEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("%s %s with %s", at.Name, at.Network, nameOf(e.Peer))
	var one *recorded
	for _, known := range r.last {
		if known.name == name {
			one = known
		}
	}
	if one == nil {
		one = r.begin(name)
	}
	if len(e.Data) == 0 {
		one.Note("an empty datagram")
		return
	}
	one.Hear(conv.Utterance{Time: e.Time, Event: conv.Said, Ours: e.Ours, Bytes: e.Data})
}

// Count is how many conversations there were.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// WriteTo writes the conversations that are remembered, the last one last, as
// transcripts (S is our end), and ends them: what is said later is not
// remembered.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, c := range r.last {
		_ = c.Close() // its writer is a tail, which does not fail
		b.Write(c.tail.bytes())
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// tail keeps the end of what is written to it, whole lines.
type tail struct {
	mu  sync.Mutex
	buf []byte
	cut bool
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*recordedBytes {
		rest := t.buf[len(t.buf)-recordedBytes:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[i+1:]
		}
		t.buf, t.cut = append(t.buf[:0], rest...), true
	}
	return len(b), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		return append([]byte("   ...\n"), t.buf...)
	}
	return append([]byte(nil), t.buf...)
}
