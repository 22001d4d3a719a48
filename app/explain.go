package app

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
)

// Explain is an Ear that tells a learner what each connection does and why:
// bytes with a hex dump, the ends of the stream, and notes on what programs
// get wrong. Each Write to w is one or more whole lines.
func Explain(w io.Writer) Ear { return &explainer{w: w} }

type explainer struct {
	w    io.Writer
	mu   sync.Mutex
	told map[string]bool // notes on datagrams, which are given once
}

// Talk begins a conversation.
func (x *explainer) Talk(c Conversation) conv.Tap {
	return &explained{x: x, Conversation: c, told: map[string]bool{}}
}

// explained is the state of one connection. A handler that reads and writes at
// once is heard from two goroutines.
type explained struct {
	Conversation
	x  *explainer
	mu sync.Mutex

	began        time.Time
	in, out      int  // bytes so far
	unanswered   bool // the last that was said was said by the peer
	ended, reset bool // by the peer
	fault        bool // it was made to misbehave
	told         map[string]bool
}

// The notes, by what they are about.
const (
	notePieces  = "it came in pieces. TCP keeps the order of the bytes, not the pieces that you sent: one recv is not one message"
	noteLine    = "no line end. A server that reads lines would still be waiting; this one answers whatever comes"
	noteLong    = "longer than 1024 bytes: a recv(1024) gives you a part of it. Read until you have it all"
	noteUpper   = "the capitals server receives once, and at most 1024 bytes: what you sent beyond them is lost"
	noteFirst   = "I close first. Your recv gives b'' when you have read everything, and that is how you know"
	noteSilent  = "you closed without a word"
	noteLost    = "a datagram comes whole or not at all, and nobody says that one was lost: give your recv a timeout"
	noteEmpty   = "an empty datagram is one too: recv gives b'', which here does not mean the end"
	noteTooLong = "longer than 1024 bytes: a recv(1024) cuts the datagram, and the rest is gone"
)

// Hear tells one event.
func (e *explained) Hear(u conv.Utterance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	if e.began.IsZero() {
		e.began = u.Time
	}
	head := fmt.Sprintf("#%d +%.3f  ", e.Number, u.Time.Sub(e.began).Seconds())
	switch u.Event {
	case conv.Opened:
		fmt.Fprintf(&b, "%saccepted %s by %s at %s\n", head, nameOf(e.Peer), e.Service, nameOf(e.Local))
	case conv.Upgraded:
		fmt.Fprintf(&b, "%sTLS     from here on it is encrypted; what I show is what is inside\n", head)
	case conv.Said:
		e.said(&b, head, u)
	case conv.Ended:
		e.ended = true
		fmt.Fprintf(&b, "%s← FIN   your side will send no more; I may still send\n", head)
		if e.in == 0 {
			e.note(&b, noteSilent)
		}
	case conv.Reset:
		e.reset = true
		if e.fault {
			fmt.Fprintf(&b, "%sRST     as the fault has it\n", head)
			break
		}
		fmt.Fprintf(&b, "%s← RST   your side threw the connection away: closed with bytes of mine unread, or killed\n", head)
	case conv.Broke:
		fmt.Fprintf(&b, "%sbroken: %v\n", head, u.Err)
	case conv.Closed:
		e.closed(&b, head)
	}
	_, _ = io.WriteString(e.x.w, b.String()) // nobody listens: no reason to stop serving
}

// Note tells of a fault.
func (e *explained) Note(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began.IsZero() {
		e.began = time.Now()
	}
	e.fault = true
	fmt.Fprintf(e.x.w, "#%d +%.3f  %s\n", e.Number, time.Since(e.began).Seconds(), text)
}

