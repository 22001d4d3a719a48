package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
)

func TestExtract(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		ctx := t.Context()
		s := mailbox.New(e, mailbox.Options{AnyAccount: true})
		inbox := box(t, account(t, s, "ann"), "INBOX")
		for _, size := range []int{0, 5, 4000, 40_000, 400_000} {
			for _, extract := range []string{"", "structure"} {
				body := strings.Repeat("x", size)
				n := text(t, s, body)
				if err := n.Body.Finish([]byte(extract)); err != nil {
					t.Fatal(err)
				}
				if _, err := n.Body.Write([]byte("more")); err == nil {
					t.Error("a finished message takes more")
				}
				if err := n.Body.Finish(nil); err == nil {
					t.Error("finished twice")
				}
				uids := must[mailbox.Added](t)(inbox.Append(ctx, n)).UIDs
				msg := must[mailbox.Message](t)(inbox.Message(ctx, uids[0].First))
				c := must[*mailbox.Content](t)(inbox.Open(ctx, msg))
				if got := string(must[[]byte](t)(c.Extract())); got != extract || msg.Size != int64(size) {
					t.Errorf("%d octets, extract %q: got %d, %q", size, extract, msg.Size, got)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				if got := read(t, inbox, msg.UID); got != body {
					t.Errorf("%d octets came back as %d", size, len(got))
				}
			}
		}
	})
}

func TestMaxMessage(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{MaxMessage: 10})
	_, err := s.NewBody(ctx, 11)
	wants(t, "NewBody", err, mailbox.ErrTooBig)
	b := must[*mailbox.Body](t)(s.NewBody(ctx, -1))
	defer b.Close()
	if _, err := b.Write(make([]byte, 10)); err != nil || b.Size() != 10 {
		t.Errorf("10 octets: %d, %v", b.Size(), err)
	}
	_, err = b.Write([]byte("x"))
	wants(t, "the 11th octet", err, mailbox.ErrTooBig)
	_, err = box(t, account(t, s, "ann"), "INBOX").Append(ctx, mailbox.NewMessage{Body: b})
	wants(t, "Append of it", err, mailbox.ErrTooBig)
}

func TestQuota(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{Quota: mailbox.Limits{Size: 10, Messages: 3}})
	a := account(t, s, "ann")
	inbox := box(t, a, "INBOX")
	add(t, s, inbox, "12345", "123")
	over := func(what string, err error) {
		t.Helper()
		wants(t, what, err, mailbox.ErrOverQuota)
		want := mailbox.Quota{Used: mailbox.Limits{Size: 8, Messages: 2}, Limits: mailbox.Limits{Size: 10, Messages: 3}}
		if q := must[mailbox.Quota](t)(a.Quota(ctx)); q != want {
			t.Errorf("%s: %+v", what, q)
		}
		if st := status(t, inbox); st.Messages != 2 || st.UIDNext != 3 || st.Size != 8 {
			t.Errorf("%s: %+v", what, st)
		}
	}
	_, err := inbox.Append(ctx, text(t, s, "123"))
	over("too large", err)
	_, err = inbox.Append(ctx, text(t, s, ""), text(t, s, ""))
	over("too many", err)
	_, err = inbox.Copy(ctx, mailbox.All(), "INBOX")
	over("Copy", err)
	if got := must[mailbox.Copied](t)(inbox.Move(ctx, mailbox.All(), "INBOX")); !slices.Equal(got.To, mailbox.Set{{First: 3, Last: 4}}) {
		t.Errorf("Move needs no room: %+v", got)
	}
	must[mailbox.Set](t)(inbox.Remove(ctx, mailbox.One(3)))
	add(t, s, inbox, "12345")
	if err := a.SetQuota(ctx, mailbox.Limits{Size: 1}); err != nil {
		t.Fatal(err)
	}
	_, err = inbox.Append(ctx, text(t, s, ""))
	wants(t, "Append under a limit that was lowered", err, mailbox.ErrOverQuota)
	if err := a.SetQuota(ctx, mailbox.Limits{}); err != nil {
		t.Fatal(err)
	}
	add(t, s, inbox, strings.Repeat("x", 1000))
}

