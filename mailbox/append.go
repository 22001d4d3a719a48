package mailbox

import (
	"context"
	"time"
)

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
