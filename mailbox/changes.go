package mailbox

import (
	"context"
	"errors"

	"github.com/farend-go/farend/store"
)

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
