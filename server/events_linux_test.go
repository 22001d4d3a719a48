package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// overEngines runs a test over the engines and modes, in clear over TCP.
func overEngines(t *testing.T, f func(t *testing.T, k kind)) {
	overSome(t, kind.inClear, f)
}

func TestPortIsTaken(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		r.client().expect("+ hello") // every loop has its socket by now, or will not change the answer
		if l, err := server.Listen(t.Context(), r.addr.String(), server.ListenConfig{}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener got %v, %v", l, err)
		}
	})
}

func TestPortIsFreeAtOnce(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		c := r.client()
		c.expect("+ hello")
		r.stop()
		if err := r.wait(); err != nil {
			t.Fatal(err)
		}
		l, err := server.Listen(t.Context(), r.addr.String(), server.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	})
}

// A handler that blocks, or that has much to say, holds nobody else up.
func TestSlowHandlersStallNobody(t *testing.T) {
	overSome(t, func(k kind) bool { return k.inClear() && k.mode == server.Blocks }, func(t *testing.T, k kind) { // the mode promises not to block
		h := &blocker{block: make(chan struct{})}
		r := start(t, k, &server.Server{Handler: h})
		for range 40 {
			c := r.client()
			c.say("BLOCK\r\n")
		}
		eventually(t, "all block", func() bool { return r.srv.Counters().Turns == 40 })
		for range 40 {
			c := r.client()
			c.say("SAY\r\n")
			c.expect("+")
		}
		close(h.block)
	})
}

type blocker struct{ block chan struct{} }

func (h *blocker) Mode() server.Mode { return server.Blocks }
func (h *blocker) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &blockSession{h, t}, nil
}

type blockSession struct {
	h *blocker
	t *server.Talk
}

func (s *blockSession) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if string(line) == "BLOCK" {
		<-s.h.block
	}
	return s.t.W.LineString("+")
}

func (s *blockSession) Close(error) error { return nil }

// flood answers each byte with a MiB, inline.
type flood struct{ mode server.Mode }

func (h *flood) Mode() server.Mode { return h.mode }
func (h *flood) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &floodSession{t: t}, nil
}

type floodSession struct {
	server.Anything
	t *server.Talk
}

var mib = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)

func (s *floodSession) Turn(context.Context) error {
	if _, err := s.t.R.ReadByte(); err != nil {
		return err
	}
	_, err := s.t.W.Write(mib)
	return err
}

func (s *floodSession) Close(error) error { return nil }

// A peer that does not read stops being read from, and gets everything when it
// reads at last.
func TestPeerThatDoesNotRead(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		r := start(t, k, &server.Server{Handler: &flood{k.mode}, Limits: server.Limits{Held: 2 << 20}})
		c := r.client()
		const asked = 20
		c.say(strings.Repeat("x", asked))
		other := r.client() // meanwhile others are served
		other.say("x")
		if n, err := io.CopyN(io.Discard, other.r, 1<<20); err != nil {
			t.Fatal(n, err)
		}
		eventually(t, "the turns stop", func() bool {
			before := r.srv.Counters().Turns
			other.say("x")
			if _, err := io.CopyN(io.Discard, other.r, 1<<20); err != nil {
				t.Fatal(err)
			}
			return r.srv.Counters().Turns == before+1
		})
		if out := r.srv.Counters().Out; out >= asked<<20 {
			t.Errorf("%d bytes went to a peer that does not read", out)
		}
		if n, err := io.CopyN(io.Discard, c.r, asked<<20); err != nil {
			t.Errorf("%d of %d bytes came, %v", n, asked<<20, err)
		}
	})
}

