package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/farend-go/farend/store"
)

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
