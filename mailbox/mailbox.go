package mailbox

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/farend-go/farend/store"
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

// Changes is what became different after a modification sequence.
type Changes struct {
	Status Status // as it is now; its ModSeq is what to ask with next time
	// Changed are the messages that are there and are new or have other flags.
	Changed Set
	// Gone are UIDs of messages that were removed. Of very old removals it is
	// all UIDs that were given and that no message has.
	Gone Set
}

// Changes tells what happened after since, the ModSeq of a Status or of earlier
// Changes. Where nothing did it costs the reading of one key.
func (m *Mailbox) Changes(ctx context.Context, since uint64) (c Changes, err error) {
	err = m.view(ctx, func(b *boxTx) (err error) {
		c = Changes{Status: b.status()}
		if since >= b.head.modSeq {
			return nil
		}
		if c.Changed, err = b.changedAfter(since); err != nil {
			return err
		}
		c.Gone, err = b.goneAfter(since)
		return err
	})
	return c, err
}

// changedAfter finds the messages that changed: in the blocks that the head names,
// or, for one who was away longer, by the heads of all blocks.
func (b *boxTx) changedAfter(since uint64) (Set, error) {
	where := All()
	if since >= b.head.recentSince {
		var blocks []UID
		for _, t := range b.head.recent {
			if t.modSeq > since {
				blocks = append(blocks, t.block)
			}
		}
		where = SetOf(blocks...) // each finds the block that it is in
	}
	var out Set
	err := b.blocksAt(where, func(_ []byte, h blockHead, block []byte) (err error) {
		if h.modSeq <= since {
			return nil
		}
		if b.scratch, err = parseBlock(block, b.scratch); err != nil {
			return err
		}
		for i := range b.scratch {
			if e := &b.scratch[i]; e.modSeq > since {
				out = out.with(Range{e.uid, e.uid})
			}
		}
		return nil
	})
	return out, err
}

// blocksAt goes over the blocks with these keys, or over all.
func (b *boxTx) blocksAt(where Set, f func(key []byte, h blockHead, block []byte) error) error {
	if len(where) == 1 && where[0] == All()[0] {
		return b.blocks(where, f)
	}
	for first := range where.Each() {
		key := keyBlock(b.account.id, b.id, first)
		block, err := b.t.r.Get(key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		h, err := parseBlockHead(block)
		if err != nil {
			return err
		}
		if err := f(key, h, block); err != nil {
			return err
		}
	}
	return nil
}

// goneAfter finds the UIDs that were removed.
func (b *boxTx) goneAfter(since uint64) (Set, error) {
	if since < b.head.goneSince {
		return b.holes()
	}
	var out Set
	from := keyGone(b.account.id, b.id, since+1)
	to := after(keyMailbox(b.account.id, b.id, kindGone))
	for _, row := range b.t.r.Ascend(from, to) {
		var err error
		if out, err = parseGone(row, out); err != nil {
			return nil, err
		}
	}
	return out.Or(nil), nil
}

// holes are the UIDs that were given and that no message has.
func (b *boxTx) holes() (Set, error) {
	var there Set
	err := b.blocks(All(), func(_ []byte, h blockHead, block []byte) (err error) {
		there, err = blockUIDs(h, block, there)
		return err
	})
	if b.head.uidNext == 1 {
		return nil, err
	}
	return Set{{1, b.head.uidNext - 1}}.Minus(there), err
}

// page is how many blocks of messages are read in one View.
const page = 32

// Messages gives the messages of a set, in order. It reads some thousand at a
// time: between them others may change the mailbox.
func (m *Mailbox) Messages(ctx context.Context, uids Set) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		var buf []Message
		for len(uids) > 0 {
			var more Set
			err := m.view(ctx, func(b *boxTx) (err error) {
				buf, more, err = b.readPage(uids, buf[:0])
				return err
			})
			if err != nil {
				yield(Message{}, err)
				return
			}
			for i := range buf {
				if !yield(buf[i], nil) {
					return
				}
			}
			uids = more
		}
	}
}

var errPage = errors.New("mailbox: end of a page")

// readPage reads messages, and tells which are left.
func (b *boxTx) readPage(uids Set, buf []Message) (out []Message, left Set, err error) {
	n := 0
	err = b.blocks(uids, func(_ []byte, h blockHead, block []byte) (err error) {
		if n++; n > page {
			left = uids.And(Set{{h.first, All()[0].Last}})
			return errPage
		}
		if b.scratch, err = parseBlock(block, b.scratch); err != nil {
			return err
		}
		for i := range b.scratch {
			if e := &b.scratch[i]; uids.Contains(e.uid) {
				buf = append(buf, e.message(&b.head))
			}
		}
		return nil
	})
	if errors.Is(err, errPage) {
		err = nil
	}
	return buf, left, err
}

// Message gives one message. ErrNoMessage.
func (m *Mailbox) Message(ctx context.Context, uid UID) (Message, error) {
	for msg, err := range m.Messages(ctx, One(uid)) {
		return msg, err
	}
	return Message{}, ErrNoMessage
}

// Open opens a message. It stays readable until it is closed, whatever becomes
// of the message. ErrNoMessage, and the errors of [store.Blobs].
func (m *Mailbox) Open(ctx context.Context, msg Message) (*Content, error) {
	return m.a.s.open(ctx, msg)
}

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
