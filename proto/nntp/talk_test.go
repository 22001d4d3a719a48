package nntp_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/nntp/nntptest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store/memstore"
)

// logins let fred in.
func logins() *auth.Authenticator {
	users := &auth.Users{Secrets: map[string]auth.Secret{"fred": auth.Clear("flintstone")}}
	return &auth.Authenticator{Accounts: users, Delay: -1}
}

// fixture is the news of RFC 3977's examples, with smaller numbers: misc.test
// has 1, 3 and 4, of which 3 is in another group too.
func fixture(t testing.TB, logins *auth.Authenticator) *nntp.Handler {
	ctx := context.Background()
	e := memstore.New(memstore.Options{})
	t.Cleanup(func() { e.Close() })
	s := newsgroup.New(e, newsgroup.Options{Host: "news.example"})
	for _, g := range []newsgroup.NewGroup{
		{Name: "misc.test", Description: "General Usenet testing", Creator: "<moose@alces.example>"},
		{Name: "alt.rfc-writers.recovery", Status: newsgroup.Moderated},
		{Name: "example.empty", Status: newsgroup.ReadOnly, Description: "Empty"},
		{Name: "control.cancel"},
	} {
		if err := s.Create(ctx, g); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		nntptest.Article("<45223423@example.com>", "misc.test", "I am just a test article", "This is just a test article.\n.dot\n"),
		nntptest.Article("<gone@example.com>", "misc.test", "gone", "gone\n"),
		nntptest.Article("<668929@example.org>", "misc.test,alt.rfc-writers.recovery", "Re: I am", "Yes.\n"),
		nntptest.Article("<i.am.a.test.article@example.com>", "misc.test", "last", ""),
	} {
		text = strings.Replace(text, "Subject: Re", "Approved: ann@far.example\nReferences: <45223423@example.com>\nSubject: Re", 1)
		d, err := s.NewDraft(ctx, -1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(d, strings.ReplaceAll(text, "\n", "\r\n"))
		if err == nil {
			_, err = s.Add(ctx, d, newsgroup.Arrival{})
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	if err := s.Cancel(ctx, "<gone@example.com>"); err != nil {
		t.Fatal(err)
	}
	h := &nntp.Handler{
		Backend: &news.Backend{Store: s}, Auth: logins, Host: "news.example",
		Lists: map[string][]string{"MOTD": {"Attention all users,", "", "This server will be down."}, "SUBSCRIPTIONS": {"misc.test", "example.empty"}},
		Access: func(p nntp.Peer) nntp.Rights {
			in := p.User != ""
			return nntp.Rights{Read: true, Post: in, Feed: in}
		},
	}
	nntp.SetClock(h, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	return h
}

func TestTranscripts(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			t.Parallel()
			in := logins()
			reads := fixture(t, in)
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				h := reads
				if strings.HasPrefix(script.Name, "post") { // what it posts must be new each time
					h = fixture(t, in)
				}
				srv := &server.Server{Handler: h}
				return srv.Serve(ctx, transcript.Once(nc))
			})
		})
	}
}

// TestLongTranscripts plays them once, over a socket, on each engine.
func TestLongTranscripts(t *testing.T) {
	for name, engine := range engines {
		for _, script := range servertest.Scripts(t, "testdata/talk/*.txt", "testdata/whole/*.txt") {
			t.Run(name+"/"+script.Name, func(t *testing.T) {
				t.Parallel()
				addr := servertest.Serve(t, &server.Server{Handler: fixture(t, logins()), Engine: engine()})
				servertest.Play(t, addr, script)
			})
		}
	}
}

// client plays the server of a talk at a client.
func client(t *testing.T, talk string, o nntp.Options, do func(ctx context.Context, c *nntp.Client) error) {
	t.Helper()
	script, err := transcript.Parse(t.Name(), talk)
	if err != nil {
		t.Fatal(err)
	}
	transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
		c, err := nntp.NewClient(ctx, conv.New(nc, conv.Options{}), o)
		if err != nil {
			return err
		}
		defer c.Close()
		return do(ctx, c)
	})
}

// scriptsOf is what the client says in each talk.
func scriptsOf(tb testing.TB) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, script := range servertest.Scripts(tb, "testdata/talk/*.txt", "testdata/whole/*.txt") {
		said, err := script.Said(transcript.ClientSide)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, said)
	}
	return out
}
