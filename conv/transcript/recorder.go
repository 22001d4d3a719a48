package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/farend-go/farend/conv"
)

// Form is how a Recorder writes.
type Form uint8

// The forms.
const (
	Text      Form = iota // lines that Parse reads, with times
	JSONLines             // one object for each thing that was heard
)

// maxPiece is how many bytes stand on one line of a transcript.
const maxPiece = 1024

// A Recorder is a conv.Tap that writes one conversation down. Secrets are
// masked by the Conn before it hears them. It may be told things by several
// goroutines.
type Recorder struct {
	mu    sync.Mutex
	w     io.Writer
	form  Form
	ours  Side
	begin time.Time
	line  []byte    // what was said and has not been written
	side  Side      // by whom
	since time.Time // when it began
	quiet Side      // the side whose secret was the last thing heard
	err   error
	done  bool
}

var _ conv.Tap = (*Recorder)(nil)

// NewRecorder writes to w the conversation of an end that is the given side.
// title is its first line: who with whom, on which day. If w is an io.Closer,
// Close closes it, and so does the end of the conversation.
func NewRecorder(w io.Writer, form Form, ours Side, title string) *Recorder {
	r := &Recorder{w: w, form: form, ours: ours, begin: time.Now()}
	r.note(r.begin, "title", title)
	return r
}

// Hear writes what was said.
func (r *Recorder) Hear(u conv.Utterance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return
	}
	side := r.ours
	if !u.Ours {
		side = side.Other()
	}
	switch u.Event {
	case conv.Said:
		r.said(side, u)
	case conv.Opened, conv.Upgraded:
		r.note(u.Time, "event", u.Event.String())
	case conv.Ended:
		r.act(u.Time, side, Ends)
	case conv.Reset:
		r.act(u.Time, side, Resets)
	case conv.Broke:
		r.note(u.Time, "event", fmt.Sprintf("%v: %v", u.Event, u.Err))
	case conv.Closed:
		r.act(u.Time, r.ours, Ends)
		r.close()
	}
}

// Note writes a remark between the lines: a fault, a finding.
func (r *Recorder) Note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.note(time.Now(), "note", text)
	}
}

// Close writes what is left and closes the writer if it can be. It returns the
// first error of all that was written. A second Close does nothing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.close()
	return r.err
}

func (r *Recorder) close() {
	if r.done {
		return
	}
	r.flush()
	r.done = true
	if c, ok := r.w.(io.Closer); ok {
		r.err = errors.Join(r.err, c.Close())
	}
}

// said takes bytes apart into lines.
func (r *Recorder) said(side Side, u conv.Utterance) {
	if side != r.side {
		r.flush()
		r.side = side
	}
	if u.Secret {
		r.secret(side, u)
		return
	}
	r.quiet = 0
	if r.form == JSONLines {
		r.object(u.Time, side, "said", u.Bytes)
		return
	}
	for b := u.Bytes; len(b) > 0; {
		if len(r.line) == 0 {
			r.since = u.Time
		}
		piece := b[:min(len(b), maxPiece)]
		i := bytes.IndexByte(piece, '\n')
		if i >= 0 {
			piece = piece[:i+1]
		}
		r.line = append(r.line, piece...)
		b = b[len(piece):]
		if i >= 0 || len(r.line) >= maxPiece {
			r.flush()
		}
	}
}

// secret ends a line with a mask; secrets in a row are one.
func (r *Recorder) secret(side Side, u conv.Utterance) {
	if r.form == JSONLines {
		r.object(u.Time, side, "secret", u.Hidden)
		return
	}
	if r.quiet == side && len(r.line) == 0 {
		return
	}
	if len(r.line) == 0 {
		r.since = u.Time
	}
	r.put(r.since, appendText([]byte{byte(side), byte(Says)}, r.line, true))
	r.line, r.quiet = r.line[:0], side
}

