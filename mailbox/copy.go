package mailbox

import (
	"context"
)

// Copied is where messages went: the n-th UID of From became the n-th of To.
type Copied struct {
	UIDValidity uint32 // of the mailbox that they went to
	From, To    Set
}

// Copy copies messages to a mailbox of the same account, perhaps this one, with
// flags and dates: all of them, or none. ErrNoMailbox, ErrOverQuota.
func (m *Mailbox) Copy(ctx context.Context, uids Set, to string) (Copied, error) {
	return m.copyTo(ctx, uids, to, false)
}

// Move is Copy and Remove as one change.
func (m *Mailbox) Move(ctx context.Context, uids Set, to string) (Copied, error) {
	return m.copyTo(ctx, uids, to, true)
}

func (m *Mailbox) copyTo(ctx context.Context, uids Set, to string, move bool) (c Copied, err error) {
	err = m.update(ctx, func(b *boxTx) error {
		dst, err := b.t.boxByName(m.a.id, to)
		if err != nil {
			return err
		}
		c, err = b.copyTo(dst, uids, move)
		return err
	})
	return c, err
}

func (b *boxTx) copyTo(dst *boxTx, uids Set, move bool) (Copied, error) {
	var entries []entry
	var err error
	if move {
		entries, err = b.remove(uids, nil, nil)
	} else {
		err = b.entries(uids, func(e *entry) error {
			entries = append(entries, *e)
			return nil
		})
	}
	if err != nil {
		return Copied{}, err
	}
	c := Copied{UIDValidity: dst.head.uidValidity}
	for i := range entries {
		e := entries[i]
		if !move {
			if err := b.t.w.Keep(e.ref); err != nil {
				return Copied{}, err
			}
		}
		c.From = c.From.with(Range{e.uid, e.uid})
		e.keywords = dst.known(b.head.words(e.keywords))
		e.saved = b.t.now.Unix()
		if err := dst.add(&e); err != nil {
			return Copied{}, err
		}
		c.To = c.To.with(Range{e.uid, e.uid})
	}
	return c, nil
}

// known gives the bits of keywords, without those for which there is no room.
func (b *boxTx) known(keywords []string) uint64 {
	var bits uint64
	for _, k := range keywords {
		if bit, err := b.head.bits([]string{k}); err == nil {
			bits |= bit
		}
	}
	return bits
}
