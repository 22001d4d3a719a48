package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

func TestDirectory(t *testing.T) {
	open, closed := mail.Directory{}, mail.Directory{Users: []string{"bob", "ann", "Carl@Example.test"}}
	for _, tc := range []struct {
		d             mail.Directory
		local, domain string
		want          []string
	}{
		{open, "Ann", "Example.TEST", []string{"ann@example.test", "ann"}},
		{open, "Postmaster", "", []string{"postmaster"}},
		{closed, "ANN", "any.test", []string{"ann"}},
		{closed, "ann+lists+go", "any.test", []string{"ann"}},
		{closed, "carl", "example.TEST", []string{"Carl@Example.test"}},
		{closed, "carl", "other.test", nil},
		{closed, "eve", "example.test", nil},
		{closed, "+", "example.test", nil},
		{closed, "PostMaster", "", []string{"Carl@Example.test"}},
		{mail.Directory{Users: []string{"ann", "postmaster"}}, "postmaster", "x.test", []string{"postmaster"}},
	} {
		if got := tc.d.Owners(tc.local, tc.domain); !slices.Equal(got, tc.want) {
			t.Errorf("%v: %s@%s is %q's, want %q", tc.d.Users, tc.local, tc.domain, got, tc.want)
		}
	}
	if got := open.Account("Ann@Example.test"); got != "ann@example.test" {
		t.Error(got)
	}
	if got := closed.Account("Carl@Example.test"); got != "Carl@Example.test" {
		t.Error(got)
	}
}