// flush writes the line as far as it was heard.
func (r *Recorder) flush() {
	if len(r.line) > 0 {
		r.put(r.since, appendText([]byte{byte(r.side), byte(Says)}, r.line, false))
		r.line = r.line[:0]
	}
}

// act writes the end of a half.
func (r *Recorder) act(at time.Time, side Side, what Act) {
	if r.form == JSONLines {
		name := conv.Ended
		if what == Resets {
			name = conv.Reset
		}
		r.object(at, side, "event", name.String())
		return
	}
	r.flush()
	r.put(at, []byte{byte(side), byte(what)})
}

// note writes a comment.
func (r *Recorder) note(at time.Time, kind, text string) {
	if r.form == JSONLines {
		r.object(at, 0, kind, text)
		return
	}
	r.flush()
	for line := range strings.SplitSeq(text, "\n") {
		r.put(at, escape([]byte("# "), []byte(line), false))
	}
}

// put writes a line with its time.
func (r *Recorder) put(at time.Time, line []byte) {
	b := fmt.Appendf(nil, "%8.3f ", r.offset(at))
	r.write(append(append(b, line...), '\n'))
}

func (r *Recorder) offset(at time.Time) float64 {
	if at.IsZero() {
		at = time.Now()
	}
	return max(0, at.Sub(r.begin).Seconds())
}

// object writes a JSON line. Bytes that are no UTF-8 stand in base64 under
// "data".
func (r *Recorder) object(at time.Time, side Side, kind string, value any) {
	o := struct {
		At     float64 `json:"at"`
		Who    string  `json:"who,omitempty"`
		Title  any     `json:"title,omitempty"`
		Event  any     `json:"event,omitempty"`
		Note   any     `json:"note,omitempty"`
		Said   any     `json:"said,omitempty"`
		Data   any     `json:"data,omitempty"`
		Secret any     `json:"secret,omitempty"`
	}{At: float64(int64(r.offset(at)*1e6)) / 1e6}
	if side != 0 {
		o.Who = side.String()
	}
	switch b, isBytes := value.([]byte); {
	case isBytes && utf8.Valid(b):
		o.Said = string(b)
	case isBytes:
		o.Data = b
	case kind == "title":
		o.Title = value
	case kind == "event":
		o.Event = value
	case kind == "secret":
		o.Secret = value
	default:
		o.Note = value
	}
	line, err := json.Marshal(o)
	if err != nil {
		r.err = errors.Join(r.err, err)
		return
	}
	r.write(append(line, '\n'))
}

// write keeps the first error and writes no more after it.
func (r *Recorder) write(b []byte) {
	if r.err == nil {
		_, r.err = r.w.Write(b)
	}
}

// A Dir keeps one file for each conversation. Its fields are not changed after
// the first Create, which may be called by several goroutines.
type Dir struct {
	Path string // is made when there is none
	Form Form

	mu   sync.Mutex
	last map[string]int
}

// Check makes the folder and a file in it, which it removes: an error tells
// before the first conversation that none will be written.
func (d *Dir) Check() error {
	if err := d.make(); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.Path, ".check-*")
	if err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	return nil
}

func (d *Dir) make() error {
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	return nil
}

// Create begins the next conversation of a service, in a file named
// SERVICE-NUMBER.txt (.jsonl in that form); files of earlier runs are left
// alone. The Recorder closes its file at the end of the conversation.
func (d *Dir) Create(service string, ours Side, title string) (*Recorder, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		if err := d.make(); err != nil {
			return nil, err
		}
		d.last = map[string]int{}
	}
	ext := ".txt"
	if d.Form == JSONLines {
		ext = ".jsonl"
	}
	for {
		d.last[service]++
		name := fmt.Sprintf("%s-%04d%s", service, d.last[service], ext)
		f, err := os.OpenFile(filepath.Join(d.Path, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("transcript: %w", err)
		}
		return NewRecorder(f, d.Form, ours, title), nil
	}
}
