package mailbox_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store"
)

// Removals that are too many to be remembered are told of as all UIDs that are
// not there: more than what was removed since, and none that is there.
func TestOldRemovals(t *testing.T) {
	const n = 2300
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	var messages []mailbox.NewMessage
	body := text(t, s, "x")
	for range n + 10 {
		messages = append(messages, body)
	}
	must[mailbox.Added](t)(inbox.Append(ctx, messages...))
	if got := list(t, inbox, mailbox.Set{{First: 7, Last: n + 3}}); len(got) != n-3 || got[n-4].UID != n+3 {
		t.Errorf("listed %d messages", len(got))
	}
	start := status(t, inbox).ModSeq
	for uid := mailbox.UID(1); uid <= n; uid++ {
		must[mailbox.Set](t)(inbox.Remove(ctx, mailbox.One(uid)))
	}
	all := mailbox.Set{{First: 1, Last: n}}
	if c := must[mailbox.Changes](t)(inbox.Changes(ctx, start)); !slices.Equal(c.Gone, all) {
		t.Errorf("since the start: %v", c.Gone)
	}
	if c := must[mailbox.Changes](t)(inbox.Changes(ctx, start+10)); !slices.Equal(c.Gone, all) {
		t.Errorf("since a removal that is forgotten: %v", c.Gone)
	}
	if c := must[mailbox.Changes](t)(inbox.Changes(ctx, start+n-3)); !slices.Equal(c.Gone, mailbox.Set{{First: n - 2, Last: n}}) {
		t.Errorf("since a removal that is remembered: %v", c.Gone)
	}
}

// Changes that are too many to be remembered are found by the heads of the
// blocks: at every age the answer is the same.
func TestOldChanges(t *testing.T) {
	const blocks = 60
	const n = blocks * 64
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	var messages []mailbox.NewMessage
	body := text(t, s, "x")
	for range n {
		messages = append(messages, body)
	}
	must[mailbox.Added](t)(inbox.Append(ctx, messages...))
	start := status(t, inbox).ModSeq
	var changed []mailbox.UID // by age
	for i := range mailbox.UID(blocks) {
		uid := (i*7%blocks)*64 + i + 1
		changed = append(changed, uid)
		must[mailbox.Stored](t)(inbox.SetFlags(ctx, mailbox.One(uid), mailbox.FlagChange{Flags: mailbox.Seen}, nil))
	}
	must[mailbox.Stored](t)(inbox.SetFlags(ctx, mailbox.All(), mailbox.FlagChange{Op: mailbox.Remove, Flags: mailbox.Flagged}, nil))
	for i := range changed {
		c := must[mailbox.Changes](t)(inbox.Changes(ctx, start+uint64(i)))
		if want := mailbox.SetOf(changed[i:]...); !slices.Equal(c.Changed, want) {
			t.Errorf("after %d changes of %d: %v, want %v", i, blocks, c.Changed, want)
		}
	}
}

// Readers and writers at once: UIDs become visible in order, changes are seen
// once and whole, and the counts fit the messages at every moment.
func TestConcurrent(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		const writers, each = 4, 40
		s := mailbox.New(e, mailbox.Options{AnyAccount: true})
		inbox := box(t, account(t, s, "ann"), "INBOX")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var readers, wg sync.WaitGroup
		for range 2 {
			readers.Go(func() { follow(ctx, t, inbox) })
		}
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := write(ctx, s, inbox, w, i); err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			})
		}
		wg.Wait()
		cancel()
		readers.Wait()
		st := state(t, inbox)
		if st.UIDNext != writers*each+1 || int(st.Messages) != st.UIDs.Len() {
			t.Errorf("at the end: %+v", st)
		}
	})
}

// write delivers, and changes what others delivered.
func write(ctx context.Context, s *mailbox.Store, inbox *mailbox.Mailbox, w, i int) error {
	b, err := s.NewBody(ctx, -1)
	if err != nil {
		return err
	}
	defer b.Close()
	if _, err := b.Write([]byte("x")); err != nil {
		return err
	}
	if _, err := s.Deliver(ctx, mailbox.NewMessage{Body: b}, []mailbox.Recipient{{Account: "ann"}}); err != nil {
		return err
	}
	uid := mailbox.UID(i*(w+1)/2 + 1)
	if i%3 == 0 {
		_, err = inbox.SetFlags(ctx, mailbox.One(uid), mailbox.FlagChange{Flags: mailbox.Seen}, nil)
	} else if i%5 == 0 {
		_, err = inbox.Remove(ctx, mailbox.One(uid))
	}
	return err
}

// follow keeps a picture of a mailbox by its changes alone.
func follow(ctx context.Context, t *testing.T, inbox *mailbox.Mailbox) {
	var there mailbox.Set
	var since uint64
	next := mailbox.UID(1)
	for ctx.Err() == nil {
		c, err := inbox.Changes(ctx, since)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.Errorf("Changes: %v", err)
			return
		}
		for _, r := range c.Changed.Minus(there) {
			if r.First < next {
				t.Errorf("%d became visible after %d", r.First, next-1)
			}
			next = r.Last + 1
		}
		there = there.Or(c.Changed).Minus(c.Gone)
		if there.Len() != int(c.Status.Messages) {
			t.Errorf("%d messages seen, %d counted", there.Len(), c.Status.Messages)
			return
		}
		since = c.Status.ModSeq
	}
}

func TestSets(t *testing.T) {
	a, b := mailbox.SetOf(5, 1, 2, 3, 9, 9), mailbox.Set{{First: 2, Last: 2}, {First: 4, Last: 5}, {First: 8, Last: 20}}
	for _, tt := range []struct {
		what      string
		got, want mailbox.Set
	}{
		{"SetOf", a, mailbox.Set{{First: 1, Last: 3}, {First: 5, Last: 5}, {First: 9, Last: 9}}},
		{"And", a.And(b), mailbox.SetOf(2, 5, 9)},
		{"Or", a.Or(b), mailbox.Set{{First: 1, Last: 5}, {First: 8, Last: 20}}},
		{"Minus", a.Minus(b), mailbox.SetOf(1, 3)},
		{"Minus the other way", b.Minus(a), mailbox.Set{{First: 4, Last: 4}, {First: 8, Last: 8}, {First: 10, Last: 20}}},
		{"Minus all", a.Minus(mailbox.All()), nil},
		{"all Minus", mailbox.All().Minus(mailbox.SetOf(1)), mailbox.Set{{First: 2, Last: 1<<32 - 1}}},
		{"all Minus the last", mailbox.All().Minus(mailbox.SetOf(1<<32 - 1)), mailbox.Set{{First: 1, Last: 1<<32 - 2}}},
		{"Or with nothing", mailbox.Set(nil).Or(a), a},
		{"And with nothing", a.And(nil), nil},
		{"Or at the end", mailbox.All().Or(mailbox.SetOf(1<<32 - 1)), mailbox.All()},
	} {
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	if a.Len() != 5 || !a.Contains(3) || a.Contains(4) || mailbox.One(7).Contains(6) {
		t.Errorf("Len %d, Contains wrong", a.Len())
	}
	if got := slices.Collect(a.Each()); !slices.Equal(got, []mailbox.UID{1, 2, 3, 5, 9}) {
		t.Errorf("Each: %v", got)
	}
}