// What is held has a limit; a Turn that must not wait fails over it.
func TestHeldIsBounded(t *testing.T) {
	overLoops(t, server.Inline, func(t *testing.T, k kind) {
		h := &closing{Handler: &flood{k.mode}, ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h, Limits: server.Limits{Held: 100 << 10}})
		s, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := socket.SO_RCVBUF.Set(s, 4096); err != nil {
			t.Fatal(err)
		}
		port := r.addr.(*net.TCPAddr).Port
		if err := s.Connect(t.Context(), socket.Pair("127.0.0.1", port)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SendAll(t.Context(), bytes.Repeat([]byte("x"), 64), 0); err != nil {
			t.Fatal(err)
		}
		if why := <-h.ended; !errors.Is(why, server.ErrHeld) {
			t.Errorf("the talk ended with %v", why)
		}
		if n := r.srv.Counters().Errors["held"]; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

// closing tells why sessions end.
type closing struct {
	server.Handler
	ended chan error
}

func (h *closing) Open(ctx context.Context, t *server.Talk) (server.Session, error) {
	s, err := h.Handler.Open(ctx, t)
	return &closeSession{s, h}, err
}

type closeSession struct {
	server.Session
	h *closing
}

func (s *closeSession) Complete([]byte) int { return 0 }
func (s *closeSession) Close(why error) error {
	s.h.ended <- why
	return s.Session.Close(why)
}

// A peer that half-closes gets its answers; one that resets ends the talk.
func TestHalfCloseAndReset(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		h := &closing{Handler: &flood{k.mode}, ended: make(chan error, 1)}
		r := start(t, k, &server.Server{Handler: h, Limits: server.Limits{Held: 4 << 20}})
		c := r.dial().(*net.TCPConn)
		if _, err := c.Write([]byte("xx")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, c); n != 2<<20 || err != nil {
			t.Errorf("%d bytes, %v after the half-close", n, err)
		}
		if why := <-h.ended; why != nil {
			t.Errorf("a half-close ended with %v", why)
		}
		c = r.dial().(*net.TCPConn)
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, c, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := c.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if why := <-h.ended; !errors.Is(why, syscall.ECONNRESET) {
			t.Errorf("a reset ended with %v", why)
		}
		eventually(t, "both talks end", func() bool { return r.srv.Counters().Active == 0 })
	})
}

// Without descriptors the server slows down, says so once and recovers.
func TestNoDescriptorsLeft(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		var old unix.Rlimit // a ring keeps to the limit that it found
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		low := old
		low.Cur = min(old.Cur, 300)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
			t.Skip("cannot lower the limit of descriptors here: ", err)
		}
		defer func() {
			if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
				t.Fatal(err)
			}
		}()
		r := start(t, k, &server.Server{Handler: &liner{mode: k.mode}})
		r.client().expect("+ hello") // it has the descriptors that it needs itself
		s, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		func() {
			var all []int
			defer func() {
				for _, fd := range all {
					unix.Close(fd)
				}
			}()
			for {
				fd, err := unix.Dup(0)
				if err != nil {
					break
				}
				all = append(all, fd)
			}
			if err := s.Connect(t.Context(), socket.Pair("127.0.0.1", r.addr.(*net.TCPAddr).Port)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "accept fails", func() bool { return r.srv.Counters().Errors["accept"] > 0 })
		}()
		b := make([]byte, 100)
		n, err := s.RecvInto(t.Context(), b, 0)
		if got := string(b[:n]); got != "+ hello\r\n" {
			t.Errorf("got %q, %v after descriptors came back", got, err)
		}
	})
}

// One engine serves any number of servers and listeners; its loops end with
// the last of them.
func TestOneEngineManyServers(t *testing.T) {
	e := server.EventsWith(server.EventOptions{Loops: 2})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 6)
	var addrs []string
	for i := range 3 {
		srv := &server.Server{Engine: e, Handler: &liner{mode: server.Mode(i)}}
		for range 2 {
			l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			addrs = append(addrs, l.Addr().String())
			go func() { done <- srv.Serve(ctx, l) }()
		}
	}
	for _, addr := range addrs {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 9)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "+ hello\r\n" {
			t.Errorf("%q %v", b, err)
		}
		c.Close()
	}
	stop()
	for range 6 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Detour leaves the loop to others while it blocks.
func TestDetour(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		h := &detourer{mode: k.mode, block: make(chan struct{})}
		r := start(t, k, &server.Server{Handler: h})
		a, b := r.client(), r.client()
		a.say("DETOUR\r\n")
		if k.mode == server.Inline && k.onLoops() {
			a.expect("server: not possible in this mode")
			return
		}
		b.say("SAY\r\n")
		b.expect("said")
		close(h.block)
		a.expect("blocked")
		a.say("SAY\r\n")
		a.expect("said")
	})
}

type detourer struct {
	mode  server.Mode
	block chan struct{}
}

func (h *detourer) Mode() server.Mode { return h.mode }
func (h *detourer) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &detourSession{h, t}, nil
}

type detourSession struct {
	h *detourer
	t *server.Talk
}

func (s *detourSession) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if string(line) != "DETOUR" {
		return s.t.W.LineString("said")
	}
	if err := s.t.Detour(func() error { <-s.h.block; return nil }); err != nil {
		return s.t.W.LineString(err.Error())
	}
	return s.t.W.LineString("blocked")
}

func (s *detourSession) Close(error) error { return nil }
