package conv

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// A Tap hears what is said on a Conn, above TLS. Hear is called by the
// goroutine that uses the Conn, so it must be quick; the bytes are only valid
// during the call. What is read is heard when it is used, what is written when
// it leaves; secrets are heard as "***".
type Tap interface{ Hear(u Utterance) }

// Taps is one Tap for several, which hear in this order; nil ones are left out,
// and where nobody is left it is nil.
func Taps(taps ...Tap) Tap {
	var all manyTaps
	for _, t := range taps {
		if t != nil {
			all = append(all, t)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type manyTaps []Tap

func (all manyTaps) Hear(u Utterance) {
	for _, t := range all {
		t.Hear(u)
	}
}

// An Utterance is one thing that a Tap hears.
type Utterance struct {
	Time   time.Time
	Event  Event
	Ours   bool   // by the end that the Tap stands at
	Secret bool   // Bytes is a mask; Hidden is how long the truth is
	Hidden int    // how many bytes the mask stands for
	Bytes  []byte // Said only
	Err    error  // Broke only
}

// Event is what happened.
type Event uint8

// The events of a conversation.
const (
	Said     Event = iota // bytes went by
	Opened                // the connection stands
	Upgraded              // TLS or compression begins
	Ended                 // the end of the stream: no more will be said (FIN)
	Reset                 // the peer cut the connection (RST)
	Broke                 // any other failure of the connection
	Closed                // our end closed the connection
)

var events = [...]string{"said", "opened", "upgraded", "ended", "reset", "broke", "closed"}

// String is the event's name, in lower case.
func (e Event) String() string { return events[e] }

// Tap makes t hear the conversation from now on; nil ends it. Not during a
// Turn's reads.
func (c *Conn) SetTap(t Tap) {
	if c.tap == nil { // what was said before was said to nobody
		c.R.Untold()
		c.told += len(c.W.Untold())
	}
	c.tap = t
}

// Tapped tells whether somebody hears.
func (c *Conn) Tapped() bool { return c.tap != nil }

// Tell lets the tap hear an event that is no bytes: an engine opens and closes
// connections that the Conn does not see.
func (c *Conn) Tell(u Utterance) {
	if c.tap != nil {
		c.tellRead()
		c.tell(u)
	}
}

func (c *Conn) tell(u Utterance) {
	u.Time = time.Now()
	c.tap.Hear(u)
}

// mask stands for what is secret.
var mask = []byte("***")

func (c *Conn) tellBytes(ours bool, b []byte) {
	switch {
	case len(b) == 0:
	case c.secret:
		c.tell(Utterance{Ours: ours, Secret: true, Hidden: len(b), Bytes: mask})
	default:
		c.tell(Utterance{Ours: ours, Bytes: b})
	}
}

// tellRead tells what was read since it was last told.
func (c *Conn) tellRead() { c.tellBytes(false, c.R.Untold()) }

// tellWritten tells b, which is about to leave.
func (c *Conn) tellWritten(b []byte) {
	c.tellBytes(true, b[min(c.told, len(b)):])
	c.told = 0
}

// TellTurn tells what a Turn read, before the Reader's storage goes back. For
// engines.
func (c *Conn) TellTurn() {
	if c.tap != nil {
		c.tellRead()
	}
}

// Secret runs f; meanwhile the tap hears "***" instead of what is read and
// written.
func (c *Conn) Secret(f func() error) error {
	if c.tap == nil || c.secret {
		return f()
	}
	c.tellPending()
	c.secret = true
	defer func() {
		c.tellPending()
		c.secret = false
	}()
	return f()
}

// Redact masks what was read since the tap last heard, but for its first keep
// bytes: a session that has read a line and finds a password in it calls this
// before it goes on.
func (c *Conn) Redact(keep int) {
	if c.tap == nil {
		return
	}
	b := c.R.Untold()
	keep = min(keep, len(b))
	c.tellBytes(false, b[:keep])
	if hidden := len(b) - keep; hidden > 0 {
		c.tell(Utterance{Secret: true, Hidden: hidden, Bytes: mask})
	}
}

// tellPending tells both what was read and what waits to be sent.
func (c *Conn) tellPending() {
	c.tellRead()
	b := c.W.Untold()
	c.tellBytes(true, b)
	c.told += len(b)
}

// tellEnd tells why the stream ended.
func (c *Conn) tellEnd(err error) {
	var te net.Error
	switch {
	case errors.Is(err, io.EOF):
		c.tell(Utterance{Event: Ended})
	case errors.Is(err, syscall.ECONNRESET):
		c.tell(Utterance{Event: Reset, Err: err})
	case errors.Is(err, net.ErrClosed), errors.As(err, &te) && te.Timeout():
	default:
		c.tell(Utterance{Event: Broke, Err: err})
	}
}
