package smtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/farend-go/farend/wire"
)

// A Message is what Send sends. What the sender asks for stands in From and To.
type Message struct {
	From Sender
	To   []Recipient
	// Body is header and text. A CR or LF that stands alone is made CRLF, and the
	// last line gets one, except in BodyBinary. It is read once, and need not be
	// closed; an io.Seeker can be sent again from where it stood.
	Body io.Reader
}

// NewMessage is a message of plain addresses. The error is ErrAddress.
func NewMessage(from string, to []string, body io.Reader) (Message, error) {
	m := Message{Body: body}
	var err error
	if m.From.Mailbox, err = ParseMailbox(from); err != nil {
		return m, fmt.Errorf("%w: %q", ErrAddress, from)
	}
	for _, address := range to {
		box, err := ParseMailbox(address)
		if err != nil || box.IsNull() {
			return m, fmt.Errorf("%w: %q", ErrAddress, address)
		}
		m.To = append(m.To, Recipient{Mailbox: box})
	}
	return m, nil
}

// A Receipt tells what became of a message.
type Receipt struct {
	Reply   Reply    // to the message itself, as far as that was sent
	Results []Result // for each recipient, in their order
}

// A Result is what became of a message for one recipient.
type Result struct {
	To  Recipient
	Err error // nil: the server has the message for him
}

// Accepted is for how many recipients the server has the message.
func (r Receipt) Accepted() int {
	n := 0
	for _, one := range r.Results {
		if one.Err == nil {
			n++
		}
	}
	return n
}

// window is how many commands may wait for their replies.
const window = 100

// firstPiece is how much of a message is looked at before anything is said, and
// how long a BDAT chunk is.
const firstPiece = wire.Large

// Send sends a message to all of its recipients, in as few flights as the
// server allows: MAIL, RCPT and a short message by BDAT are one where it has
// PIPELINING and CHUNKING. Parameters that the message calls for (SIZE,
// 8BITMIME, SMTPUTF8) are added; ErrNotOffered: the server lacks one that it
// needs. A header in UTF-8 goes without SMTPUTF8 where the server has it not.
//
// The error is nil when the server has the message for every recipient;
// otherwise it is the first of their errors, and the Receipt tells which have
// it all the same. Where the server takes fewer recipients at once (RFC 9422)
// the message is sent several times, for which a long Body must be an
// io.Seeker.
func (c *Client) Send(ctx context.Context, m Message) (Receipt, error) {
	receipt := Receipt{Results: make([]Result, len(m.To))}
	for i, to := range m.To {
		receipt.Results[i] = Result{to, errUnsaid}
	}
	err := c.send(ctx, m, &receipt)
	for i := range receipt.Results {
		r := &receipt.Results[i]
		if errors.Is(r.Err, errUnsaid) {
			r.Err = err
		}
		if err == nil {
			err = r.Err
		}
	}
	return receipt, err
}

func (c *Client) send(ctx context.Context, m Message, receipt *Receipt) error {
	if len(m.To) == 0 {
		return ErrNoRecipients
	}
	p := &piece{buf: wire.Get(firstPiece)}
	defer p.release()
	if err := p.start(m); err != nil {
		return err
	}
	m, err := c.fit(m, p)
	if err != nil {
		return err
	}
	most := int(c.caps.Number("LIMITS", "RCPTMAX"))
	if most == 0 {
		most = len(m.To)
	}
	for i := 0; i < len(m.To); i += most {
		if i > 0 {
			if err := p.again(m); err != nil {
				return err
			}
		}
		k := min(i+most, len(m.To))
		f := &flight{c: c, m: m, to: m.To[i:k], results: receipt.Results[i:k], p: p}
		if err := c.within(ctx, f.fly); err != nil {
			return err
		}
		receipt.Reply = f.reply
	}
	return nil
}

// flight is one message on its way, to recipients that fit into it.
type flight struct {
	c       *Client
	m       Message
	to      []Recipient
	results []Result
	p       *piece
	reply   Reply

	waiting []func(Reply, error) // for the replies to what has been said
	refused error                // the first no that concerns the whole message
	taken   int                  // recipients
	goAhead bool                 // 354 has come
	early   bool                 // the message may follow before the replies have come
}

// say writes a command and notes who hears its reply.
func (f *flight) say(cmd Command, heard func(Reply, error)) error {
	if !f.early || len(f.waiting) >= window {
		if err := f.hear(0); err != nil {
			return err
		}
	}
	if err := f.c.say(cmd); err != nil {
		return err
	}
	f.waiting = append(f.waiting, heard)
	if !f.early {
		return f.hear(0)
	}
	return nil
}