// post takes a message in as SMTP's session does.
func post(t *testing.T, w *world, from smtp.Sender, text string, to ...string) error {
	t.Helper()
	tx, err := w.post.SMTP().Mail(t.Context(), from, smtp.Peer{})
	if err != nil {
		return err
	}
	defer tx.Abort()
	for _, name := range to {
		m, err := smtp.ParseMailbox(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Rcpt(t.Context(), smtp.Recipient{Mailbox: m}); err != nil {
			return err
		}
	}
	if err := tx.Body(t.Context(), strings.NewReader(text)); err != nil {
		return err
	}
	return tx.Commit(t.Context())
}

// inbox opens somebody's INBOX as IMAP does.
func inbox(t *testing.T, w *world, name string) (imap.Account, imap.Mailbox) {
	t.Helper()
	a, err := w.post.IMAP().Account(t.Context(), auth.Identity{Authentication: name, Authorization: name})
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	return a, m
}

func count(t *testing.T, m imap.Mailbox) int {
	t.Helper()
	st, err := m.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.UIDs.Count()
}

// A sender who names his envelopes may come again; without a name two messages
// are two (RFC 3461 section 4.4).
func TestEnvelopeComesAgain(t *testing.T) {
	everywhere(t, mailbox.Options{}, nil, func(t *testing.T, w *world) {
		for _, from := range []smtp.Sender{{EnvID: "1"}, {EnvID: "1"}, {EnvID: "2"}, {}, {}} {
			if err := post(t, w, from, "Subject: x\r\n\r\nx\r\n", "ann@x.test"); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"ann", "ann@x.test"} {
			if _, m := inbox(t, w, name); count(t, m) != 4 {
				t.Errorf("%s has %d", name, count(t, m))
			}
		}
	})
}

// Who is meant by several addresses of one envelope gets one message, and each
// address its result.
func TestOneMessageForEachAccount(t *testing.T) {
	everywhere(t, mailbox.Options{}, []string{"ann", "bob"}, func(t *testing.T, w *world) {
		if err := w.account(t, "bob").SetQuota(t.Context(), mailbox.Limits{Messages: 1}); err != nil {
			t.Fatal(err)
		}
		const text = "Subject: x\r\n\r\nx\r\n"
		if err := post(t, w, smtp.Sender{}, text, "ann@x.test", "bob+list@x.test", "ann+news@y.test", "ann@x.test"); err != nil {
			t.Fatal(err)
		}
		err := post(t, w, smtp.Sender{EnvID: "1"}, text, "bob@x.test", "ann@x.test", "bob+a@x.test", "ann+b@x.test")
		results, ok := errors.AsType[smtp.Results](err)
		if !ok || len(results) != 4 || !errors.Is(results[0], smtp.ErrFull) || results[1] != nil || !errors.Is(results[2], smtp.ErrFull) || results[3] != nil {
			t.Errorf("%v", err)
		}
		for name, want := range map[string]int{"ann": 2, "bob": 1} {
			if _, m := inbox(t, w, name); count(t, m) != want {
				t.Errorf("%s has %d", name, count(t, m))
			}
		}
	})
}

// Each recipient has its own result, by LMTP and by SMTP's backend.
func TestResultsOfRecipients(t *testing.T) {
	everywhere(t, mailbox.Options{}, []string{"ann", "bob", "carl"}, func(t *testing.T, w *world) {
		if err := w.account(t, "bob").SetQuota(t.Context(), mailbox.Limits{Messages: 1}); err != nil {
			t.Fatal(err)
		}
		if err := post(t, w, smtp.Sender{}, "x\r\n", "eve@x.test"); !errors.Is(err, smtp.ErrNoMailbox) {
			t.Errorf("to nobody: %v", err)
		}
		const text = "Subject: x\r\n\r\nx\r\n"
		if err := post(t, w, smtp.Sender{}, text, "ann@x.test", "bob@x.test"); err != nil {
			t.Fatal(err)
		}
		err := post(t, w, smtp.Sender{}, text, "ann@x.test", "bob@x.test", "carl@x.test")
		results, ok := errors.AsType[smtp.Results](err)
		if !ok || len(results) != 3 || results[0] != nil || !errors.Is(results[1], smtp.ErrFull) || results[2] != nil {
			t.Errorf("%v", err)
		}
		c, err := smtp.Dial(t.Context(), "tcp:"+w.lmtp, smtp.Options{LMTP: true, Security: smtp.InClear})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m, err := smtp.NewMessage("a@x.test", []string{"ann@x.test", "bob@x.test", "carl@x.test"}, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := c.Send(t.Context(), m)
		if err == nil || len(receipt.Results) != 3 || receipt.Results[0].Err != nil || receipt.Results[1].Err == nil || receipt.Results[2].Err != nil {
			t.Errorf("LMTP: %+v %v", receipt, err)
		}
		for name, want := range map[string]int{"ann": 3, "bob": 1, "carl": 2} {
			if _, m := inbox(t, w, name); count(t, m) != want {
				t.Errorf("%s has %d, want %d", name, count(t, m), want)
			}
		}
	})
}

func TestQuotaAndErrors(t *testing.T) {
	o := mailbox.Options{MaxMessage: 1000, Quota: mailbox.Limits{Size: 3000, Messages: 3}}
	everywhere(t, o, nil, func(t *testing.T, w *world) {
		a, m := inbox(t, w, "ann")
		add := func(to string, flags []imap.Flag, size int) error {
			p, err := a.Append(t.Context(), to)
			if err != nil {
				return err
			}
			defer p.Close()
			if err := p.Add(t.Context(), imap.NewMessage{Size: int64(size), Flags: flags}, strings.NewReader(strings.Repeat("x", size))); err != nil {
				return err
			}
			_, err = p.Commit(t.Context())
			return err
		}
		refused := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		refused("too big", add("INBOX", nil, 1001), imap.ErrTooBig)
		refused("nowhere", add("Nowhere", nil, 10), imap.ErrNonExistent)
		for range 3 {
			if err := add("inbox", []imap.Flag{imap.Seen, `\Recent`, "work"}, 900); err != nil {
				t.Fatal(err)
			}
		}
		refused("over quota", add("INBOX", nil, 10), imap.ErrOverQuota)
		_, err := m.Copy(t.Context(), imap.One(1), "INBOX")
		refused("copy over quota", err, imap.ErrOverQuota)
		q, err := a.(imap.Quotas).Quota(t.Context(), "")
		if err != nil || len(q.Resources) != 2 || q.Resources[0] != (imap.Resource{Name: "STORAGE", Usage: 3, Limit: 2}) || q.Resources[1].Usage != 3 {
			t.Errorf("%+v %v", q, err)
		}
		_, err = a.(imap.Quotas).Quota(t.Context(), "other")
		refused("another root", err, imap.ErrNonExistent)
		refused("SMTP over quota", post(t, w, smtp.Sender{}, "x\r\n", "ann"), smtp.ErrFull)
		refused("SMTP too big", post(t, w, smtp.Sender{Size: 1001}, "x\r\n", "bob"), smtp.ErrTooBig)
		refused("SMTP lied", post(t, w, smtp.Sender{Size: 5}, strings.Repeat("x", 1001), "bob"), smtp.ErrTooBig)
		_, err = a.Create(t.Context(), "INBOX", nil)
		refused("INBOX again", err, imap.ErrAlreadyExists)
		_, err = a.Create(t.Context(), "a//b", nil)
		refused("a bad name", err, imap.ErrCannot)
		_, err = a.Create(t.Context(), "Two", []string{`\Sent`, `\Junk`})
		refused("two uses", err, imap.ErrUse)
		refused("delete INBOX", a.Delete(t.Context(), "INBOX"), imap.ErrCannot)
		_, err = m.Message(t.Context(), 99)
		refused("no message", err, imap.ErrGone)
		flags := make([]imap.Flag, 65)
		for i := range flags {
			flags[i] = imap.Flag("k" + strings.Repeat("x", i))
		}
		_, err = m.Store(t.Context(), imap.One(1), imap.Add, flags, nil)
		refused("keywords", err, imap.ErrLimit)
		for info, err := range m.Messages(t.Context(), imap.One(1)) {
			if err != nil || !slices.Equal(info.Flags, []imap.Flag{imap.Seen, "work"}) {
				t.Errorf("%v %v", info.Flags, err)
			}
		}
	})
}

// The structure comes from what was kept, and is found anew where nothing or
// nonsense was.
func TestStructureWithoutExtract(t *testing.T) {
	everywhere(t, mailbox.Options{}, nil, func(t *testing.T, w *world) {
		const text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
		a := w.account(t, "ann")
		box, err := a.Mailbox(t.Context(), "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		for _, extract := range [][]byte{nil, []byte("\x01"), bytes.Repeat([]byte{0xff}, 300)} {
			body, err := w.post.Store.NewBody(t.Context(), -1)
			if err == nil {
				_, err = io.WriteString(body, text)
			}
			if err == nil {
				err = body.Finish(extract)
			}
			if err == nil {
				_, err = box.Append(t.Context(), mailbox.NewMessage{Body: body})
			}
			if err != nil {
				t.Fatal(err)
			}
			body.Close()
		}
		if err := post(t, w, smtp.Sender{}, text, "ann"); err != nil {
			t.Fatal(err)
		}
		_, m := inbox(t, w, "ann")
		for uid := range uint32(4) {
			msg, err := m.Message(t.Context(), uid+1)
			if err != nil {
				t.Fatal(err)
			}
			part, err := msg.Structure(t.Context())
			if err != nil || len(part.Parts) != 2 {
				t.Errorf("UID %d: %v %v", uid+1, part, err)
			}
			msg.Close()
		}
	})
}

// POP3 deletes what is still there of what it showed.
func TestPOP3DeletesWhatMoved(t *testing.T) {
	everywhere(t, mailbox.Options{Mailboxes: []mailbox.NewMailbox{{Name: "Work"}}}, nil, func(t *testing.T, w *world) {
		for range 3 {
			if err := post(t, w, smtp.Sender{}, "Subject: x\r\n\r\nx\r\n", "ann"); err != nil {
				t.Fatal(err)
			}
		}
		backend := w.post.POP3()
		who := auth.Identity{Authentication: "Ann", Authorization: "Ann"}
		drop, err := backend.Maildrop(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := backend.Maildrop(t.Context(), who); err == nil {
			t.Error("the maildrop was opened twice")
		}
		if all, err := drop.Messages(t.Context()); err != nil || len(all) != 3 {
			t.Fatalf("%v %v", all, err)
		}
		a, m := inbox(t, w, "ann")
		if _, err := m.Move(t.Context(), imap.One(2), "Work"); err != nil {
			t.Fatal(err)
		}
		if body, err := drop.Open(t.Context(), 2); err == nil {
			body.Close() // its octets may still be read
		} else if !errors.Is(err, pop3.ErrGone) {
			t.Error(err)
		}
		if err := drop.Delete(t.Context(), []int{1, 2}); err != nil {
			t.Error(err)
		}
		drop.Close()
		work, err := a.Open(t.Context(), "Work", true)
		if err != nil {
			t.Fatal(err)
		}
		if count(t, m) != 1 || count(t, work) != 1 {
			t.Errorf("INBOX has %d, Work %d", count(t, m), count(t, work))
		}
		if drop, err = backend.Maildrop(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		drop.Close()
	})
}

func TestMailboxDeletedWhileOpen(t *testing.T) {
	everywhere(t, mailbox.Options{Mailboxes: []mailbox.NewMailbox{{Name: "Tmp"}}}, nil, func(t *testing.T, w *world) {
		ctx := context.Background()
		a, _ := inbox(t, w, "stress")
		b := believer{ledger: newLedger()}
		if err := b.connect(w.imap); err != nil {
			t.Fatal(err)
		}
		defer b.nc.Close()
		if err := b.must("SELECT Tmp"); err != nil {
			t.Fatal(err)
		}
		if err := a.Delete(ctx, "Tmp"); err != nil {
			t.Fatal(err)
		}
		st, err := b.do("APPEND INBOX {6+}\r\nA: b\r\n")
		if !errors.Is(err, errGone) || st.Kind != imap.OK || st.Code.Name != "APPENDUID" {
			t.Errorf("%v %v", st, err)
		}
		if _, err := b.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// REPLACE is about the mailbox that is open, whatever has its name by now.
func TestReplaceInRenamed(t *testing.T) {
	everywhere(t, mailbox.Options{Mailboxes: []mailbox.NewMailbox{{Name: "Tmp"}}}, nil, func(t *testing.T, w *world) {
		a, _ := inbox(t, w, "stress")
		b := believer{ledger: newLedger()}
		if err := b.connect(w.imap); err != nil {
			t.Fatal(err)
		}
		defer b.nc.Close()
		for _, command := range []string{"APPEND Tmp {6+}\r\nA: 1\r\n", "SELECT Tmp"} {
			if err := b.must(command); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Rename(t.Context(), "Tmp", "Old"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Create(t.Context(), "Tmp", nil); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"APPEND Tmp {6+}\r\nA: 2\r\n", "REPLACE 1 INBOX {6+}\r\nA: 3\r\n"} {
			if err := b.must(command); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]int{"Tmp": 1, "Old": 0, "INBOX": 1} {
			m, err := a.Open(t.Context(), name, true)
			if err != nil {
				t.Fatal(err)
			}
			if got := count(t, m); got != want {
				t.Errorf("%s has %d, want %d", name, got, want)
			}
		}
	})
}