func TestFlags(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	add(t, s, inbox, "one", "two", "three")
	set := func(uids mailbox.Set, c mailbox.FlagChange, since *uint64) mailbox.Stored {
		t.Helper()
		return must[mailbox.Stored](t)(inbox.SetFlags(ctx, uids, c, since))
	}
	before := status(t, inbox)
	got := set(mailbox.All(), mailbox.FlagChange{Flags: mailbox.Seen, Keywords: []string{"$Work"}}, nil)
	if got.ModSeq != before.ModSeq+1 || got.Changed.Len() != 3 || got.Modified != nil {
		t.Errorf("all changed: %+v", got)
	}
	if st := status(t, inbox); st.Unseen != 0 || st.ModSeq != got.ModSeq {
		t.Errorf("after that: %+v", st)
	}
	if again := set(mailbox.One(2), mailbox.FlagChange{Flags: mailbox.Seen, Keywords: []string{"$WORK"}}, nil); again.Changed != nil {
		t.Errorf("nothing to change: %+v", again)
	}
	if st := status(t, inbox); st.ModSeq != got.ModSeq {
		t.Errorf("no change gave a MODSEQ: %+v", st)
	}
	set(mailbox.One(2), mailbox.FlagChange{Op: mailbox.Replace, Flags: mailbox.Deleted, Keywords: []string{"later"}}, nil)
	last := set(mailbox.All(), mailbox.FlagChange{Op: mailbox.Remove, Flags: mailbox.Seen, Keywords: []string{"none", "$work"}}, &got.ModSeq)
	if !slices.Equal(last.Modified, mailbox.One(2)) || !slices.Equal(last.Changed, mailbox.SetOf(1, 3)) {
		t.Errorf("unchanged since %d: %+v", got.ModSeq, last)
	}
	messages := list(t, inbox, mailbox.All())
	if messages[0].Flags != 0 || messages[0].Keywords != nil || messages[0].ModSeq != last.ModSeq {
		t.Errorf("the first is %+v", messages[0])
	}
	if messages[1].Flags != mailbox.Deleted || !slices.Equal(messages[1].Keywords, []string{"later"}) {
		t.Errorf("the second is %+v", messages[1])
	}
	st := state(t, inbox)
	if st.Deleted != 1 || st.DeletedSize != 3 || st.Unseen != 3 || st.FirstUnseen != 1 || !slices.Equal(st.Keywords, []string{"$Work", "later"}) {
		t.Errorf("state %+v", st)
	}
}

func TestTooManyKeywords(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	a := account(t, s, "ann")
	inbox := box(t, a, "INBOX")
	add(t, s, inbox, "one")
	var many []string
	for i := range 64 {
		many = append(many, fmt.Sprint("k", i))
	}
	must[mailbox.Stored](t)(inbox.SetFlags(ctx, mailbox.One(1), mailbox.FlagChange{Keywords: many}, nil))
	if st := state(t, inbox); !st.NoKeywords || len(st.Keywords) != 64 {
		t.Errorf("with 64 keywords: %v, %d", st.NoKeywords, len(st.Keywords))
	}
	_, err := inbox.SetFlags(ctx, mailbox.One(1), mailbox.FlagChange{Keywords: []string{"one more"}}, nil)
	wants(t, "the 65th", err, mailbox.ErrKeywords)
	other := must[*mailbox.Mailbox](t)(a.Create(ctx, "other", ""))
	n := text(t, s, "two")
	n.Keywords = []string{"mine"}
	must[mailbox.Added](t)(other.Append(ctx, n))
	must[mailbox.Copied](t)(inbox.Copy(ctx, mailbox.All(), "other")) // as many as there is room for
	if got := list(t, other, mailbox.One(2)); len(got[0].Keywords) != 63 {
		t.Errorf("copied %d keywords", len(got[0].Keywords))
	}
}

