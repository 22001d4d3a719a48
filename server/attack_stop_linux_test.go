package server_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// startOne is start on an engine with one loop, where what one talk does to
// another shows.
func startOne(t *testing.T, k kind, srv *server.Server) *running {
	t.Helper()
	srv.Engine = k.newEngine(1)
	if k.tls {
		srv.TLS = testcert.Server(t)
	}
	l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t, k, srv, l.Addr(), cancel, make(chan error, 1)}
	go func() { r.done <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		r.wait()
	})
	return r
}

// overTCP runs a test over all kinds but those of Unix sockets.
func overTCP(t *testing.T, f func(t *testing.T, k kind)) {
	for _, k := range kinds() {
		if k.network == "tcp" {
			t.Run(k.String(), func(t *testing.T) { f(t, k) })
		}
	}
}

// stopAndSee stops r and returns when c, which waits, has been told goodbye: by
// then every talk that began before c's has been looked at.
func stopAndSee(r *running, c *client) {
	r.stop()
	c.expect("* goodbye")
	c.end()
}

// ended checks that Serve returns without the help of Limits.Drain.
func (r *running) ended() {
	r.t.Helper()
	if err := r.wait(); err != nil {
		r.t.Error(err)
	}
	if c := r.srv.Counters(); c.Active != 0 || c.Errors["cut"] != 0 {
		r.t.Errorf("after Serve: %+v", c)
	}
}

// A Turn in flight when the server stops is finished, and then the peer is told
// goodbye, whoever ran the Turn.
func TestGoodbyeAfterTheTurnInFlight(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		if k.mode == server.Inline {
			t.Skip("an inline Turn is never in flight while others run")
		}
		h := &liner{mode: k.mode, block: make(chan struct{}), holding: make(chan struct{})}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Drain: time.Hour}})
		busy := r.client()
		busy.expect("+ hello")
		if k.mode == server.Blocks {
			busy.say("HOLD\r\n")
			<-h.holding
		} else {
			busy.say("SAY\r\nBODY\r\nabc\r\n")
			busy.expect("+ ")
			eventually(t, "the Turn runs", func() bool { return r.srv.Counters().Turns == 2 })
		}
		idle := r.client()
		idle.expect("+ hello")
		stopAndSee(r, idle)
		if k.mode == server.Blocks {
			close(h.block)
			busy.expect("+ held")
		} else {
			busy.say(".\r\n")
			busy.expect("+ 5")
		}
		busy.expect("* goodbye")
		busy.end()
		r.ended()
	})
}

// A peer that reads late when the server stops gets everything, and a goodbye.
func TestGoodbyeAfterWhatIsHeld(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		h := &closing{Handler: &flooder{mode: k.mode}, ended: make(chan error, 2)}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Held: 64 << 20, Drain: time.Hour}})
		busy := r.client()
		busy.say("x")
		if n, err := io.CopyN(io.Discard, busy.r, 1); n != 1 || err != nil {
			t.Fatal(err)
		}
		idle := r.client()
		idle.say("")
		eventually(t, "both talk", func() bool { return r.srv.Counters().Active == 2 })
		r.stop()
		idle.expect("* goodbye")
		all, err := io.ReadAll(busy.r)
		if want := 16<<20 - 1 + len("* goodbye\r\n"); err != nil || len(all) != want || !strings.HasSuffix(string(all), "* goodbye\r\n") {
			t.Errorf("%d bytes of %d, %v, which end with %q", len(all), want, err, all[max(0, len(all)-20):])
		}
		r.ended()
	})
}

// flooder is flood with more than a socket holds, and a goodbye.
type flooder struct{ mode server.Mode }

func (h *flooder) Mode() server.Mode { return h.mode }
func (h *flooder) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &flooderSession{floodSession{t: t}}, nil
}

type flooderSession struct{ floodSession }

