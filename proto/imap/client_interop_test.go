//go:build interop

package imap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/imap"
)

func TestTutorial76_OurClientAtDovecot(t *testing.T) {
	d := foreign.NewDovecot(t, "imap")
	plain, roots := d.Clear, d.Roots
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, endpoint := range []string{"tcp:" + plain, "starttls:" + plain, "tls:" + d.Secure} {
		for _, mechanism := range []string{"", imap.MechanismLOGIN, auth.PLAIN, auth.CRAMMD5, auth.SCRAMSHA256} {
			c := atDovecot(ctx, t, endpoint, mechanism, roots)
			if err := c.Logout(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	c := atDovecot(ctx, t, "starttls:"+plain, "", roots)
	defer c.Close()
	if caps, err := c.Capabilities(ctx); err != nil || caps.Has("COMPRESS=DEFLATE") && c.Compress(ctx) != nil { // a plugin of dovecot's
		t.Errorf("COMPRESS: %v", err)
	}
	must(t, c.Enable("QRESYNC"))
	name := "Entwürfe & mehr"
	must(t, c.Create(name))
	must(t, c.Subscribe(name))
	if list := must(t, c.List(imap.List{Patterns: []string{"*"}, ReturnStatus: []string{imap.StatusMessages}})); len(list) != 2 || list[0].Status == nil {
		t.Errorf("LIST: %+v", list)
	}
	upload := func(text string) imap.Upload {
		text = strings.ReplaceAll(text, "\n", "\r\n")
		return imap.Upload{NewMessage: imap.NewMessage{Size: int64(len(text))}, Body: strings.NewReader(text)}
	}
	if got := must(t, c.Append("INBOX", upload(gray), upload(note), upload(parts))); got.UIDs.Count() != 3 {
		t.Errorf("APPEND: %+v", got)
	}
	box := must(t, c.Select(imap.Select{Name: "INBOX"}))
	if box.Exists != 3 || box.HighestModSeq == 0 {
		t.Errorf("SELECT: %+v", box)
	}
	found := c.Search(imap.Search{Return: &imap.Return{Count: true, All: true}, Key: imap.Key{Name: "SUBJECT", Text: "meeting"}}, true)
	sorted := c.Sort(imap.Sort{By: []imap.SortKey{{Name: "DATE"}}, Key: imap.Key{Name: "ALL"}}, true)
	threads := c.Thread(imap.ThreadSearch{Algorithm: "REFERENCES", Key: imap.Key{Name: "ALL"}}, true)
	all := c.FetchAll(imap.Fetch{Where: uids(imap.Range{First: 1}), Items: items(imap.ItemFlags, imap.ItemEnvelope, imap.ItemBodyStructure, imap.ItemSize, imap.BodySection)})
	copied := c.Copy(uids(imap.Range{First: 1, Last: 2}), name)
	if got := must(t, all); len(got) != 3 || got[1].Envelope.Subject != "afternoon meeting" || int64(len(got[0].Pieces[0].Data)) != got[0].Size {
		t.Errorf("FETCH: %+v", got)
	}
	if e := must(t, found); e.Count != 2 || e.All.String() != "2:3" {
		t.Errorf("SEARCH: %+v", e)
	}
	if got, trees := must(t, sorted), must(t, threads); len(got) != 3 || len(trees) == 0 {
		t.Errorf("SORT: %v, THREAD: %v", got, trees)
	}
	if got := must(t, copied); got.Dest.Count() != 2 {
		t.Errorf("COPY: %+v", got)
	}
	must(t, c.Store(imap.Store{Where: uids(imap.Range{First: 1, Last: 1}), Op: imap.Add, Flags: []imap.Flag{imap.Deleted}}))
	must(t, c.ExpungeUIDs(imap.One(1)))
	must(t, c.Move(uids(imap.Range{First: 2, Last: 2}), name))
	if n := c.Selected().Exists; n != 1 {
		t.Errorf("%d messages are left", n)
	}
	must(t, c.Unselect())
	again := must(t, c.Select(imap.Select{Name: "INBOX", QResync: &imap.QResync{UIDValidity: box.UIDValidity, ModSeq: box.HighestModSeq}}))
	if again.Vanished.String() != "1:2" {
		t.Errorf("QRESYNC: %+v", again)
	}
	if err := c.Logout(ctx); err != nil {
		t.Error(err)
	}
	watchDovecot(ctx, t, "tls:"+d.Secure, roots, upload)
}

func atDovecot(ctx context.Context, t *testing.T, endpoint, mechanism string, roots *x509.CertPool) *imap.Client {
	t.Helper()
	o := imap.Options{Strict: true}
	o.Dialer.TLS = &tls.Config{RootCAs: roots}
	c, err := imap.Dial(ctx, endpoint, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret", Mechanism: mechanism}); err != nil {
		t.Fatalf("%s by %q: %v", endpoint, mechanism, err)
	}
	return c
}

// watchDovecot has Watchers hear of messages and changes, by each way that
// dovecot has.
func watchDovecot(ctx context.Context, t *testing.T, endpoint string, roots *x509.CertPool, upload func(string) imap.Upload) {
	t.Helper()
	other := atDovecot(ctx, t, endpoint, "", roots)
	defer other.Close()
	for _, w := range []*imap.Watcher{{}, {NoNotify: true}, {Changes: true}, {Changes: true, NoNotify: true}} {
		box := must(t, other.Select(imap.Select{Name: "INBOX"}))
		w.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
		w.From = imap.Mark{UIDValidity: box.UIDValidity, UID: box.UIDNext - 1}
		var last *imap.Client
		w.Dial = func(ctx context.Context) (*imap.Client, error) {
			last = atDovecot(ctx, t, endpoint, "", roots)
			return last, nil
		}
		must(t, other.Append("INBOX", upload("Subject: first\n\nx\n")))
		var got []string
		for n, err := range w.Watch(ctx, "INBOX") {
			if err != nil {
				t.Fatal(err, got, w.Changes, w.NoNotify)
			}
			first := imap.Where{UID: true, Set: imap.One(box.UIDNext)}
			switch {
			case n.Gone != nil:
				got = append(got, "gone "+n.Gone.String())
			case n.Changed && imap.HasFlag(n.Flags, imap.Flagged):
				got = append(got, fmt.Sprintf("flagged %d", n.UID))
				last.Close() // it comes again, and hears what happened meanwhile
				must(t, other.Store(imap.Store{Where: first, Op: imap.Add, Flags: []imap.Flag{imap.Deleted}}))
				must(t, other.ExpungeUIDs(first.Set))
			case n.Changed:
			default:
				got = append(got, n.Envelope.Subject)
			}
			switch len(got) {
			case 1:
				must(t, other.Append("INBOX", upload("Subject: second\n\nx\n")))
			case 2:
				if w.Changes {
					must(t, other.Store(imap.Store{Where: first, Op: imap.Add, Flags: []imap.Flag{imap.Flagged}}))
				}
			}
			if len(got) == 4 || len(got) == 2 && !w.Changes {
				break
			}
		}
		want := []string{"first", "second", fmt.Sprintf("flagged %d", box.UIDNext), fmt.Sprintf("gone %d", box.UIDNext)}
		if !slices.Equal(got, want[:len(got)]) || len(got) < 2 {
			t.Errorf("%+v: %q, want %q", w, got, want)
		}
	}
}