func TestCopyAndMove(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	a := account(t, s, "ann")
	inbox := box(t, a, "INBOX")
	other := must[*mailbox.Mailbox](t)(a.Create(ctx, "other", ""))
	add(t, s, inbox, "one", "two", "three")
	n := text(t, s, "four")
	n.Flags, n.Keywords = mailbox.Flagged, []string{"$Work"}
	must[mailbox.Added](t)(inbox.Append(ctx, n))

	_, err := inbox.Copy(ctx, mailbox.All(), "none")
	wants(t, "Copy to none", err, mailbox.ErrNoMailbox)
	c := must[mailbox.Copied](t)(inbox.Copy(ctx, mailbox.SetOf(4, 2, 9), "other"))
	if c.UIDValidity != status(t, other).UIDValidity || !slices.Equal(c.From, mailbox.SetOf(2, 4)) || !slices.Equal(c.To, mailbox.SetOf(1, 2)) {
		t.Errorf("copied %+v", c)
	}
	from, to := list(t, inbox, mailbox.One(4))[0], list(t, other, mailbox.One(2))[0]
	if to.ID() != from.ID() || to.Flags != from.Flags || !slices.Equal(to.Keywords, from.Keywords) || !to.Date.Equal(from.Date) {
		t.Errorf("%+v became %+v", from, to)
	}
	c = must[mailbox.Copied](t)(inbox.Move(ctx, mailbox.SetOf(2, 3), "other"))
	if !slices.Equal(c.From, mailbox.SetOf(2, 3)) || !slices.Equal(c.To, mailbox.SetOf(3, 4)) {
		t.Errorf("moved %+v", c)
	}
	if got := state(t, inbox).UIDs; !slices.Equal(got, mailbox.SetOf(1, 4)) {
		t.Errorf("left %v", got)
	}
	for uid, want := range map[mailbox.UID]string{1: "two", 2: "four", 3: "two", 4: "three"} {
		if got := read(t, other, uid); got != want {
			t.Errorf("%d is %q, want %q", uid, got, want)
		}
	}
	c = must[mailbox.Copied](t)(inbox.Copy(ctx, mailbox.All(), "inbox"))
	if !slices.Equal(c.To, mailbox.SetOf(5, 6)) {
		t.Errorf("copied within a mailbox: %+v", c)
	}
	if c := must[mailbox.Copied](t)(inbox.Move(ctx, mailbox.One(77), "other")); c.From != nil || c.To != nil {
		t.Errorf("moved nothing: %+v", c)
	}
}

func TestReplace(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{Quota: mailbox.Limits{Messages: 1}})
	a := account(t, s, "ann")
	inbox := box(t, a, "INBOX")
	other := must[*mailbox.Mailbox](t)(a.Create(ctx, "other", ""))
	add(t, s, inbox, "draft")
	got := must[mailbox.Added](t)(inbox.Replace(ctx, inbox, 1, text(t, s, "better")))
	if !slices.Equal(got.UIDs, mailbox.One(2)) || read(t, inbox, 2) != "better" {
		t.Errorf("replaced: %+v", got)
	}
	_, err := inbox.Replace(ctx, inbox, 1, text(t, s, "again"))
	wants(t, "Replace of what is gone", err, mailbox.ErrNoMessage)
	must[mailbox.Added](t)(other.Replace(ctx, inbox, 2, text(t, s, "final")))
	if st := status(t, inbox); st.Messages != 0 || read(t, other, 1) != "final" {
		t.Errorf("replaced elsewhere: %+v", st)
	}
}

func TestDeliver(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		ctx := t.Context()
		s := mailbox.New(e, mailbox.Options{AnyAccount: true, Quota: mailbox.Limits{Size: 10}})
		n := text(t, s, "Dear all")
		to := []mailbox.Recipient{
			{Account: "ann", Key: []byte("1/ann")},
			{Account: "bob", Key: []byte("1/bob")},
			{Account: "bob", Mailbox: "none"},
			{Account: ""},
			{Account: "ann", Key: []byte("other")},
		}
		got := must[[]mailbox.Delivery](t)(s.Deliver(ctx, n, to))
		for i, want := range []error{nil, nil, mailbox.ErrNoMailbox, mailbox.ErrName, mailbox.ErrOverQuota} {
			if !errors.Is(got[i].Err, want) || want == nil && (got[i].UID != 1 || got[i].Again) {
				t.Errorf("to %+v: %+v, want %v", to[i], got[i], want)
			}
		}
		again := must[[]mailbox.Delivery](t)(s.Deliver(ctx, text(t, s, "Dear all"), to[:2]))
		for i := range again {
			if !again[i].Again || again[i].UID != got[i].UID || again[i].UIDValidity != got[i].UIDValidity {
				t.Errorf("delivered again: %+v, at first %+v", again[i], got[i])
			}
		}
		for _, name := range []string{"ann", "bob"} {
			if inbox := box(t, account(t, s, name), "INBOX"); read(t, inbox, 1) != "Dear all" || status(t, inbox).Messages != 1 {
				t.Errorf("%s has %+v", name, status(t, inbox))
			}
		}
		strict := mailbox.New(e, mailbox.Options{})
		got = must[[]mailbox.Delivery](t)(strict.Deliver(ctx, text(t, strict, "x"), []mailbox.Recipient{{Account: "nobody"}}))
		wants(t, "Deliver to nobody", got[0].Err, mailbox.ErrNoAccount)
	})
}

