package mail_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/smtp"
)

// TestRecent has the first session that is told of a message see it as \Recent,
// and no other (RFC 3501 section 2.3.2).
func TestRecent(t *testing.T) {
	everywhere(t, mailbox.Options{}, nil, func(t *testing.T, w *world) {
		come := func() {
			t.Helper()
			if err := post(t, w, smtp.Sender{}, "Subject: x\r\n\r\nx\r\n", "ann@x.test"); err != nil {
				t.Fatal(err)
			}
		}
		in := func() *imap.Client {
			t.Helper()
			c, err := imap.Dial(t.Context(), "tcp:"+w.imap, imap.Options{Plain: true})
			if err == nil {
				t.Cleanup(func() { c.Close() })
				err = c.Login(t.Context(), auth.Credentials{User: "ann", Password: "x"})
			}
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first, second := in(), in()
		opened := func(c *imap.Client, open func(imap.Select) *imap.Call[*imap.Selected]) *imap.Selected {
			t.Helper()
			box, err := open(imap.Select{Name: "INBOX"}).Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return box
		}
		come()
		come()
		for _, step := range []struct {
			c    *imap.Client
			open func(imap.Select) *imap.Call[*imap.Selected]
			want string
		}{
			{second, second.Examine, "1:2  1:2 **!!"}, // looks, and takes nothing
			{first, first.Select, "1:2  1:2 **!!"},
			{second, second.Select, " 1:2  "},
			{second, second.Examine, " 1:2  "},
		} {
			if got := recents(t, step.c, opened(step.c, step.open)); got != step.want {
				t.Errorf("%q, want %q", got, step.want)
			}
		}
		come()
		st, err := second.MailboxStatus("INBOX", imap.StatusRecent, imap.StatusMessages).Wait(t.Context())
		if err != nil || st.Recent != 1 || st.Messages != 3 {
			t.Errorf("%+v, %v", st, err)
		}
		if _, err := first.Noop().Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := recents(t, first, first.Selected()); got != "1:3  1:3 ***!!!" {
			t.Errorf("%q", got)
		}
		if got := recents(t, second, opened(second, second.Select)); got != " 1:3  " {
			t.Errorf("%q", got)
		}
	})
}

// recents is what a session has of \Recent: what searches find, stars for flags,
// and exclamation marks for the number that it was told.
func recents(t *testing.T, c *imap.Client, box *imap.Selected) string {
	t.Helper()
	var flagged []string
	for _, name := range []string{"RECENT", "OLD", "NEW"} {
		found, err := c.Search(imap.Search{Key: imap.Key{Name: name}}, true).Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		flagged = append(flagged, found.All.String())
	}
	all := imap.Fetch{Where: imap.Where{UID: true, Set: imap.Set{{First: 1}}}, Items: []imap.FetchItem{{Name: imap.ItemFlags}}}
	fetched, err := c.FetchAll(all).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range fetched {
		if slices.Contains(m.Flags, imap.Recent) {
			n++
		}
	}
	return strings.Join(flagged, " ") + " " + strings.Repeat("*", n) + strings.Repeat("!", int(box.Recent))
}
