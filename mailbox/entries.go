package mailbox

import (
	"encoding/binary"
	"errors"

	"github.com/farend-go/farend/store"
)

// blocks goes over the blocks that may have UIDs of a set, in order. f may
// write the block that it is given.
func (b *boxTx) blocks(set Set, f func(key []byte, h blockHead, block []byte) error) error {
	begin := keyMailbox(b.account.id, b.id, kindBlock)
	end := after(begin)
	for uid, more := set.next(0); more; uid, more = set.next(uid) {
		// The block that has uid is the last one that begins at it or before.
		from := begin
		for k := range b.t.r.Descend(begin, append(keyBlock(b.account.id, b.id, uid), 0)) {
			from = append([]byte(nil), k...)
			break
		}
		jump, err := b.blocksFrom(from, end, set, uid, f)
		if err != nil || jump == 0 {
			return err
		}
		uid = jump
	}
	return nil
}

// blocksFrom goes on while the blocks that follow each other are wanted. It
// gives the UID where to look next, 0 at the end.
func (b *boxTx) blocksFrom(from, end []byte, set Set, uid UID, f func(key []byte, h blockHead, block []byte) error) (UID, error) {
	missed := false
	for k, v := range b.t.r.Ascend(from, end) {
		h, err := parseBlockHead(v)
		if err != nil {
			return 0, err
		}
		if h.last < uid {
			if missed {
				return uid, nil // far: look it up
			}
			missed = true
			continue
		}
		missed = false
		if inRange(set, h.first, h.last) {
			if err := f(k, h, v); err != nil {
				return 0, err
			}
		}
		next, ok := set.next(h.last + 1)
		if !ok || h.last+1 == 0 {
			return 0, nil
		}
		uid = next
	}
	return 0, nil
}

// inRange tells whether the set has a UID from first to last.
func inRange(set Set, first, last UID) bool {
	uid, ok := set.next(first)
	return ok && uid <= last
}

// entries goes over the entries of a set.
func (b *boxTx) entries(set Set, f func(e *entry) error) error {
	return b.blocks(set, func(_ []byte, _ blockHead, block []byte) (err error) {
		if b.scratch, err = parseBlock(block, b.scratch); err != nil {
			return err
		}
		for i := range b.scratch {
			if !set.Contains(b.scratch[i].uid) {
				continue
			}
			if err := f(&b.scratch[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// change is what becomes of an entry.
type change uint8

const (
	leave change = iota
	altered
	removed
)

// edit goes over the entries of a set, in those blocks that want lets through,
// and writes what f makes of them. f may change flags and keywords. The blobs
// of what is removed stay held.
func (b *boxTx) edit(set Set, want func(h blockHead) bool, f func(e *entry) (change, error)) error {
	var gone Set
	err := b.blocks(set, func(key []byte, h blockHead, block []byte) error {
		if want != nil && !want(h) {
			return nil
		}
		entries, err := parseBlock(block, b.scratch)
		if err != nil {
			return err
		}
		b.scratch = entries
		kept := entries[:0]
		some := false
		for i := range entries {
			e := entries[i]
			if !set.Contains(e.uid) {
				kept = append(kept, e)
				continue
			}
			now := e
			what, err := f(&now)
			switch {
			case err != nil:
				return err
			case what == leave:
				kept = append(kept, e)
				continue
			case what == altered:
				now.modSeq = b.modSeq()
				b.head.count(&e, -1)
				b.head.count(&now, 1)
				kept = append(kept, now)
			case what == removed:
				b.modSeq()
				b.head.count(&e, -1)
				gone = gone.with(Range{e.uid, e.uid})
			}
			some = true
		}
		if !some {
			return nil
		}
		b.head.note(blockID(key))
		if len(kept) == 0 {
			return b.t.w.Delete(key)
		}
		return b.t.w.Put(key, appendBlock(kept))
	})
	b.gone = b.gone.Or(gone)
	return err
}

// blockID is the UID in a block's key.
func blockID(key []byte) UID { return binary.BigEndian.Uint32(key[len(key)-4:]) }

// add appends an entry, and gives it its UID and modification sequence. It
// counts for the quota; its blob is for the caller to hold.
func (b *boxTx) add(e *entry) error {
	if b.head.uidNext == 0 { // 2^32-1 have been given
		return ErrOverQuota
	}
	if err := b.t.grow(b.account, 1, e.size); err != nil {
		return err
	}
	e.uid = b.head.uidNext
	e.modSeq = b.modSeq()
	b.head.uidNext++
	b.head.count(e, 1)

	key, h, block, err := b.lastBlock(e.uid)
	if err != nil {
		return err
	}
	if key == nil || h.count >= blockMax {
		b.head.note(e.uid)
		return b.t.w.Put(keyBlock(b.account.id, b.id, e.uid), appendBlock([]entry{*e}))
	}
	longer, err := extendBlock(block, e)
	if err != nil {
		return err
	}
	b.head.note(blockID(key))
	return b.t.w.Put(key, longer)
}

// lastBlock finds the block behind which next is to come; its key is nil where
// there is none. It is mostly the one that changed last, which has the UID
// before next.
func (b *boxTx) lastBlock(next UID) (key []byte, h blockHead, block []byte, err error) {
	if n := len(b.head.recent); n > 0 {
		key = keyBlock(b.account.id, b.id, b.head.recent[n-1].block)
		block, err = b.t.r.Get(key)
		switch {
		case err == nil:
			if h, err = parseBlockHead(block); err != nil || h.last == next-1 {
				return key, h, block, err
			}
		case !errors.Is(err, store.ErrNotFound):
			return nil, h, nil, err
		}
	}
	begin := keyMailbox(b.account.id, b.id, kindBlock)
	for key, block := range b.t.r.Descend(begin, after(begin)) {
		h, err = parseBlockHead(block)
		return key, h, block, err
	}
	return nil, h, nil, nil
}

// remove takes the entries of a set for which f holds (nil: all) out of the
// mailbox, in those blocks that want lets through (nil: all). Their blobs are
// held on.
func (b *boxTx) remove(set Set, want func(h blockHead) bool, f func(e *entry) bool) ([]entry, error) {
	var out []entry
	var size int64
	err := b.edit(set, want, func(e *entry) (change, error) {
		if f != nil && !f(e) {
			return leave, nil
		}
		size += e.size
		out = append(out, *e)
		return removed, nil
	})
	if err != nil {
		return nil, err
	}
	return out, b.t.grow(b.account, -int64(len(out)), -size)
}

// drop lets go of the blobs of entries that were removed, and gives their UIDs.
func (b *boxTx) drop(entries []entry) (Set, error) {
	var out Set
	for i := range entries {
		if err := b.t.w.Drop(entries[i].ref); err != nil {
			return nil, err
		}
		out = out.with(Range{entries[i].uid, entries[i].uid})
	}
	return out, nil
}