// A delivery key is good for five days and then forgotten.
func TestDeliveryKeyAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memstore.New(memstore.Options{})
		defer e.Close()
		s := mailbox.New(e, mailbox.Options{AnyAccount: true})
		deliver := func() mailbox.Delivery {
			b := must[*mailbox.Body](t)(s.NewBody(t.Context(), 0))
			defer b.Close()
			to := []mailbox.Recipient{{Account: "ann", Key: []byte("key")}}
			return must[[]mailbox.Delivery](t)(s.Deliver(t.Context(), mailbox.NewMessage{Body: b}, to))[0]
		}
		deliver()
		wait(5 * 24 * time.Hour)
		if d := deliver(); !d.Again || d.UID != 1 {
			t.Errorf("after five days: %+v", d)
		}
		wait(24 * time.Hour)
		if d := deliver(); d.Again || d.UID != 2 {
			t.Errorf("after six days: %+v", d)
		}
		rows := 0
		err := e.View(t.Context(), func(r store.Reader) error {
			for range r.Ascend([]byte("a\x00\x00\x00\x00\x00\x00\x00\x01d"), []byte("a\x00\x00\x00\x00\x00\x00\x00\x01e")) {
				rows++
			}
			return nil
		})
		if rows != 1 || err != nil {
			t.Errorf("%d keys are remembered, %v", rows, err)
		}
	})
}

// wait lets a bubble's time pass.
func wait(d time.Duration) { <-time.After(d) }

func TestWatch(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		ctx := t.Context()
		s := mailbox.New(e, mailbox.Options{AnyAccount: true})
		ann := account(t, s, "ann")
		inbox := box(t, ann, "INBOX")
		woken, told := make(chan struct{}, 100), make(chan string, 100)
		until := func(want ...string) {
			for id := range told {
				want = slices.DeleteFunc(want, func(w string) bool { return w == id })
				if len(want) == 0 {
					return
				}
			}
		}
		defer ann.Watch(func(id string) { told <- id })()
		until("") // the first watcher is called at once: something may have happened while it began
		stop := inbox.Watch(func() { woken <- struct{}{} })
		defer stop()
		add(t, s, inbox, "one")
		<-woken
		until(inbox.ID())
		other := must[*mailbox.Mailbox](t)(ann.Create(ctx, "other", ""))
		until("", other.ID())
		must[mailbox.Copied](t)(inbox.Copy(ctx, mailbox.All(), "other"))
		until(other.ID())
		must[[]mailbox.Delivery](t)(s.Deliver(ctx, text(t, s, "two"), []mailbox.Recipient{{Account: "ann"}, {Account: "bob"}}))
		until(inbox.ID())
		stop()
		stop()
	})
}

// None of the wake-ups is lost, from the moment on when Watch returns.
func TestWatchLosesNothing(t *testing.T) {
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	for range 50 {
		woken := make(chan struct{}, 1)
		stop := inbox.Watch(func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
		since := status(t, inbox).ModSeq
		ended := make(chan error, 1)
		go func() {
			_, err := inbox.Append(context.Background(), text(t, s, "x"))
			ended <- err
		}()
		for {
			<-woken
			if c := must[mailbox.Changes](t)(inbox.Changes(t.Context(), since)); c.Changed.Len() == 1 {
				break
			}
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		stop()
	}
}
