package smtptest

import (
	"bytes"
	"context"
	"io"
	"net/mail"
	"slices"
	"sync"
	"time"

	"github.com/farend-go/farend/proto/smtp"
)

// A Message is one that the server has taken.
type Message struct {
	From smtp.Sender
	To   []smtp.Recipient
	Peer smtp.Peer
	Data []byte // with the trace lines that the server put in front, line ends CRLF
	At   time.Time
}

// Header is a field of the header, "" where there is none.
func (m Message) Header(name string) string {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return ""
	}
	return parsed.Header.Get(name)
}

// Text is what stands behind the header.
func (m Message) Text() string {
	_, text, _ := bytes.Cut(m.Data, []byte("\r\n\r\n"))
	return string(text)
}

// IsFor tells whether an address is among the recipients.
func (m Message) IsFor(address string) bool {
	return slices.ContainsFunc(m.To, func(r smtp.Recipient) bool { return r.Mailbox.String() == address })
}

// A Mailroom is a smtp.Backend that keeps messages in memory. Its zero value
// takes all; its fields are set before it is used. It may be used by several
// goroutines.
type Mailroom struct {
	Rcpt func(to smtp.Mailbox) error // takes a recipient, or refuses it
	Ask  func(m Message) error       // is asked before a message is kept; smtp.Results in LMTP

	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed with the next message
}

var (
	_ smtp.Backend = (*Mailroom)(nil)
	_ smtp.Traiter = (*Mailroom)(nil)
)

// Traits: all that may be asked for is noted.
func (r *Mailroom) Traits() smtp.Traits { return smtp.Traits{DSN: true, Binary: true} }

// Mail begins a message.
func (r *Mailroom) Mail(_ context.Context, from smtp.Sender, peer smtp.Peer) (smtp.Transaction, error) {
	return &transaction{room: r, m: Message{From: from, Peer: peer}}, nil
}

type transaction struct {
	room *Mailroom
	m    Message
}

func (t *transaction) Rcpt(_ context.Context, to smtp.Recipient) error {
	if t.room.Rcpt != nil {
		if err := t.room.Rcpt(to.Mailbox); err != nil {
			return err
		}
	}
	t.m.To = append(t.m.To, to)
	return nil
}

func (t *transaction) Body(_ context.Context, body io.Reader) (err error) {
	t.m.Data, err = io.ReadAll(body)
	return err
}

func (t *transaction) Commit(context.Context) error {
	t.m.At = time.Now()
	if t.room.Ask == nil {
		t.room.keep(t.m)
		return nil
	}
	err := t.room.Ask(t.m)
	results, each := err.(smtp.Results) //nolint:errorlint // it is Ask's own, or it is not meant
	if each && t.m.Peer.Kind == smtp.LMTP {
		var to []smtp.Recipient
		for i, r := range t.m.To {
			if i >= len(results) || results[i] == nil {
				to = append(to, r)
			}
		}
		t.m.To = to
	}
	if err == nil || each && len(t.m.To) > 0 {
		t.room.keep(t.m)
	}
	return err
}

func (t *transaction) Abort() {}

func (r *Mailroom) keep(m Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, m)
	if r.arrived != nil {
		close(r.arrived)
		r.arrived = nil
	}
}

// Messages are those that were taken so far, in their order.
func (r *Mailroom) Messages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

// Reset forgets them.
func (r *Mailroom) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = nil
}

// next gives the messages, and a channel that is closed when there is another.
func (r *Mailroom) next() ([]Message, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.arrived == nil {
		r.arrived = make(chan struct{})
	}
	return slices.Clone(r.messages), r.arrived
}

// Wait returns the messages when there are n or more, or ctx's error.
func (r *Mailroom) Wait(ctx context.Context, n int) ([]Message, error) {
	for {
		all, more := r.next()
		if len(all) >= n {
			return all, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return all, context.Cause(ctx)
		}
	}
}

// WaitFor returns the first message that fits, when it is there, or ctx's
// error.
func (r *Mailroom) WaitFor(ctx context.Context, fits func(Message) bool) (Message, error) {
	for {
		all, more := r.next()
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return all[i], nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}
