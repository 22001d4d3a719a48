package mailbox

import (
	"context"
)

// Op says what becomes of flags.
type Op uint8

// What SetFlags does.
const (
	Add Op = iota
	Remove
	Replace
)

// A FlagChange is what SetFlags does to a message's flags.
type FlagChange struct {
	Op       Op
	Flags    Flags
	Keywords []string // equal whatever their case
}

// Stored is the outcome of SetFlags.
type Stored struct {
	ModSeq   uint64 // of those that changed, or the mailbox's
	Changed  Set
	Modified Set // were left alone, because they changed after unchangedSince
}

// SetFlags changes flags of messages, as one change, but leaves those alone
// that changed after unchangedSince (RFC 7162 section 3.1.3; nil: changes all).
// A message that has the flags already does not change. ErrKeywords.
func (m *Mailbox) SetFlags(ctx context.Context, uids Set, c FlagChange, unchangedSince *uint64) (Stored, error) {
	var out Stored
	err := m.update(ctx, func(b *boxTx) error {
		out = Stored{}
		var bits uint64
		if c.Op == Remove {
			for _, k := range c.Keywords {
				bit, _ := b.head.word(k)
				bits |= bit
			}
		} else {
			var err error
			if bits, err = b.head.bits(c.Keywords); err != nil {
				return err
			}
		}
		err := b.edit(uids, nil, func(e *entry) (change, error) {
			if unchangedSince != nil && e.modSeq > *unchangedSince {
				out.Modified = out.Modified.with(Range{e.uid, e.uid})
				return leave, nil
			}
			flags, keywords := e.flags, e.keywords
			c.apply(e, bits)
			if flags == e.flags && keywords == e.keywords {
				return leave, nil
			}
			out.Changed = out.Changed.with(Range{e.uid, e.uid})
			return altered, nil
		})
		out.ModSeq = b.head.modSeq
		return err
	})
	return out, err
}

func (c *FlagChange) apply(e *entry, bits uint64) {
	switch c.Op {
	case Add:
		e.flags |= c.Flags
		e.keywords |= bits
	case Remove:
		e.flags &^= c.Flags
		e.keywords &^= bits
	case Replace:
		e.flags, e.keywords = c.Flags, bits
	}
}

// Expunge removes those of the messages that have Deleted, and gives their
// UIDs.
func (m *Mailbox) Expunge(ctx context.Context, uids Set) (Set, error) {
	return m.remove(ctx, uids,
		func(h blockHead) bool { return h.deleted > 0 },
		func(e *entry) bool { return e.flags&Deleted != 0 })
}

// Remove removes the messages, whatever their flags, and gives their UIDs.
func (m *Mailbox) Remove(ctx context.Context, uids Set) (Set, error) {
	return m.remove(ctx, uids, nil, nil)
}

func (m *Mailbox) remove(ctx context.Context, uids Set, want func(h blockHead) bool, f func(e *entry) bool) (out Set, err error) {
	err = m.update(ctx, func(b *boxTx) error {
		entries, err := b.remove(uids, want, f)
		if err != nil {
			return err
		}
		out, err = b.drop(entries)
		return err
	})
	return out, err
}
