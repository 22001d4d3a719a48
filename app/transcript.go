package app

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// transcripts is an Ear that writes every conversation to a folder: one file
// for each connection, and one for all datagrams of a listener.
type transcripts struct {
	dir     transcript.Dir
	trouble func(error) // a file that cannot be had; the conversation goes on

	mu      sync.Mutex
	packets map[Listening]*transcript.Recorder
}

func (ts *transcripts) Talk(c Conversation) conv.Tap {
	title := fmt.Sprintf("%s at %s with %s, %s", c.Service, nameOf(c.Local), nameOf(c.Peer), time.Now().Format(time.RFC3339))
	r, err := ts.dir.Create(c.Service, transcript.ServerSide, title)
	if err != nil {
		ts.trouble(err)
		return nil
	}
	return r
}

func (ts *transcripts) Packet(at Listening, e server.PacketEvent) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	r := ts.packets[at]
	if r == nil {
		var err error
		title := fmt.Sprintf("%s at %s %s, %s", at.Name, at.Network, at.Address, time.Now().Format(time.RFC3339))
		if r, err = ts.dir.Create(at.Name+"-"+at.Network, transcript.ServerSide, title); err != nil {
			ts.trouble(err)
			return
		}
		ts.packets[at] = r
	}
	preposition := "from"
	if e.Ours {
		preposition = "to"
	}
	r.Note(fmt.Sprintf("a datagram %s %s, %d bytes", preposition, nameOf(e.Peer), len(e.Data)))
	if len(e.Data) > 0 {
		r.Hear(conv.Utterance{Time: e.Time, Event: conv.Said, Ours: e.Ours, Bytes: e.Data})
	}
}

// close ends the files of datagrams, whose conversations have no end.
func (ts *transcripts) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for at, r := range ts.packets {
		if err := r.Close(); err != nil {
			ts.trouble(err)
		}
		delete(ts.packets, at)
	}
}

// write begins to write transcripts, if that is asked for.
func (a *App) write() error {
	if a.cfg.Transcript == "" {
		return nil
	}
	ts := &transcripts{
		dir:     transcript.Dir{Path: a.cfg.Transcript},
		trouble: func(err error) { a.notice("writing a transcript: " + err.Error()) },
		packets: map[Listening]*transcript.Recorder{},
	}
	if err := ts.dir.Check(); err != nil {
		return err
	}
	a.cfg.Ears = append(slices.Clip(a.cfg.Ears), ts)
	a.cleanups = append(a.cleanups, ts.close)
	return nil
}
