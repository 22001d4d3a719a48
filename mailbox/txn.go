package mailbox

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/farend-go/farend/store"
)

// txn is one View or Update, with what it has read and is going to write.
type txn struct {
	s        *Store
	r        store.Reader
	w        store.Writer // nil in a View
	now      time.Time
	accounts map[uint64]*accountTx
}

// accountTx is an account in a transaction.
type accountTx struct {
	id      uint64
	head    accountHead
	changed bool
	boxes   map[uint64]*boxTx
}

// accountHead is what an account is beside its mailboxes.
type accountHead struct {
	lastValidity uint32
	lastBox      uint64
	size         int64
	messages     int64
	ownLimits    bool
	limits       Limits
}

func (h *accountHead) append(b []byte) []byte {
	b = slices.Grow(b, 32)
	own := uint64(0)
	if h.ownLimits {
		own = 1
	}
	for _, v := range []uint64{
		uint64(h.lastValidity), h.lastBox, uint64(h.size), uint64(h.messages), own,
		uint64(h.limits.Size), uint64(h.limits.Messages),
	} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func parseAccountHead(b []byte) (accountHead, error) {
	d := decoder{b: b}
	h := accountHead{
		lastValidity: uint32(d.uint()), lastBox: d.uint(), size: int64(d.uint()), messages: int64(d.uint()),
		ownLimits: d.uint() != 0, limits: Limits{int64(d.uint()), int64(d.uint())},
	}
	return h, d.err("the head of an account")
}

func (t *txn) accountsMap() map[uint64]*accountTx {
	if t.accounts == nil {
		t.accounts = map[uint64]*accountTx{}
	}
	return t.accounts
}

// account loads an account.
func (t *txn) account(id uint64) (*accountTx, error) {
	if a := t.accounts[id]; a != nil {
		return a, nil
	}
	v, err := t.r.Get(keyAccount(id, kindHead))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoAccount
	}
	if err != nil {
		return nil, err
	}
	h, err := parseAccountHead(v)
	if err != nil {
		return nil, err
	}
	a := &accountTx{id: id, head: h}
	t.accountsMap()[id] = a
	return a, nil
}

// grow takes messages into the account's usage. ErrOverQuota.
func (t *txn) grow(a *accountTx, messages, size int64) error {
	limits := t.s.limits(&a.head)
	if messages > 0 && (limits.Messages > 0 && a.head.messages+messages > limits.Messages ||
		limits.Size > 0 && a.head.size+size > limits.Size) {
		return ErrOverQuota
	}
	a.head.messages += messages
	a.head.size += size
	a.changed = true
	return nil
}

// boxTx is a mailbox in a transaction.
type boxTx struct {
	t       *txn
	account *accountTx
	id      uint64
	head    head
	was     uint64 // modSeq at the start
	changed bool
	gone    Set // removed here
	scratch []entry
}

// box loads a mailbox.
func (t *txn) box(acct, id uint64) (*boxTx, error) {
	if a := t.accounts[acct]; a != nil && a.boxes[id] != nil {
		return a.boxes[id], nil
	}
	v, err := t.r.Get(keyMailbox(acct, id, kindHead))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoMailbox
	}
	if err != nil {
		return nil, err
	}
	h, err := parseHead(v)
	if err != nil {
		return nil, err
	}
	b := &boxTx{t: t, id: id, head: h, was: h.modSeq}
	if t.w == nil {
		b.account = &accountTx{id: acct}
		return b, nil
	}
	if b.account, err = t.account(acct); err != nil {
		return nil, err
	}
	b.account.enter(b)
	return b, nil
}

func (a *accountTx) enter(b *boxTx) {
	if a.boxes == nil {
		a.boxes = map[uint64]*boxTx{}
	}
	a.boxes[b.id] = b
}

// modSeq is that of what this transaction changes.
func (b *boxTx) modSeq() uint64 {
	if b.head.modSeq == b.was {
		b.head.modSeq++
	}
	b.changed = true
	return b.head.modSeq
}

// finish writes the heads of what was changed.
func (t *txn) finish() error {
	for _, a := range t.accounts {
		for _, b := range a.boxes {
			if err := b.finish(); err != nil {
				return err
			}
		}
		if a.changed {
			if err := t.w.Put(keyAccount(a.id, kindHead), a.head.append(nil)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *boxTx) finish() error {
	if !b.changed {
		return nil
	}
	if len(b.gone) > 0 {
		if err := b.putGone(); err != nil {
			return err
		}
	}
	return b.t.w.Put(keyMailbox(b.account.id, b.id, kindHead), b.head.append(nil))
}

// putGone writes down what was removed, and forgets the oldest removals where
// there are too many.
func (b *boxTx) putGone() error {
	var row []byte
	last := UID(0)
	for _, r := range b.gone {
		row = binary.AppendUvarint(row, uint64(r.First-last))
		row = binary.AppendUvarint(row, uint64(r.Last-r.First))
		last = r.Last
	}
	if len(row) > store.MaxValue {
		b.head.goneSince = b.head.modSeq // too scattered to be written down
		return nil
	}
	b.head.goneRows++
	if b.head.goneRows > maxGone {
		if err := b.forgetGone(); err != nil {
			return err
		}
	}
	return b.t.w.Put(keyGone(b.account.id, b.id, b.head.modSeq), row)
}

// forgetGone drops the older half.
func (b *boxTx) forgetGone() error {
	begin := keyMailbox(b.account.id, b.id, kindGone)
	for k := range b.t.r.Ascend(begin, after(begin)) {
		if b.head.goneRows <= maxGone/2 {
			return nil
		}
		b.head.goneSince = binary.BigEndian.Uint64(k[len(begin):])
		b.head.goneRows--
		if err := b.t.w.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func parseGone(row []byte, into Set) (Set, error) {
	d := decoder{b: row}
	last := UID(0)
	for len(d.b) > 0 {
		first := last + UID(d.uint())
		last = first + UID(d.uint())
		into = append(into, Range{first, last})
	}
	return into, d.err("removed UIDs")
}
