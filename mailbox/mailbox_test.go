package mailbox_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
	"github.com/farend-go/farend/store/memstore"
	"github.com/farend-go/farend/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engines runs a test over each engine.
func engines(t *testing.T, test func(t *testing.T, e store.Engine)) {
	t.Run("memstore", func(t *testing.T) {
		e := memstore.New(memstore.Options{})
		defer e.Close()
		test(t, e)
	})
	t.Run("memstore, everything twice", func(t *testing.T) {
		e := memstore.New(memstore.Options{})
		defer e.Close()
		test(t, storetest.Rerun(e))
	})
	t.Run("diskstore", func(t *testing.T) {
		e, err := diskstore.Open(t.TempDir(), diskstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		test(t, e)
	})
}

// mail is a test's mail in memory, where any account is.
func mail(t *testing.T, o mailbox.Options) *mailbox.Store {
	t.Helper()
	e := memstore.New(memstore.Options{})
	t.Cleanup(func() { e.Close() })
	o.AnyAccount = true
	return mailbox.New(e, o)
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func account(t *testing.T, s *mailbox.Store, name string) *mailbox.Account {
	t.Helper()
	return must[*mailbox.Account](t)(s.Account(t.Context(), name))
}

func box(t *testing.T, a *mailbox.Account, name string) *mailbox.Mailbox {
	t.Helper()
	return must[*mailbox.Mailbox](t)(a.Mailbox(t.Context(), name))
}

func status(t *testing.T, m *mailbox.Mailbox) mailbox.Status {
	t.Helper()
	return must[mailbox.Status](t)(m.Status(t.Context()))
}

func state(t *testing.T, m *mailbox.Mailbox) mailbox.State {
	t.Helper()
	return must[mailbox.State](t)(m.State(t.Context()))
}

// text makes a message of which the Body is closed with the test.
func text(t *testing.T, s *mailbox.Store, text string) mailbox.NewMessage {
	t.Helper()
	b := must[*mailbox.Body](t)(s.NewBody(t.Context(), int64(len(text))))
	t.Cleanup(func() { b.Close() })
	if _, err := io.WriteString(b, text); err != nil {
		t.Fatal(err)
	}
	return mailbox.NewMessage{Body: b}
}

// add appends messages to a mailbox.
func add(t *testing.T, s *mailbox.Store, m *mailbox.Mailbox, texts ...string) mailbox.Set {
	t.Helper()
	var messages []mailbox.NewMessage
	for _, one := range texts {
		messages = append(messages, text(t, s, one))
	}
	return must[mailbox.Added](t)(m.Append(t.Context(), messages...)).UIDs
}

func list(t *testing.T, m *mailbox.Mailbox, uids mailbox.Set) (out []mailbox.Message) {
	t.Helper()
	for msg, err := range m.Messages(t.Context(), uids) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, msg)
	}
	return out
}

