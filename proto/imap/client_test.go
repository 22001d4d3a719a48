package imap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// far is a server on each engine.
func far(t *testing.T, o imaptest.Options, f func(t *testing.T, s *imaptest.Server)) {
	for name, e := range map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events} {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Engine = e()
			f(t, imaptest.New(t, o))
		})
	}
}

// must is a Call that has to go well.
func must[T any](t *testing.T, k *imap.Call[T]) T {
	t.Helper()
	v, err := k.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func uids(r ...imap.Range) imap.Where { return imap.Where{UID: true, Set: r} }

func items(names ...string) []imap.FetchItem {
	var all []imap.FetchItem
	for _, name := range names {
		all = append(all, imap.FetchItem{Name: name})
	}
	return all
}

func TestClientMailboxes(t *testing.T) {
	far(t, imaptest.Options{Messages: []string{gray, note}}, func(t *testing.T, s *imaptest.Server) {
		for _, plain := range []bool{false, true} {
			o := s.Options()
			o.Plain, o.Strict = plain, true
			c, err := imap.Dial(t.Context(), s.Endpoint("starttls"), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), auth.Credentials{User: imaptest.User, Password: imaptest.Password}); err != nil {
				t.Fatal(err)
			}
			if c.Enabled().Has("IMAP4rev2") == plain {
				t.Errorf("plain %v: enabled %v", plain, c.Enabled())
			}
			name := "Entwürfe & mehr/日本"
			must(t, c.Create(name, imap.UseDrafts))
			must(t, c.Subscribe(name))
			list := must(t, c.List(imap.List{Patterns: []string{"Entw*"}, Subscribed: true, ReturnStatus: []string{imap.StatusMessages}}))
			if len(list) != 1 || list[0].Name != name || !list[0].Has(imap.Subscribed) || list[0].Status == nil {
				t.Errorf("LIST: %+v", list)
			}
			must(t, c.Unsubscribe(name))
			must(t, c.Rename(name, "other"))
			st := must(t, c.MailboxStatus("INBOX", imap.StatusMessages, imap.StatusUIDNext, imap.StatusUnseen))
			if st.Messages != 2 || st.UIDNext < 3 || st.Unseen != 2 {
				t.Errorf("STATUS: %+v", st)
			}
			must(t, c.Delete("other"))
			must(t, c.Delete("Entwürfe & mehr"))
			if _, err := c.Delete("other").Wait(t.Context()); !errors.Is(err, imap.ErrNonExistent) || c.Broken() {
				t.Errorf("DELETE of what is not there: %v", err)
			}
			if ns := must(t, c.Namespace()); len(ns.Personal) != 1 {
				t.Errorf("NAMESPACE: %+v", ns)
			}
			if id := must(t, c.ID([]imap.Param{{Name: "name", Value: "test"}})); len(id) == 0 {
				t.Error("ID: nothing")
			}
			must(t, c.QuotaRoot("INBOX"))
			must(t, c.Noop())
			if err := c.Logout(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestClientClose(t *testing.T) {
	far(t, imaptest.Options{Messages: []string{gray, note, parts}}, func(t *testing.T, s *imaptest.Server) {
		c := s.Client(t.Context(), "tcp")
		if g := c.Greeting(); g.Kind != imap.OK {
			t.Errorf("greeting: %+v", g)
		}
		for i, leave := range []func() *imap.Call[imap.Status]{c.Unselect, c.CloseMailbox} {
			must(t, c.Select(imap.Select{Name: "INBOX"}))
			must(t, c.Store(imap.Store{Where: uids(imap.Range{First: 2, Last: 2}), Op: imap.Add, Flags: []imap.Flag{imap.Deleted}}))
			must(t, leave())
			if n := len(s.Messages("INBOX")); c.Selected() != nil || n != 3-i {
				t.Errorf("%d messages are left", n)
			}
		}
	})
}

func TestClientMessages(t *testing.T) {
	far(t, imaptest.Options{Messages: []string{gray, note, parts}}, func(t *testing.T, s *imaptest.Server) {
		ctx, c := t.Context(), s.Client(t.Context(), "tcp")
		// All of these travel together.
		sel := c.Select(imap.Select{Name: "INBOX", CondStore: true})
		found := c.Search(imap.Search{Return: &imap.Return{Count: true, All: true}, Key: imap.Key{Name: "SUBJECT", Text: "meeting"}}, true)
		sorted := c.Sort(imap.Sort{By: []imap.SortKey{{Name: "DATE", Reverse: true}}, Key: imap.Key{Name: "ALL"}}, true)
		threads := c.Thread(imap.ThreadSearch{Algorithm: "ORDEREDSUBJECT", Key: imap.Key{Name: "ALL"}}, true)
		flags := c.Store(imap.Store{Where: uids(imap.Range{First: 1, Last: 1}), Op: imap.Add, Flags: []imap.Flag{imap.Flagged, "$todo"}})
		all := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.ItemFlags, imap.ItemEnvelope, imap.ItemBodyStructure, imap.ItemSize)})
		if got := must(t, all); len(got) != 3 || got[1].Envelope.Subject != "afternoon meeting" || got[2].Structure == nil || !imap.HasFlag(got[0].Flags, "$todo") {
			t.Errorf("FETCH: %+v", got)
		}
		if box := must(t, sel); box.Exists != 3 || box.UIDNext != 4 || box.HighestModSeq == 0 || box.ReadOnly {
			t.Errorf("SELECT: %+v", box)
		}
		if e := must(t, found); e.Count != 2 || e.All.String() != "2:3" {
			t.Errorf("SEARCH: %+v", e)
		}
		if got := must(t, sorted); !slices.Equal(got, []uint32{1, 3, 2}) {
			t.Errorf("SORT: %v", got)
		}
		if got := must(t, threads); len(got) != 2 {
			t.Errorf("THREAD: %v", got)
		}
		if got := must(t, flags); len(got.Messages) != 1 || !imap.HasFlag(got.Messages[0].Flags, imap.Flagged) {
			t.Errorf("STORE: %+v", got)
		}
		old := uint64(1)
		if got := must(t, c.Store(imap.Store{Where: uids(imap.Range{First: 1, Last: 1}), UnchangedSince: &old, Flags: []imap.Flag{imap.Seen}})); got.Modified.String() != "1" {
			t.Errorf("STORE UNCHANGEDSINCE: %+v", got)
		}
		copied := must(t, c.Copy(uids(imap.Range{First: 1, Last: 2}), "INBOX"))
		if copied.Dest.Count() != 2 {
			t.Errorf("COPY: %+v", copied)
		}
		must(t, c.Create("Old"))
		if moved := must(t, c.Move(imap.Where{UID: true, Set: copied.Dest}, "Old")); moved.Dest.Count() != 2 {
			t.Errorf("MOVE: %+v", moved)
		}
		must(t, c.Store(imap.Store{Where: uids(imap.Range{First: 1, Last: 2}), Op: imap.Add, Silent: true, Flags: []imap.Flag{imap.Deleted}}))
		must(t, c.ExpungeUIDs(imap.One(1)))
		must(t, c.Expunge())
		if n := c.Selected().Exists; n != 1 {
			t.Errorf("%d messages are left", n)
		}
		must(t, c.Unselect())
		if c.Selected() != nil {
			t.Error("still selected")
		}
		if err := c.Logout(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestClientStreams: a body is read from the stream; what is not read is
// dropped; a loop that is left leaves the session usable.
func TestClientStreams(t *testing.T) {
	large := "Subject: large\n\n" + strings.Repeat("0123456789abcde\n", 5_000)
	far(t, imaptest.Options{Messages: []string{large, note, large}}, func(t *testing.T, s *imaptest.Server) {
		ctx, c := t.Context(), s.Client(t.Context(), "starttls")
		if err := c.Compress(ctx); err != nil {
			t.Fatal(err)
		}
		must(t, c.Select(imap.Select{Name: "INBOX"}))
		want := s.Messages("INBOX")
		f := imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.BodySection, imap.ItemSize)}
		n := 0
		for m, err := range c.Fetch(ctx, f) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Noop().Wait(ctx); !errors.Is(err, imap.ErrBusy) {
				t.Errorf("within the loop: %v", err)
			}
			if n++; n == 2 {
				continue
			}
			p, err := m.Next()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(p)
			if err != nil || string(text) != want[n-1] || p.Size != int64(len(text)) {
				t.Errorf("message %d: %d octets of %d, %v", n, len(text), len(want[n-1]), err)
			}
		}
		if n != 3 {
			t.Errorf("%d messages", n)
		}
		for range c.Fetch(ctx, f) {
			break
		}
		must(t, c.Noop())
		if _, err := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items("NONSENSE")}).Wait(ctx); err == nil || c.Broken() {
			t.Errorf("a nonsensical FETCH: %v", err)
		}
		if err := c.Logout(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestClientAppend(t *testing.T) {
	far(t, imaptest.Options{}, func(t *testing.T, s *imaptest.Server) {
		c := s.Client(t.Context(), "tcp")
		upload := func(text string) imap.Upload {
			return imap.Upload{NewMessage: imap.NewMessage{Size: int64(len(text)), Flags: []imap.Flag{imap.Seen}}, Body: strings.NewReader(text)}
		}
		one, two := "A: b\r\n\r\nc\r\n", "A: b\r\n\r\n"+strings.Repeat("d\r\n", 10_000)
		if got := must(t, c.Append("INBOX", upload(one), upload(two))); got.UIDs.Count() != 2 {
			t.Errorf("APPENDUID %+v", got)
		}
		if got := s.Wait(t.Context(), "INBOX", 2); !slices.Equal(got, []string{one, two}) {
			t.Errorf("%d messages", len(got))
		}
		if _, err := c.Append("missing", upload(one)).Wait(t.Context()); !errors.Is(err, imap.Status{Kind: imap.NO, Code: imap.Code{Name: imap.CodeTryCreate}}) || c.Broken() {
			t.Errorf("to a mailbox that is not there: %v", err)
		}
		short := upload(one)
		short.Size++
		if _, err := c.Append("INBOX", short).Wait(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) || !c.Broken() {
			t.Errorf("a message that is too short: %v", err)
		}
		if n := len(s.Messages("INBOX")); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestClientArguments: whatever stands in an argument, it begins no other
// command.
func TestClientArguments(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{})
	c := s.Client(t.Context(), "tcp")
	must(t, c.Select(imap.Select{Name: "INBOX"}))
	evil := "x\r\nA99 DELETE INBOX\r\n"
	for name, err := range map[string]error{
		"flag":   second(c.Store(imap.Store{Where: uids(imap.Range{First: 1}), Flags: []imap.Flag{imap.Flag(evil)}}).Wait(t.Context())),
		"item":   second(c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(evil)}).Wait(t.Context())),
		"status": second(c.MailboxStatus("INBOX", evil).Wait(t.Context())),
		"enable": second(c.Enable(evil).Wait(t.Context())),
	} {
		if !errors.Is(err, wire.ErrBreak) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"mailbox": second(c.MailboxStatus(evil, imap.StatusMessages).Wait(t.Context())),
		"subject": second(c.Search(imap.Search{Key: imap.Key{Name: "SUBJECT", Text: evil}}, true).Wait(t.Context())),
	} {
		if _, ok := errors.AsType[imap.Status](err); err != nil && !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, c.Noop())
}

func second[T any](_ T, err error) error { return err }

func TestClientLogins(t *testing.T) {
	mechanisms := []string{
		"", imap.MechanismLOGIN, auth.LOGIN, auth.CRAMMD5, auth.SCRAMSHA256, auth.SCRAMSHA256PLUS,
	}
	for _, scheme := range []string{"starttls", "tls"} {
		far(t, imaptest.Options{Implicit: scheme == "tls"}, func(t *testing.T, s *imaptest.Server) {
			for _, mechanism := range mechanisms {
				for _, user := range []string{imaptest.User, "nobody"} {
					c, err := imap.Dial(t.Context(), s.Endpoint(scheme), s.Options())
					if err != nil {
						t.Fatal(err)
					}
					err = c.Login(t.Context(), auth.Credentials{User: user, Password: imaptest.Password, Mechanism: mechanism})
					if user == "nobody" && (!errors.Is(err, auth.ErrRefused) || c.Broken()) || user != "nobody" && err != nil {
						t.Errorf("%s as %s: %v", mechanism, user, err)
					}
					if err := c.Logout(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

func TestClientIdle(t *testing.T) {
	far(t, imaptest.Options{}, func(t *testing.T, s *imaptest.Server) {
		c := s.Client(t.Context(), "tcp")
		must(t, c.Select(imap.Select{Name: "INBOX"}))
		idling := make(chan struct{})
		go func() {
			<-idling
			s.Put("INBOX", note)
		}()
		close(idling)
		err := c.Idle(t.Context(), func(r imap.Response) bool { return r.Name != "EXISTS" })
		if err != nil || c.Selected().Exists != 1 {
			t.Errorf("%v, %+v", err, c.Selected())
		}
		must(t, c.Noop())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Idle(ctx, func(imap.Response) bool { return true }); !errors.Is(err, context.Canceled) || c.Broken() {
			t.Errorf("an IDLE that was given up: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		s.Put("INBOX", note)
		err = c.Idle(ctx, func(imap.Response) bool { cancel(); return true })
		if !errors.Is(err, context.Canceled) || c.Broken() {
			t.Errorf("an IDLE that was cancelled: %v", err)
		}
		must(t, c.Noop())
	})
}

// TestClientCancel: a call that was cut short leaves nothing but Close.
func TestClientCancel(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Messages: []string{note}})
	c := s.Client(t.Context(), "tcp")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Noop().Wait(ctx); !errors.Is(err, context.Canceled) || !c.Broken() {
		t.Errorf("%v", err)
	}
	if _, err := c.Noop().Wait(t.Context()); !errors.Is(err, conv.ErrBroken) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestClientWindow: many commands at once are answered each, whatever the
// window.
func TestClientWindow(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Messages: []string{gray}})
	for _, window := range []int{0, 1, 3, 1000} {
		o := s.Options()
		o.Window = window
		c, err := imap.Dial(t.Context(), s.Endpoint("tcp"), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Login(t.Context(), auth.Credentials{User: imaptest.User, Password: imaptest.Password}); err != nil {
			t.Fatal(err)
		}
		var calls []*imap.Call[imap.StatusReply]
		for i := range 500 {
			name := "INBOX"
			if i%2 == 1 {
				name = fmt.Sprint("none", i)
			}
			calls = append(calls, c.MailboxStatus(name, imap.StatusMessages))
		}
		for i, k := range calls {
			st, err := k.Wait(t.Context())
			if odd := i%2 == 1; odd != errors.Is(err, imap.ErrNonExistent) || !odd && st.Messages != 1 {
				t.Fatalf("window %d, command %d: %+v, %v", window, i, st, err)
			}
		}
		if err := c.Logout(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