func (e *explained) said(b *strings.Builder, head string, u conv.Utterance) {
	if u.Ours {
		e.out += len(u.Bytes)
		e.unanswered = false
		b.WriteString(dump(head+"→ ", u))
		if e.out > 1024 {
			e.note(b, noteLong)
		}
		return
	}
	e.in += len(u.Bytes)
	b.WriteString(dump(head+"← ", u))
	switch {
	case e.unanswered:
		e.note(b, notePieces)
	case e.Service == "upper" && len(u.Bytes) == 1024:
		e.note(b, noteUpper)
	case isText(u.Bytes) && !bytes.HasSuffix(u.Bytes, []byte("\n")) && e.in == len(u.Bytes):
		e.note(b, noteLine)
	}
	e.unanswered = true
}

func (e *explained) closed(b *strings.Builder, head string) {
	switch {
	case e.reset:
		fmt.Fprintf(b, "%sclosed\n", head)
	case e.ended:
		fmt.Fprintf(b, "%s→ FIN   closed cleanly\n", head)
	default:
		fmt.Fprintf(b, "%s→ FIN   I have said everything\n", head)
		e.note(b, noteFirst)
	}
}

// note gives each note once for a connection.
func (e *explained) note(b *strings.Builder, text string) {
	if !e.told[text] {
		e.told[text] = true
		b.WriteString(noteLines(text))
	}
}

func noteLines(text string) string { return "           note: " + text + ".\n" }

// Packet tells one datagram.
func (x *explainer) Packet(at Listening, p server.PacketEvent) {
	x.mu.Lock()
	defer x.mu.Unlock()
	arrow, notes := "←", []string{noteLost}
	if p.Ours {
		arrow, notes = "→", nil
		switch {
		case len(p.Data) == 0:
			notes = []string{noteEmpty}
		case len(p.Data) > 1024:
			notes = []string{noteTooLong}
		}
	}
	head := fmt.Sprintf("%s %s %s %s  ", at.Name, at.Network, arrow, nameOf(p.Peer))
	var b strings.Builder
	b.WriteString(dump(head, conv.Utterance{Bytes: p.Data}))
	for _, n := range notes {
		if !x.told[n] {
			if x.told == nil {
				x.told = map[string]bool{}
			}
			x.told[n] = true
			b.WriteString(noteLines(n))
		}
	}
	_, _ = io.WriteString(x.w, b.String()) // as above
}

// nameOf is an address for people; clients of Unix sockets mostly have none.
func nameOf(a interface{ String() string }) string {
	if a == nil || a.String() == "" || a.String() == "@" {
		return "somebody without a name"
	}
	return a.String()
}

const (
	dumpWidth = 16
	dumpLines = 4
)

// dump shows bytes: how many, in hex, and as text, the lines below the first
// indented to it.
func dump(head string, u conv.Utterance) string {
	if u.Secret {
		return fmt.Sprintf("%s%d B  %s\n", head, u.Hidden, u.Bytes)
	}
	head += fmt.Sprintf("%d B", len(u.Bytes))
	rest := u.Bytes
	var b strings.Builder
	for line := 0; len(rest) > 0 && line < dumpLines; line++ {
		k := min(dumpWidth, len(rest))
		hex := fmt.Sprintf("% x", rest[:k])
		if len(u.Bytes) > dumpWidth {
			hex = fmt.Sprintf("%-*s", 3*dumpWidth-1, hex)
		}
		fmt.Fprintf(&b, "%s  %s  %s\n", head, hex, visible(rest[:k]))
		head = strings.Repeat(" ", utf8.RuneCountInString(head))
		rest = rest[k:]
	}
	switch {
	case len(rest) > 0:
		fmt.Fprintf(&b, "%s  ... %d B more\n", head, len(rest))
	case len(u.Bytes) == 0:
		return head + "\n"
	}
	return b.String()
}

// visible is b with a dot for what cannot be seen.
func visible(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = '.'
		if ' ' <= c && c <= '~' {
			out[i] = c
		}
	}
	return string(out)
}

// isText tells what a person typed from what a program made.
func isText(b []byte) bool {
	return utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
