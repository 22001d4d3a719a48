package nntp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/nntp/nntptest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
	"github.com/farend-go/farend/store/memstore"
)

// counting is an engine whose Updates are counted, or fail.
type counting struct {
	store.Engine
	updates atomic.Int64
	fail    atomic.Bool
}

func (c *counting) Update(ctx context.Context, f func(store.Writer) error) error {
	c.updates.Add(1)
	if c.fail.Load() {
		return errors.New("no disk")
	}
	return c.Engine.Update(ctx, f)
}

// flight says all of something before a server begins to read it, and gives what
// it answers.
func flight(t *testing.T, e store.Engine, said string) string {
	t.Helper()
	s := newsgroup.New(e, newsgroup.Options{Host: "news.example"})
	ours, theirs := transcript.Pipe()
	if _, err := io.WriteString(ours, strings.ReplaceAll(said, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := ours.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	srv := &server.Server{Handler: &nntp.Handler{Backend: &news.Backend{Store: s}, Host: "news.example"}}
	if err := srv.Serve(t.Context(), transcript.Once(theirs)); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(ours)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(heard), "\r\n", "\n")
}

func takeThis(id, groups string) string {
	return "TAKETHIS " + id + "\n" + nntptest.Article(id, groups, "s", "x\n") + ".\n"
}

// disks runs a test over each engine, with two groups in it.
func disks(t *testing.T, f func(t *testing.T, c *counting, s *newsgroup.Store)) {
	disk, err := diskstore.Open(t.TempDir(), diskstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]store.Engine{"memory": memstore.New(memstore.Options{}), "disk": disk} {
		t.Run(name, func(t *testing.T) {
			defer e.Close()
			c := &counting{Engine: e}
			s := newsgroup.New(c, newsgroup.Options{})
			for _, name := range []string{"local.a", "local.b"} {
				if err := s.Create(t.Context(), newsgroup.NewGroup{Name: name}); err != nil {
					t.Fatal(err)
				}
			}
			c.updates.Store(0)
			f(t, c, s)
		})
	}
}

// TestAFlightIsOneUpdate sends articles that lie in the server's buffer together:
// each has an answer of its own, and they become durable at once.
func TestAFlightIsOneUpdate(t *testing.T) {
	disks(t, func(t *testing.T, c *counting, s *newsgroup.Store) {
		got := flight(t, c, takeThis("<1@x>", "local.a")+takeThis("<1@x>", "local.a")+takeThis("<2@x>", "local.b,local.a")+
			"TAKETHIS <bad@x>\nSubject: s\n\n.\n"+"CHECK <1@x.other>\nCHECK <new@x>\n"+takeThis("<none@x>", "none.such")+takeThis("<3@x>", "local.a")+"QUIT\n")
		want := "200 NNTP server ready, posting allowed\n239 <1@x>\n439 <1@x>\n239 <2@x>\n439 <bad@x>\n238 <1@x.other>\n238 <new@x>\n439 <none@x>\n239 <3@x>\n205 Goodbye\n"
		if got != want {
			t.Errorf("%s", got)
		}
		if n := c.updates.Load(); n != 1 {
			t.Errorf("%d updates", n)
		}
		for id, want := range map[string][]newsgroup.Place{
			"<1@x>": {{Group: "local.a", Number: 1}}, "<2@x>": {{Group: "local.b", Number: 1}, {Group: "local.a", Number: 2}}, "<3@x>": {{Group: "local.a", Number: 3}},
		} {
			a, err := s.ByID(t.Context(), id)
			if err != nil || len(a.Places()) != len(want) {
				t.Fatalf("%s: %v, %v", id, a.Places(), err)
			}
			for i, p := range a.Places() {
				if p != want[i] {
					t.Errorf("%s: %v", id, a.Places())
				}
			}
		}
	})
}

// TestCheckInAFlight asks for an article that is under way in the same flight.
func TestCheckInAFlight(t *testing.T) {
	disks(t, func(t *testing.T, c *counting, _ *newsgroup.Store) {
		got := flight(t, c, takeThis("<1@x>", "local.a")+takeThis("<2@x>", "local.a")+"CHECK <1@x>\nCHECK <3@x>\n"+
			takeThis("<3@x>", "local.b")+takeThis("<3@x>", "local.b")+"QUIT\n")
		if want := "200 NNTP server ready, posting allowed\n239 <1@x>\n239 <2@x>\n438 <1@x>\n238 <3@x>\n239 <3@x>\n439 <3@x>\n205 Goodbye\n"; got != want {
			t.Errorf("%s", got)
		}
	})
}

// TestNoCommandBehindAFlight has a line behind an article that is nearly a CHECK:
// Unicode's K folds to k, and is none.
func TestNoCommandBehindAFlight(t *testing.T) {
	disks(t, func(t *testing.T, c *counting, _ *newsgroup.Store) {
		got := flight(t, c, takeThis("<1@x>", "local.a")+"CHEC\u212a <2@x>\nQUIT\n")
		if want := "200 NNTP server ready, posting allowed\n239 <1@x>\n500 Command not understood\n205 Goodbye\n"; got != want {
			t.Errorf("%s", got)
		}
	})
}

// TestAFlightThatFails has nothing of it acknowledged, and nothing there.
func TestAFlightThatFails(t *testing.T) {
	disks(t, func(t *testing.T, c *counting, s *newsgroup.Store) {
		c.fail.Store(true)
		got := flight(t, c, "TAKETHIS <bad@x>\n\n.\n"+takeThis("<1@x>", "local.a")+takeThis("<2@x>", "local.a")+"QUIT\n")
		if want := "200 NNTP server ready, posting allowed\n439 <bad@x>\n400 That cannot be done now\n"; got != want {
			t.Errorf("%s", got)
		}
		if g, err := s.Group(t.Context(), "local.a"); err != nil || g.Count != 0 {
			t.Error(g, err)
		}
	})
}

// TestATranscriptHasTheCommands before the articles, whatever storage those need.
func TestATranscriptHasTheCommands(t *testing.T) {
	var said bytes.Buffer
	r := transcript.NewRecorder(&said, transcript.Text, transcript.ServerSide, "feed")
	s := nntptest.New(t, nntptest.Options{Server: func(s *server.Server) {
		s.Tap = func(*server.Talk) conv.Tap { return r }
	}})
	nc, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	talk := takeThis("<1@x>", nntptest.Group) + takeThis("<2@x>", nntptest.Group) + takeThis("<3@x>", nntptest.Group) + "QUIT\n"
	if _, err := io.WriteString(nc, strings.ReplaceAll(talk, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(nc); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"C: TAKETHIS <1@x>", "C: TAKETHIS <2@x>", "C: TAKETHIS <3@x>", "S: 239 <3@x>"} {
		if !strings.Contains(said.String(), line) {
			t.Errorf("%q is not in the transcript:\n%s", line, said.String())
		}
	}
}
