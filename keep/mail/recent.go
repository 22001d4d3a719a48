package mail

import (
	"context"
	"sync"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
)

// told is of which messages IMAP's sessions have been told, in all mailboxes:
// the highest UID of each. It is forgotten with the Post; then all are \Recent
// again, as RFC 3501 section 2.3.2 wants it of a server that does not know.
type told struct {
	mu   sync.Mutex
	last map[string]uint32 // by the mailboxes' identifiers
}

var _ imap.Claimer = (*opened)(nil)

// Claim gives the first UID that nobody has been told of.
func (o *opened) Claim(_ context.Context, upTo uint32, peek bool) (uint32, error) {
	t := &o.p.told
	id := o.m.ID()
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.last[id]
	if !peek && upTo > last {
		if t.last == nil {
			t.last = map[string]uint32{}
		}
		t.last[id] = upTo
	}
	return last + 1, nil
}

// recent counts the messages that nobody has been told of.
func (p *Post) recent(ctx context.Context, m *mailbox.Mailbox, st mailbox.Status) (uint32, error) {
	p.told.mu.Lock()
	last := p.told.last[m.ID()]
	p.told.mu.Unlock()
	if last == 0 || last+1 >= st.UIDNext {
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
