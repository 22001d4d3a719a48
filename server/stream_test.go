package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// streams is every way to run a function in the shape of handle().
func overStreams(t *testing.T, f func(t *testing.T, k kind, make func(func(context.Context, net.Conn) error) server.Handler)) {
	for _, k := range kinds() {
		switch k.mode {
		case server.Blocks:
			t.Run("stream/"+k.String(), func(t *testing.T) { f(t, k, server.Stream) })
		case server.Waits:
			t.Run("coroutine/"+k.String(), func(t *testing.T) { f(t, k, server.Coroutine) })
		}
	}
}

func echo(_ context.Context, c net.Conn) error {
	buf := make([]byte, 1000)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func TestStreamEcho(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		r := start(t, k, &server.Server{Handler: handler(echo)})
		c := r.dial()
		want := make([]byte, 1<<20)
		for i := range want {
			want[i] = byte(i * i >> 3)
		}
		go func() {
			_, _ = c.Write(want)
			if half, ok := c.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		}()
		got, err := io.ReadAll(c)
		if err != nil || string(got) != string(want) {
			t.Errorf("%d bytes came back of %d, %v", len(got), len(want), err)
		}
	})
}

func TestStreamSpeaksFirst(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		r := start(t, k, &server.Server{Handler: handler(func(_ context.Context, c net.Conn) error {
			_, err := io.WriteString(c, "hello\r\n")
			return err
		})})
		c := r.client()
		c.expect("hello")
		c.end()
	})
}

func TestStreamStopsWhileItWaits(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		ended := make(chan error, 1)
		r := start(t, k, &server.Server{Handler: handler(func(ctx context.Context, c net.Conn) error {
			_, _ = io.WriteString(c, "hello\r\n")
			_, err := c.Read(make([]byte, 10))
			ended <- err
			return err
		})})
		c := r.client()
		c.expect("hello")
		r.stop()
		if err := <-ended; !errors.Is(err, server.ErrStopping) {
			t.Errorf("Read ended with %v", err)
		}
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestStreamIdle(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		ended := make(chan error, 1)
		start(t, k, &server.Server{
			Limits: server.Limits{Idle: 100 * time.Millisecond},
			Handler: handler(func(ctx context.Context, c net.Conn) error {
				_, err := c.Read(make([]byte, 10))
				ended <- err
				return err
			}),
		}).dial()
		if k.tls {
			return // the client of this test does not shake hands before it writes
		}
		if err := <-ended; !errors.Is(err, server.ErrIdle) {
			t.Errorf("Read ended with %v", err)
		}
	})
}

func TestStreamDeadlineOfItsOwn(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		r := start(t, k, &server.Server{Handler: handler(func(ctx context.Context, c net.Conn) error {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			_, err := c.Read(make([]byte, 10))
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("Read ended with %v", err)
			}
			_ = c.SetReadDeadline(time.Time{})
			_, err = io.WriteString(c, "late\r\n")
			return err
		})})
		c := r.client()
		c.expect("late")
		c.end()
	})
}

// A server with room for one talk is Python's default server: the second
// client waits behind the first, in the backlog.
func TestTutorial66_OneClientAtATime(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{Talks: 1}})
		first := r.client()
		first.expect("+ hello")
		second := r.client()
		if !k.tls {
			second.say("SAY mine\r\n")
		}
		first.say("SAY yours\r\n")
		first.expect("+ yours")
		if n := r.srv.Counters().Active; n != 1 {
			t.Errorf("%d talks at once", n)
		}
		first.Close()
		second.expect("+ hello")
		if k.tls {
			second.say("SAY mine\r\n")
		}
		second.expect("+ mine")
	})
}

func TestPerPeer(t *testing.T) {
	overSome(t, func(k kind) bool { return k.network == "tcp" }, func(t *testing.T, k kind) { // a Unix socket's peers have no address
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{PerPeer: 2}})
		a := r.client()
		a.expect("+ hello")
		b := r.client()
		b.expect("+ hello")
		c := r.client() // waits; nobody says in which order those who wait are let in
		other := r.from("127.0.0.2")
		other.expect("+ hello") // another address is not held up
		eventually(t, "one is delayed", func() bool { return r.srv.Counters().Delayed == 1 })
		a.Close()
		c.expect("+ hello")
	})
}

func TestStopWithWaitersOverLimit(t *testing.T) {
	overSome(t, func(k kind) bool { return k.network == "tcp" && !k.tls }, func(t *testing.T, k kind) { // the limit is the same one
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}, Limits: server.Limits{PerPeer: 1, Talks: 2}})
		a := r.client()
		a.expect("+ hello")
		for range 4 {
			r.dial()
		}
		for r.srv.Counters().Delayed == 0 {
			a.say("SAY on\r\n")
			a.expect("+ on")
		}
		r.stop()
		if err := r.wait(); err != nil {
			t.Error(err)
		}
		if n := r.srv.Counters().Active; n != 0 {
			t.Errorf("%d talks are left", n)
		}
	})
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	l, err := server.Listen(t.Context(), "unix:"+path, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Listen(t.Context(), "unix:"+path, server.ListenConfig{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a live socket was answered with %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	l, err = server.Listen(t.Context(), "unix:"+path, server.ListenConfig{})
	if err != nil {
		t.Errorf("a stale socket was not replaced: %v", err)
	}
	l.Close()
}

// hooked writes down the order of a session's methods, which are the heirs of
// setup, handle and finish.
type hooked struct {
	mode  server.Mode
	order chan string
}

func (h *hooked) Mode() server.Mode { return h.mode }

func (h *hooked) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	if a := t.RemoteAddr(); a == nil || a.String() == "" {
		h.order <- "no client address"
	}
	h.order <- "setup"
	return &hookSession{h, t}, nil
}

type hookSession struct {
	h *hooked
	t *server.Talk
}

func (s *hookSession) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	s.h.order <- "handle"
	if string(line) == "PANIC" {
		panic("asked for")
	}
	return io.EOF
}

func (s *hookSession) Close(error) error {
	s.h.order <- "finish"
	return nil
}

func TestTutorial62_SetupHandleFinish(t *testing.T) {
	overSome(t, kind.inClear, func(t *testing.T, k kind) {
		for _, line := range []string{"HELLO\r\n", "PANIC\r\n"} {
			h := &hooked{k.mode, make(chan string, 10)}
			r := start(t, k, &server.Server{Handler: h})
			r.client().say(line)
			for _, want := range []string{"setup", "handle", "finish"} {
				if got := <-h.order; got != want {
					t.Fatalf("after %q came %q, not %q", line, got, want)
				}
			}
		}
	})
}

// The listener goes on listening while connections are served.
func TestTutorial37_TwoClientsAtOnce(t *testing.T) {
	overAll(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		a, b := r.client(), r.client()
		b.expect("+ hello")
		a.expect("+ hello")
		a.say("SAY a\r\n")
		b.say("SAY b\r\n")
		b.expect("+ b")
		a.expect("+ a")
	})
}