func (s *flooderSession) Turn(ctx context.Context) error {
	for i := range 16 {
		if i > 0 {
			if _, err := s.t.W.Write(mib); err != nil {
				return err
			}
		} else if err := s.floodSession.Turn(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *closeSession) Farewell(ctx context.Context) {
	if f, ok := s.Session.(server.Farewell); ok {
		f.Farewell(ctx)
	}
}

func (s *flooderSession) Farewell(context.Context) { _ = s.t.W.LineString("* goodbye") }

// A peer that never stops asking does not keep a server that must stop.
func TestFloodDoesNotOutlastTheDrain(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		r := startOne(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{Drain: 20 * time.Millisecond}})
		c := r.client()
		c.expect("+ hello")
		var wg sync.WaitGroup
		defer wg.Wait()
		defer c.Close()
		wg.Go(func() {
			all := strings.Repeat("SAY on and on\r\n", 2000)
			for {
				if _, err := io.WriteString(c, all); err != nil {
					return
				}
			}
		})
		wg.Go(func() { _, _ = io.Copy(io.Discard, c.r) })
		eventually(t, "it floods", func() bool { return r.srv.Counters().Turns > 5000 })
		r.stop()
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}

// A goodbye that panics ends one talk, like any other panic.
func TestFarewellPanics(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		h := &panicky{liner: liner{mode: k.mode}}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Drain: time.Hour}})
		for range 3 {
			r.client().expect("+ hello")
		}
		r.stop()
		if err := r.wait(); err != nil {
			t.Error(err)
		}
		if c := r.srv.Counters(); c.Errors["panic"] != 3 || c.Active != 0 {
			t.Errorf("%+v", c)
		}
	})
}

type panicky struct{ liner }

func (h *panicky) Open(ctx context.Context, t *server.Talk) (server.Session, error) {
	s, err := h.liner.Open(ctx, t)
	return &panickySession{s.(*lineSession)}, err
}

type panickySession struct{ *lineSession }

func (s *panickySession) Farewell(context.Context) { panic("no goodbye") }

// The Close of a session that may block does not hold others up.
func TestCloseThatBlocksStallsNobody(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		if k.mode != server.Blocks {
			t.Skip("the mode promises not to block")
		}
		h := &stuck{liner: liner{mode: k.mode}, block: make(chan struct{}), in: make(chan struct{}, 2)}
		r := startOne(t, k, &server.Server{Handler: h})
		gone, there := r.client(), r.client()
		gone.expect("+ hello")
		there.expect("+ hello")
		gone.Close()
		<-h.in
		defer close(h.block)
		there.say("SAY still\r\n")
		there.expect("+ still")
	})
}

type stuck struct {
	liner
	block, in chan struct{}
}

func (h *stuck) Open(ctx context.Context, t *server.Talk) (server.Session, error) {
	s, err := h.liner.Open(ctx, t)
	return &stuckSession{s.(*lineSession), h}, err
}

type stuckSession struct {
	*lineSession
	h *stuck
}

func (s *stuckSession) Close(error) error {
	s.h.in <- struct{}{}
	<-s.h.block
	return nil
}

// What came before the server stops is answered, also what the kernel still
// holds because the peer reads late.
func TestAnswersToWhatCameBeforeTheStop(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		r := startOne(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{Held: 64 << 20, Drain: time.Hour}})
		busy := r.client()
		busy.expect("+ hello")
		busy.say(strings.Repeat("MANY\r\n", 60) + strings.Repeat("SAY so\r\n", 4000) + "SAY last\r\n")
		busy.expect(strings.Repeat("x", 80))
		idle := r.client()
		idle.expect("+ hello")
		stopAndSee(r, idle)
		all, err := io.ReadAll(busy.r)
		if end := "+ last\r\n* goodbye\r\n"; err != nil || !strings.HasSuffix(string(all), end) {
			t.Errorf("%d bytes, %v, which end with %q", len(all), err, all[max(0, len(all)-40):])
		}
		r.ended()
	})
}

// What a peer sends behind its last request does not cost it the answers.
func TestLastWordsBeforeAReset(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		r := startOne(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		c := r.client()
		c.expect("+ hello")
		c.say(strings.Repeat("MANY\r\n", 8) + "QUIT\r\n" + strings.Repeat("more that nobody asked for\r\n", 3000))
		if all, err := io.ReadAll(c.r); err != nil || !strings.HasSuffix(string(all), "+ bye\r\n") {
			t.Errorf("%d bytes, %v, which end with %q", len(all), err, all[max(0, len(all)-20):])
		}
	})
}
