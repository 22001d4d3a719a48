package mailbox

import (
	"context"
	"errors"
	"iter"
)

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