// hear reads replies until no more than left are to come. A negative one is no
// error here.
func (f *flight) hear(left int) error {
	for len(f.waiting) > left {
		r, err := f.c.hear()
		if _, ok := errors.AsType[Reply](err); err != nil && !ok {
			return err
		}
		heard := f.waiting[0]
		f.waiting = f.waiting[1:]
		heard(r, err)
		if f.c.broken { // 421
			return r
		}
	}
	return nil
}

// must has a no concern the whole message.
func (f *flight) must(_ Reply, err error) {
	if err != nil && f.refused == nil {
		f.refused = err
	}
}

// fly sends the envelope and the message.
func (f *flight) fly() error {
	c := f.c
	f.early = c.caps.Has("PIPELINING")
	if c.dirty {
		if err := f.say(Command{"RSET", ""}, f.must); err != nil {
			return err
		}
	}
	c.dirty = true
	if err := f.say(Command{"MAIL", string(f.m.From.Append(nil))}, f.must); err != nil {
		return err
	}
	for i, to := range f.to {
		if f.refused != nil {
			break
		}
		err := f.say(Command{"RCPT", string(to.Append(nil))}, func(_ Reply, err error) {
			switch {
			case err == nil:
				f.taken++
			case f.refused != nil: // MAIL was, and this is what comes of it
				err = f.refused
			}
			f.results[i].Err = err
		})
		if err != nil {
			return err
		}
	}
	if !f.early && (f.refused != nil || f.taken == 0) {
		return f.refused
	}
	var err error
	if c.caps.Has("CHUNKING") && f.early || f.m.From.Body == BodyBinary {
		err = f.chunks()
	} else {
		err = f.dots()
	}
	if err == nil {
		err = f.refused
	}
	if err != nil {
		f.lost(err)
		return err
	}
	c.dirty = f.taken == 0
	return nil
}

// lost gives every recipient that the server took, but for whom it has not the
// message, the reason.
func (f *flight) lost(err error) {
	for i := range f.results {
		if f.results[i].Err == nil {
			f.results[i].Err = err
		}
	}
}

// final hears the last reply, or in LMTP those for each recipient.
func (f *flight) final() error {
	if !f.c.o.LMTP || f.taken == 0 {
		r, err := f.c.hear()
		if _, ok := errors.AsType[Reply](err); err != nil && !ok {
			return err
		}
		f.reply = r
		if f.taken > 0 {
			f.must(r, err)
		}
		return nil
	}
	for i := range f.results {
		if f.results[i].Err != nil {
			continue
		}
		r, err := f.c.hear()
		if _, ok := errors.AsType[Reply](err); err != nil && !ok {
			return err
		}
		f.reply, f.results[i].Err = r, err
	}
	return nil
}

// dots sends the message by DATA.
func (f *flight) dots() error {
	err := f.say(Command{"DATA", ""}, func(r Reply, err error) {
		f.goAhead = r.Code == 354
		if f.taken > 0 {
			f.must(r, err)
		}
	})
	if err == nil {
		err = f.hear(0)
	}
	if err != nil || !f.goAhead {
		return err
	}
	block := f.c.c.W.BlockWriter()
	if f.taken > 0 && f.refused == nil {
		err := f.p.each(func(b []byte, _ bool) error {
			if _, err := block.Write(b); err != nil {
				return f.cut(err)
			}
			return nil
		})
		if err != nil { // a message lies half over there, and there is no other way to take it back
			f.c.Close()
			return err
		}
	}
	if err := block.Close(); err != nil {
		return f.cut(err)
	}
	return f.final()
}

// chunks sends the message by BDAT.
func (f *flight) chunks() error {
	first := true
	err := f.p.each(func(b []byte, last bool) error {
		arg := strconv.Itoa(len(b))
		if last {
			arg += " LAST"
		}
		if err := f.c.say(Command{"BDAT", arg}); err != nil {
			return err
		}
		if _, err := f.c.c.W.Write(b); err != nil {
			return f.cut(err)
		}
		left := 0 // until the envelope is known to be taken; then one chunk ahead
		if !first {
			left = 1
		}
		first = false
		if last {
			if err := f.hear(0); err != nil {
				return err
			}
			return f.final()
		}
		f.waiting = append(f.waiting, func(r Reply, err error) {
			if f.taken > 0 {
				f.must(r, err)
			}
		})
		if err := f.hear(left); err != nil {
			return err
		}
		if f.refused != nil || f.taken == 0 {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return f.hear(0)
	}
	if err != nil && len(f.waiting) > 0 { // out of step
		f.c.Close()
	}
	return err
}

// errStop ends the sending of a message that is refused.
var errStop = errors.New("smtp: stop")

// cut ends a connection on which a write has failed: a server that hung up may
// have said why.
func (f *flight) cut(err error) error {
	r, heard := f.c.hear()
	if _, ok := errors.AsType[Reply](heard); ok {
		err = r
	}
	f.c.Close()
	return err
}
