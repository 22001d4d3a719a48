package mail

import (
	"context"
	"sync"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
)

// told is of which messages IMAP's sessions have been told, in all mailboxes:
// the highest UID of each. It is forgotten with the Post, and where there are too
// many mailboxes, which may be long gone; then all are \Recent again, as RFC 3501
// section 2.3.2 wants it of a server that does not know.
type told struct {
	mu   sync.Mutex
	last map[string]uint32 // by the mailboxes' identifiers
}

// maxTold is for how many mailboxes it is known.
const maxTold = 1 << 16

// claim gives the last UID that somebody has been told of; unless peek, all up to
// upTo are told of now.
func (t *told) claim(id string, upTo uint32, peek bool) (last uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, known := t.last[id]
	if peek || upTo <= last {
		return last
	}
	if t.last == nil || !known && len(t.last) == maxTold {
		t.last = map[string]uint32{}
	}
	t.last[id] = upTo
	return last
}

var _ imap.Claimer = (*opened)(nil)

// Claim gives the first UID that nobody has been told of: 0 behind the last that
// there is.
func (o *opened) Claim(_ context.Context, upTo uint32, peek bool) (uint32, error) {
	return o.p.told.claim(o.m.ID(), upTo, peek) + 1, nil
}

// recent counts the messages that nobody has been told of.
func (p *Post) recent(ctx context.Context, m *mailbox.Mailbox, st mailbox.Status) (uint32, error) {
	last := p.told.claim(m.ID(), 0, true)
	if last == 0 || last >= st.UIDNext-1 {
		if last == 0 {
			return st.Messages, nil
		}
		return 0, nil
	}
	state, err := m.State(ctx)
	if err != nil {
		return 0, err
	}
	return uint32(state.UIDs.Minus(mailbox.Set{{First: 1, Last: last}}).Len()), nil
}
