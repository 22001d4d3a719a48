package nntp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
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

// scripts are the talks of a folder: those that are cut at every byte, or those
// that are played as a whole.
func scripts(t *testing.T, folder string) []*transcript.Script {
	t.Helper()
	all, err := transcript.Files(os.DirFS("testdata/"+folder), "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTranscripts(t *testing.T) {
	for _, script := range scripts(t, "talk") {
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
		for _, script := range append(scripts(t, "talk"), scripts(t, "whole")...) {
			t.Run(name+"/"+script.Name, func(t *testing.T) {
				t.Parallel()
				addr := serve(t, &server.Server{Handler: fixture(t, logins()), Engine: engine()})
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				if err := transcript.Play(t.Context(), nc, script, transcript.ClientSide); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// serve serves until the test has ended.
func serve(t *testing.T, srv *server.Server) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
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
	for _, folder := range []string{"talk", "whole"} {
		all, err := transcript.Files(os.DirFS("testdata/"+folder), "*.txt")
		if err != nil {
			tb.Fatal(err)
		}
		for _, script := range all {
			said, err := script.Said(transcript.ClientSide)
			if err != nil {
				tb.Fatal(err)
			}
			out = append(out, said)
		}
	}
	return out
}

// talk says something to a server, and reads what it answers until it hangs up.
func talk(t *testing.T, srv *server.Server, said []byte) {
	t.Helper()
	ours, theirs := transcript.Pipe()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), transcript.Once(theirs)) }()
	go func() {
		_, _ = ours.Write(said) // it may hang up first
		_ = ours.CloseWrite()
	}()
	_, _ = io.Copy(io.Discard, ours)
	ours.Close()
	if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
