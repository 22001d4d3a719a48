package mailbox

import (
	"encoding/hex"
	"time"

	"github.com/farend-go/farend/store"
)

// Flags are the system flags of a message (RFC 9051 section 2.3.2), but for
// \Recent, which is a session's.
type Flags uint8

// The system flags.
const (
	Seen Flags = 1 << iota
	Answered
	Flagged
	Deleted
	Draft
)

// A Message is what is known of a message without reading it.
type Message struct {
	UID    UID
	ModSeq uint64 // of its latest change
	Flags  Flags
	// Keywords are its other flags, in no order. Nobody changes the slice.
	Keywords []string
	Size     int64     // in octets
	Date     time.Time // internal date, to the second, with its zone
	Saved    time.Time // when it came into this mailbox, to the second (RFC 8514)

	ref store.Ref
}

// ID identifies the message's content, which copies share (EMAILID, RFC 8474).
func (m *Message) ID() string {
	var room [32]byte // for a Ref of any engine that there is
	return string(hex.AppendEncode(append(room[:0], 'M'), []byte(m.ref)))
}

// maxKeywords is how many keywords a mailbox can have seen.
const maxKeywords = 64

// entry is a Message in a block. keywords are bits, numbered by the mailbox's
// list.
type entry struct {
	uid      UID
	modSeq   uint64
	flags    Flags
	keywords uint64
	size     int64
	date     int64 // in seconds
	zone     int   // in minutes east
	saved    int64
	ref      store.Ref
}

// stamp takes a time apart.
func stamp(t time.Time) (seconds int64, minutes int) {
	_, offset := t.Zone()
	return t.Unix(), offset / 60
}

// message makes the Message of an entry.
func (e *entry) message(h *head) Message {
	zone := time.UTC
	if e.zone != 0 {
		zone = time.FixedZone("", e.zone*60)
	}
	return Message{
		UID: e.uid, ModSeq: e.modSeq, Flags: e.flags, Keywords: h.words(e.keywords), Size: e.size,
		Date: time.Unix(e.date, 0).In(zone), Saved: time.Unix(e.saved, 0).UTC(), ref: e.ref,
	}
}
