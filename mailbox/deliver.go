package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/farend-go/farend/store"
)

// A Body is a message that is being written: one, which may go to many
// mailboxes. It is used by one goroutine, and always closed.
type Body struct {
	w    store.BlobWriter
	max  int64
	size int64
	ref  store.Ref
	err  error
}

// NewBody begins a message. size is a hint, in octets, -1 where it is not
// known; ErrTooBig where it is above the limit already.
func (s *Store) NewBody(ctx context.Context, size int64) (*Body, error) {
	if s.o.MaxMessage > 0 && size > s.o.MaxMessage {
		return nil, ErrTooBig
	}
	w, err := s.engine.Blobs().Create(ctx, size)
	if err != nil {
		return nil, err
	}
	return &Body{w: w, max: s.o.MaxMessage}, nil
}

var errFinished = errors.New("mailbox: write to a finished message")

// Write takes the next bytes of the message. ErrTooBig; the error stays.
func (b *Body) Write(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.ref != "":
		return 0, errFinished
	case b.max > 0 && b.size+int64(len(p)) > b.max:
		b.err = ErrTooBig
		return 0, b.err
	}
	n, err := b.w.Write(p)
	b.size += int64(n)
	b.err = err
	return n, err
}

// Size is how much was written, in octets.
func (b *Body) Size() int64 { return b.size }

// Finish ends the message. extract, which may be nil, is kept behind it for
// [Content.Extract]: something that was found in the message and is wanted
// without reading it. A Body that is not finished is finished without an
// extract when it is delivered.
func (b *Body) Finish(extract []byte) error {
	if b.err != nil {
		return b.err
	}
	if b.ref != "" {
		return errFinished
	}
	if len(extract) > 0 {
		if _, b.err = b.w.Write(extract); b.err != nil {
			return b.err
		}
	}
	b.ref, b.err = b.w.Finish()
	return b.err
}

func (b *Body) finished() error {
	if b.err != nil || b.ref != "" {
		return b.err
	}
	return b.Finish(nil)
}

// Close throws the message away unless it was delivered.
func (b *Body) Close() error { return b.w.Close() }

// A Content is an open message: its octets, by ReadAt, and what was kept behind
// them. ReadAt may be called concurrently.
type Content struct {
	*io.SectionReader
	blob store.Blob
}

func (s *Store) open(ctx context.Context, msg Message) (*Content, error) {
	blob, err := s.engine.Blobs().Open(ctx, msg.ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoMessage
	}
	if err != nil {
		return nil, err
	}
	return &Content{io.NewSectionReader(blob, 0, msg.Size), blob}, nil
}

// Extract gives what [Body.Finish] kept, nil where it was nothing.
func (c *Content) Extract() ([]byte, error) {
	n := c.blob.Size() - c.Size()
	if n <= 0 {
		return nil, nil
	}
	extract := make([]byte, n)
	if k, err := c.blob.ReadAt(extract, c.Size()); k < len(extract) {
		return nil, err
	}
	return extract, nil
}

// Close lets go of the message.
func (c *Content) Close() error { return c.blob.Close() }

// NewMessage is a message that comes into a mailbox.
type NewMessage struct {
	Body     *Body
	Flags    Flags
	Keywords []string
	Date     time.Time // internal date; zero: now
}

// Added is where messages are.
type Added struct {
	UIDValidity uint32
	UIDs        Set
}

// Append adds messages to a mailbox, all or none. ErrOverQuota, ErrKeywords.
func (m *Mailbox) Append(ctx context.Context, messages ...NewMessage) (Added, error) {
	return m.append(ctx, nil, 0, messages)
}

// Replace adds messages and removes the message uid of the mailbox from, as
// one change (RFC 8508). ErrNoMessage, ErrOverQuota, ErrKeywords.
func (m *Mailbox) Replace(ctx context.Context, from *Mailbox, uid UID, messages ...NewMessage) (Added, error) {
	return m.append(ctx, from, uid, messages)
}

func (m *Mailbox) append(ctx context.Context, from *Mailbox, uid UID, messages []NewMessage) (out Added, err error) {
	for i := range messages {
		if err := messages[i].Body.finished(); err != nil {
			return Added{}, err
		}
	}
	err = m.update(ctx, func(b *boxTx) error {
		if from != nil {
			if err := b.t.replaced(from, uid); err != nil {
				return err
			}
		}
		out = Added{UIDValidity: b.head.uidValidity}
		for i := range messages {
			uid, err := b.put(&messages[i])
			if err != nil {
				return err
			}
			out.UIDs = out.UIDs.with(Range{uid, uid})
		}
		return nil
	})
	return out, err
}

