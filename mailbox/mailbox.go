package mailbox

import (
	"context"
	"fmt"
)

// A Mailbox is a handle on a mailbox. It holds nothing, and stays on the same
// mailbox when that is renamed; after the mailbox was deleted all calls fail
// with [ErrNoMailbox], also when the name has been given again.
//
// Sets of UIDs may name messages that are not there: they are passed by.
type Mailbox struct {
	a  *Account
	id uint64
}

// ID identifies the mailbox in its store, and never another one (MAILBOXID,
// RFC 8474).
func (m *Mailbox) ID() string { return mailboxID(m.a.id, m.id) }

func mailboxID(acct, box uint64) string { return fmt.Sprintf("F%d-%d", acct, box) }

func (m *Mailbox) view(ctx context.Context, f func(b *boxTx) error) error {
	return m.a.s.view(ctx, func(t *txn) error {
		b, err := t.box(m.a.id, m.id)
		if err != nil {
			return err
		}
		return f(b)
	})
}

func (m *Mailbox) update(ctx context.Context, f func(b *boxTx) error) error {
	return m.a.s.update(ctx, func(t *txn) error {
		b, err := t.box(m.a.id, m.id)
		if err != nil {
			return err
		}
		return f(b)
	})
}

// Status is the counts of a mailbox.
type Status struct {
	ID          string // MAILBOXID
	UIDValidity uint32 // greater than that of any mailbox that had the name before
	UIDNext     UID
	ModSeq      uint64 // the highest that was given here; at least 1
	Messages    uint32
	Unseen      uint32 // without Seen
	Deleted     uint32 // with Deleted
	Size        int64  // in octets, of all messages
	DeletedSize int64  // of those with Deleted
}

func (b *boxTx) status() Status {
	h := &b.head
	return Status{
		ID: mailboxID(b.account.id, b.id), UIDValidity: h.uidValidity, UIDNext: h.uidNext, ModSeq: h.modSeq,
		Messages: h.messages, Unseen: h.unseen, Deleted: h.deleted, Size: h.size, DeletedSize: h.deletedSize,
	}
}

// Status gives the counts. It costs the reading of one key.
func (m *Mailbox) Status(ctx context.Context) (st Status, err error) {
	err = m.view(ctx, func(b *boxTx) error {
		st = b.status()
		return nil
	})
	return st, err
}

// State is a mailbox at one moment.
type State struct {
	Status
	UIDs        Set
	FirstUnseen UID      // the first without Seen; 0: there is none
	Keywords    []string // that messages here have or had
	NoKeywords  bool     // new ones cannot be made
}

// State reads what one who opens the mailbox wants to know.
func (m *Mailbox) State(ctx context.Context) (st State, err error) {
	err = m.view(ctx, func(b *boxTx) error {
		st = State{
			Status: b.status(), Keywords: b.head.keywords,
			NoKeywords: len(b.head.keywords) == maxKeywords,
		}
		return b.blocks(All(), func(_ []byte, h blockHead, block []byte) (err error) {
			if st.FirstUnseen == 0 && h.unseen > 0 {
				if st.FirstUnseen, err = firstUnseen(block); err != nil {
					return err
				}
			}
			st.UIDs, err = blockUIDs(h, block, st.UIDs)
			return err
		})
	})
	return st, err
}

func firstUnseen(block []byte) (UID, error) {
	entries, err := parseBlock(block, nil)
	for i := range entries {
		if entries[i].flags&Seen == 0 {
			return entries[i].uid, nil
		}
	}
	return 0, err
}