func read(t *testing.T, m *mailbox.Mailbox, uid mailbox.UID) string {
	t.Helper()
	msg := must[mailbox.Message](t)(m.Message(t.Context(), uid))
	c := must[*mailbox.Content](t)(m.Open(t.Context(), msg))
	defer c.Close()
	return string(must[[]byte](t)(io.ReadAll(c)))
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestAccounts(t *testing.T) {
	ctx := t.Context()
	e := memstore.New(memstore.Options{})
	defer e.Close()
	s := mailbox.New(e, mailbox.Options{Mailboxes: []mailbox.NewMailbox{{Name: "Sent", Use: mailbox.UseSent}}})
	_, err := s.Account(ctx, "ann")
	wants(t, "Account", err, mailbox.ErrNoAccount)
	must[*mailbox.Account](t)(s.CreateAccount(ctx, "ann"))
	_, err = s.CreateAccount(ctx, "ann")
	wants(t, "a second CreateAccount", err, mailbox.ErrExists)
	_, err = s.CreateAccount(ctx, "")
	wants(t, "CreateAccount without a name", err, mailbox.ErrName)
	for name, want := range map[string]bool{"ann": true, "bob": false, "": false} {
		if has, err := s.HasAccount(ctx, name); has != want || err != nil {
			t.Errorf("HasAccount(%q): %v, %v", name, has, err)
		}
	}
	entries := must[[]mailbox.Entry](t)(account(t, s, "ann").List(ctx))
	if len(entries) != 2 || entries[0].Name != "INBOX" || entries[1].Name != "Sent" || entries[1].Use != mailbox.UseSent {
		t.Errorf("a new account has %+v", entries)
	}

	ann := account(t, s, "ann")
	inbox := box(t, ann, "INBOX")
	add(t, s, inbox, "one", "two")
	if err := s.DeleteAccount(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	wants(t, "DeleteAccount of none", s.DeleteAccount(ctx, "ann"), mailbox.ErrNoAccount)
	_, err = inbox.Status(ctx)
	wants(t, "Status in an account that is gone", err, mailbox.ErrNoMailbox)
	_, err = ann.Quota(ctx)
	wants(t, "Quota of an account that is gone", err, mailbox.ErrNoAccount)
	must[*mailbox.Account](t)(s.CreateAccount(ctx, "ann"))
	if st := status(t, box(t, account(t, s, "ann"), "inbox")); st.Messages != 0 {
		t.Errorf("an account made again has %+v", st)
	}
	_, err = inbox.Status(ctx)
	wants(t, "Status in an account that was made again", err, mailbox.ErrNoMailbox)

	must[*mailbox.Account](t)(s.CreateAccount(ctx, "bob"))
	var names []string
	for name, err := range s.Accounts(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"ann", "bob"}) {
		t.Errorf("Accounts: %q", names)
	}
}

func TestAccountOnFirstUse(t *testing.T) {
	s := mail(t, mailbox.Options{})
	if has, err := s.HasAccount(t.Context(), "ann"); !has || err != nil {
		t.Errorf("HasAccount: %v, %v", has, err)
	}
	for range s.Accounts(t.Context()) {
		t.Error("HasAccount made an account")
	}
	first, second := account(t, s, "ann"), account(t, s, "ann")
	if box(t, first, "INBOX").ID() != box(t, second, "INBOX").ID() {
		t.Error("the account was made twice")
	}
}

func names(t *testing.T, a *mailbox.Account) (out []string) {
	t.Helper()
	for _, e := range must[[]mailbox.Entry](t)(a.List(t.Context())) {
		name := e.Name
		if e.Missing {
			name += " missing"
		}
		if e.Children {
			name += " +"
		}
		if e.Subscribed {
			name += " subscribed"
		}
		if e.Use != "" {
			name += " " + string(e.Use)
		}
		out = append(out, name)
	}
	return out
}

func TestNames(t *testing.T) {
	ctx := t.Context()
	a := account(t, mail(t, mailbox.Options{}), "ann")
	steps := []struct {
		do   string
		err  error
		want []string // but INBOX
	}{
		{"create a/b/c", nil, []string{"a +", "a/b +", "a/b/c"}},
		{"create a/b", mailbox.ErrExists, nil},
		{"create inBOX", mailbox.ErrExists, nil},
		{"create a//b", mailbox.ErrName, nil},
		{"create a/", mailbox.ErrName, nil},
		{"create ", mailbox.ErrName, nil},
		{"create x\x01", mailbox.ErrName, nil},
		{"create \xff", mailbox.ErrName, nil},
		{"delete a/b", nil, []string{"a +", "a/b missing +", "a/b/c"}},
		{"delete a/b", mailbox.ErrNoMailbox, nil},
		{"delete inbox", mailbox.ErrInbox, nil},
		{"subscribe a/b/c", nil, []string{"a +", "a/b missing +", "a/b/c subscribed"}},
		{"subscribe nowhere/at all", nil, []string{"a +", "a/b missing +", "a/b/c subscribed", "nowhere/at all missing subscribed"}},
		{"unsubscribe nowhere/at all", nil, []string{"a +", "a/b missing +", "a/b/c subscribed"}},
		{"rename a a/x", mailbox.ErrName, nil},
		{"rename a inbox", mailbox.ErrExists, nil},
		{"rename nothing x", mailbox.ErrNoMailbox, nil},
		{"rename a d/e", nil, []string{"a/b/c missing subscribed", "d +", "d/e +", "d/e/b missing +", "d/e/b/c"}},
		{"rename d/e/b a/b", nil, []string{"a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
		{"create-junk Spam", nil, []string{"Spam \\Junk", "a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
		{"create-junk Spam2", mailbox.ErrUse, nil},
		{"rename Spam Junk", nil, []string{"Junk \\Junk", "a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
		{"delete Junk", nil, []string{"a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
		{"create-junk Spam", nil, []string{"Spam \\Junk", "a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
		{"create Inbox/below", nil, []string{"Spam \\Junk", "a +", "a/b missing +", "a/b/c subscribed", "d +", "d/e"}},
	}
	before := names(t, a)
	for _, step := range steps {
		verb, rest, _ := strings.Cut(step.do, " ")
		var err error
		switch verb {
		case "create":
			_, err = a.Create(ctx, rest, "")
		case "create-junk":
			_, err = a.Create(ctx, rest, mailbox.UseJunk)
		case "delete":
			err = a.Delete(ctx, rest)
		case "subscribe", "unsubscribe":
			err = a.Subscribe(ctx, rest, verb == "subscribe")
		case "rename":
			from, to, _ := strings.Cut(rest, " ")
			err = a.Rename(ctx, from, to)
		}
		wants(t, step.do, err, step.err)
		now := names(t, a)
		if step.err != nil {
			if !slices.Equal(now, before) {
				t.Errorf("%s failed and left %q", step.do, now)
			}
			continue
		}
		before = now
		inboxes := slices.DeleteFunc(slices.Clone(now), func(n string) bool { return strings.HasPrefix(n, "INBOX") })
		if !slices.Equal(inboxes, step.want) {
			t.Errorf("%s: %q, want %q", step.do, inboxes, step.want)
		}
	}
	if _, err := a.Mailbox(ctx, "iNbOx/below"); err != nil {
		t.Errorf("below INBOX: %v", err)
	}
	_, err := a.Create(ctx, "bad", `\Everything`)
	wants(t, "a use that there is not", err, mailbox.ErrUse)
}

// A name that is given again is another mailbox: who has the old one open
// cannot mistake it.
func TestNameGivenAgain(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{})
	a := account(t, s, "ann")
	old := must[*mailbox.Mailbox](t)(a.Create(ctx, "x", ""))
	add(t, s, old, "one")
	was := status(t, old)
	msg := must[mailbox.Message](t)(old.Message(ctx, 1))
	open := must[*mailbox.Content](t)(old.Open(ctx, msg))
	defer open.Close()
	if err := a.Delete(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	now := must[*mailbox.Mailbox](t)(a.Create(ctx, "x", ""))
	st := status(t, now)
	if st.UIDValidity <= was.UIDValidity || st.ID == was.ID || st.Messages != 0 {
		t.Errorf("made again: %+v, was %+v", st, was)
	}
	_, err := old.Changes(ctx, was.ModSeq)
	wants(t, "Changes", err, mailbox.ErrNoMailbox)
	_, err = old.Append(ctx, text(t, s, "two"))
	wants(t, "Append", err, mailbox.ErrNoMailbox)
	_, err = old.Open(ctx, msg)
	wants(t, "Open", err, mailbox.ErrNoMessage)
	if got := string(must[[]byte](t)(io.ReadAll(open))); got != "one" {
		t.Errorf("what was open reads %q", got)
	}
	if err := a.Rename(ctx, "x", "y"); err != nil {
		t.Fatal(err)
	}
	if st := status(t, now); st.ID != now.ID() {
		t.Errorf("renamed: %+v", st)
	}
}

func TestRenameInbox(t *testing.T) {
	ctx := t.Context()
	s := mail(t, mailbox.Options{Quota: mailbox.Limits{Messages: 2}})
	a := account(t, s, "ann")
	inbox := box(t, a, "INBOX")
	must[*mailbox.Mailbox](t)(a.Create(ctx, "INBOX/below", ""))
	add(t, s, inbox, "one", "two") // as much as the quota has: moving needs no more
	was := status(t, inbox)
	if err := a.Rename(ctx, "inbox", "old/mail"); err != nil {
		t.Fatal(err)
	}
	now := status(t, box(t, a, "INBOX"))
	if now.Messages != 0 || now.ID != was.ID || now.UIDNext != 3 || now.UIDValidity != was.UIDValidity {
		t.Errorf("INBOX is %+v", now)
	}
	c := must[mailbox.Changes](t)(inbox.Changes(ctx, was.ModSeq))
	if !slices.Equal(c.Gone, mailbox.Set{{First: 1, Last: 2}}) {
		t.Errorf("gone from INBOX: %v", c.Gone)
	}
	if got := read(t, box(t, a, "old/mail"), 2); got != "two" {
		t.Errorf("moved: %q", got)
	}
	if got := names(t, a); !slices.Equal(got, []string{"INBOX +", "INBOX/below", "old +", "old/mail"}) {
		t.Errorf("names: %q", got)
	}
	wants(t, "Rename of INBOX to itself", a.Rename(ctx, "INBOX", "inbox"), mailbox.ErrExists)
}

func TestDates(t *testing.T) {
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	date := time.Date(1999, 12, 31, 23, 59, 58, 0, time.FixedZone("", -(3*60+30)*60))
	n := text(t, s, "one")
	n.Date = date
	before := time.Now().Truncate(time.Second)
	must[mailbox.Added](t)(inbox.Append(t.Context(), n, text(t, s, "two")))
	messages := list(t, inbox, mailbox.All())
	if got := messages[0].Date; !got.Equal(date) || got.Format(time.RFC3339) != "1999-12-31T23:59:58-03:30" {
		t.Errorf("the internal date is %v", got)
	}
	for _, when := range []time.Time{messages[0].Saved, messages[1].Saved, messages[1].Date} {
		if when.Before(before) || when.After(time.Now()) {
			t.Errorf("now is %v", when)
		}
	}
}

func TestCancelled(t *testing.T) {
	s := mail(t, mailbox.Options{})
	inbox := box(t, account(t, s, "ann"), "INBOX")
	n := text(t, s, "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := inbox.Append(ctx, n)
	wants(t, "Append", err, context.Canceled)
	for _, err := range inbox.Messages(ctx, mailbox.All()) {
		wants(t, "Messages", err, context.Canceled)
	}
	if st := status(t, inbox); st.Messages != 0 || st.UIDNext != 1 {
		t.Errorf("after a cancelled Append: %+v", st)
	}
}