// replaced removes the message in whose place others come.
func (t *txn) replaced(from *Mailbox, uid UID) error {
	b, err := t.box(from.a.id, from.id)
	if err != nil {
		return err
	}
	entries, err := b.remove(One(uid), nil, nil)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return ErrNoMessage
	}
	_, err = b.drop(entries)
	return err
}

// put adds one message.
func (b *boxTx) put(n *NewMessage) (UID, error) {
	date := n.Date
	if date.IsZero() {
		date = b.t.now
	}
	e := entry{flags: n.Flags, size: n.Body.size, saved: b.t.now.Unix(), ref: n.Body.ref}
	e.date, e.zone = stamp(date)
	var err error
	if e.keywords, err = b.head.bits(n.Keywords); err != nil {
		return 0, err
	}
	if err := b.add(&e); err != nil {
		return 0, err
	}
	return e.uid, b.t.w.Keep(e.ref)
}

// A Recipient is where a message is delivered to.
type Recipient struct {
	Account string
	Mailbox string // "": INBOX
	// Key, which may be nil, names this delivery: one with the same key, to the
	// same account and within five days, is the same, and happens once. It is
	// made of the envelope: a sender who got no answer comes again (RFC 5321
	// section 4.5.4.1).
	Key []byte
}

// A Delivery is what became of a message for one recipient.
type Delivery struct {
	Err         error // ErrNoAccount, ErrNoMailbox, ErrOverQuota; nil: it is there
	UIDValidity uint32
	UID         UID
	Again       bool // it was there already, by its Key
}

// Deliver puts one message into the mailboxes of its recipients; its octets are
// stored once. What keeps it from one does not keep it from the others; the
// error is that of all together. With Options.AnyAccount accounts are made.
func (s *Store) Deliver(ctx context.Context, n NewMessage, to []Recipient) ([]Delivery, error) {
	if err := n.Body.finished(); err != nil {
		return nil, err
	}
	var out []Delivery
	err := s.update(ctx, func(t *txn) error {
		out = make([]Delivery, len(to))
		for i := range to {
			d, err := t.deliver(&n, &to[i])
			if errors.Is(err, ErrNoAccount) || errors.Is(err, ErrNoMailbox) || errors.Is(err, ErrOverQuota) ||
				errors.Is(err, ErrName) || errors.Is(err, ErrKeywords) {
				d, err = Delivery{Err: err}, nil
			}
			if err != nil {
				return err
			}
			out[i] = d
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *txn) deliver(n *NewMessage, to *Recipient) (Delivery, error) {
	acct, err := t.accountID(to.Account, t.s.o.AnyAccount)
	if err != nil {
		return Delivery{}, err
	}
	if d, ok, err := t.delivered(acct, to.Key); ok || err != nil {
		return d, err
	}
	name := to.Mailbox
	if name == "" {
		name = inbox
	}
	b, err := t.boxByName(acct, name)
	if err != nil {
		return Delivery{}, err
	}
	uid, err := b.put(n)
	if err != nil {
		return Delivery{}, err
	}
	d := Delivery{UIDValidity: b.head.uidValidity, UID: uid}
	return d, t.noteDelivery(acct, to.Key, d)
}

// keyDays is for how many days, beside today, deliveries are remembered.
const keyDays = 5

func (t *txn) today() uint32 { return uint32(t.now.Unix() / (24 * 60 * 60)) }

func deliveryKey(key []byte) []byte {
	sum := sha256.Sum256(key)
	return sum[:16]
}

// delivered looks for an earlier delivery with the same key.
func (t *txn) delivered(acct uint64, key []byte) (Delivery, bool, error) {
	if len(key) == 0 {
		return Delivery{}, false, nil
	}
	sum := deliveryKey(key)
	for day := t.today() - keyDays; day <= t.today(); day++ {
		v, err := t.r.Get(keyDelivery(acct, day, sum))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return Delivery{}, false, err
		}
		d := decoder{b: v}
		out := Delivery{UIDValidity: uint32(d.uint()), UID: UID(d.uint()), Again: true}
		return out, true, d.err("a delivery")
	}
	return Delivery{}, false, nil
}

// noteDelivery remembers a delivery, and forgets two that are too old.
func (t *txn) noteDelivery(acct uint64, key []byte, d Delivery) error {
	if len(key) == 0 {
		return nil
	}
	n := 0
	for k := range t.r.Ascend(keyDelivery(acct, 0, nil), keyDelivery(acct, t.today()-keyDays, nil)) {
		if n++; n > 2 {
			break
		}
		if err := t.w.Delete(k); err != nil {
			return err
		}
	}
	row := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(d.UIDValidity)), uint64(d.UID))
	return t.w.Put(keyDelivery(acct, t.today(), deliveryKey(key)), row)
}
