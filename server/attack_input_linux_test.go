package server_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// act is a handler made of functions.
type act struct {
	mode  server.Mode
	turn  func(ctx context.Context, t *server.Talk, line string) error
	talks chan *server.Talk
	ended chan error
}

func (h *act) Mode() server.Mode { return h.mode }
func (h *act) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	if h.talks != nil {
		h.talks <- t
	}
	return &actSession{h: h, t: t}, nil
}

type actSession struct {
	h       *act
	t       *server.Talk
	running bool
}

func (s *actSession) Turn(ctx context.Context) error {
	s.running = true
	defer func() { s.running = false }()
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if text, ok := strings.CutPrefix(string(line), "SAY "); ok {
		return s.t.W.LineString("+ " + text)
	}
	return s.h.turn(ctx, s.t, string(line))
}

func (s *actSession) Close(why error) error {
	if s.running {
		why = errors.Join(errTorn, why)
	}
	if s.h.ended != nil {
		s.h.ended <- why
	}
	return nil
}

var errTorn = errors.New("Close was called while a Turn ran")

// A peer that resets while a Turn waits to send to it ends that Turn first.
func TestResetWhileATurnSends(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		sent := make(chan struct{}, 1)
		h := &act{mode: k.mode, ended: make(chan error, 1), turn: func(_ context.Context, t *server.Talk, _ string) error {
			for {
				if _, err := t.W.Write(mib); err != nil {
					return err
				}
				select {
				case sent <- struct{}{}:
				default:
				}
			}
		}}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Drain: time.Hour}})
		c := r.client()
		c.say("GO\r\n")
		if k.mode != server.Inline || !k.onLoops() { // it fails at the limit otherwise
			<-sent
		}
		out := uint64(0)
		eventually(t, "the socket is full", func() bool {
			was := out
			out = r.srv.Counters().Out
			return out > 0 && out == was
		})
		if nc, ok := c.Conn.(interface{ NetConn() net.Conn }); ok {
			_ = nc.NetConn().(*net.TCPConn).SetLinger(0)
			nc.NetConn().Close()
		} else {
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		if why := <-h.ended; why == nil || errors.Is(why, errTorn) {
			t.Errorf("Close got %v", why)
		}
		eventually(t, "the talk ends", func() bool { return r.srv.Counters().Active == 0 })
		r.stop()
		r.ended()
	})
}

// Urgent data makes a read short although more has come: that is read too.
func TestUrgentData(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		rc, err := nc.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []struct {
			text string
			flag int
		}{{"SAY one\r\n", 0}, {"!", unix.MSG_OOB}, {"SAY two\r\n", 0}} {
			if err := rc.Control(func(fd uintptr) { err = unix.Send(int(fd), []byte(part.text), part.flag) }); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		srv := &server.Server{Handler: &liner{mode: k.mode}, Engine: k.newEngine(0)}
		go func() { done <- srv.Serve(ctx, l) }() // all of it waits already
		_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
		want := "+ hello\r\n+ one\r\n+ two\r\n"
		b := make([]byte, len(want))
		if n, err := io.ReadFull(nc, b); string(b) != want {
			t.Errorf("got %q, %v", b[:n], err)
		}
		stop()
		<-done
	})
}

// A body that a session refuses to read is dropped, however it comes: its lines
// are never taken for requests.
func TestRefusedBodyIsDropped(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		h := &act{mode: k.mode, turn: func(_ context.Context, t *server.Talk, line string) error {
			switch line {
			case "DATA":
				t.R.Block()
			case "LITERAL":
				if _, err := t.R.Literal(12); err != nil {
					return err
				}
			}
			return t.W.LineString("- no")
		}}
		r := startOne(t, k, &server.Server{Handler: h})
		c := r.client()
		for _, body := range [][]string{
			{"DATA\r\n", "SAY evil\r\n", "SAY worse\r", "\n.", "\r\nSAY good\r\n"},
			{"LITERAL\r\n", "SAY x\r\n", "SAY ySAY good\r\n"},
		} {
			c.say(body[0])
			c.expect("- no")
			in := r.srv.Counters().In
			for _, part := range body[1:] {
				c.say(part)
				eventually(t, "it came", func() bool { return r.srv.Counters().In > in })
				in = r.srv.Counters().In
			}
			c.expect("+ good")
		}
	})
}

// An inline Turn cannot make its engine keep a body without end.
func TestInlineBodyIsBounded(t *testing.T) {
	overLoops(t, server.Inline, func(t *testing.T, k kind) {
		h := &liner{mode: k.mode, ended: make(chan error, 1)}
		r := startOne(t, k, &server.Server{Handler: h})
		c := r.client()
		c.expect("+ hello")
		c.say("BODY\r\n")
		line := strings.Repeat("x", 998) + "\r\n"
		for range 32 << 10 {
			if _, err := io.WriteString(c, line); err != nil {
				break
			}
		}
		select {
		case why := <-h.ended:
			if !errors.Is(why, wire.ErrLineTooLong) {
				t.Errorf("Close got %v", why)
			}
		default:
			t.Errorf("%d bytes were kept", r.srv.Counters().In)
		}
	})
}

// One talk whose peer sends faster than it is read does not have the loop to
// itself.
func TestFairness(t *testing.T) {
	for _, mode := range []server.Mode{server.Waits, server.Inline} {
		overLoops(t, mode, func(t *testing.T, k kind) {
			var stop atomic.Bool
			var own atomic.Pointer[client]
			h := &gulp{mode: mode, turn: func(c net.Conn) error {
				buf := make([]byte, 64<<10) // as much as a loop reads at once: no read is short
				for !stop.Load() || mode == server.Inline {
					n, err := c.Read(buf)
					if err != nil {
						return err
					}
					to := c
					if own := own.Load(); own != nil && n > 100 && !stop.Load() {
						to = own
					}
					if _, err := to.Write(buf[:n]); err != nil || mode == server.Inline {
						return err
					}
				}
				return nil
			}}
			r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Drain: time.Millisecond}})
			one, other := r.client(), r.client()
			own.Store(one)
			one.say(strings.Repeat("x", 200<<10))
			_ = other.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(other, "meanwhile\n")
			got, err := other.r.ReadString('\n')
			stop.Store(true)
			if got != "meanwhile\n" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// gulp is a handler of streams, in any mode.
type gulp struct {
	mode server.Mode
	turn func(c net.Conn) error
}

func (h *gulp) Mode() server.Mode { return h.mode }
func (h *gulp) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &gulpSession{h: h, t: t}, nil
}

type gulpSession struct {
	server.Anything
	h *gulp
	t *server.Talk
}

func (s *gulpSession) Turn(context.Context) error { return s.h.turn(s.t.NetConn()) }
func (s *gulpSession) Close(error) error          { return nil }

// A deadline far away is none that has passed.
func TestDistantDeadline(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		h := &act{mode: k.mode, ended: make(chan error, 3), turn: func(ctx context.Context, t *server.Talk, _ string) error {
			ctx, cancel := context.WithTimeout(ctx, math.MaxInt64)
			defer cancel()
			var line []byte
			err := t.Within(ctx, func() (err error) {
				line, err = t.R.Line()
				return err
			})
			if err != nil {
				return err
			}
			return t.W.LineString("+ " + string(line))
		}}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Idle: 200 * time.Millisecond}})
		c := r.client()
		c.say("MORE\r\n")
		if k.mode == server.Inline && k.onLoops() {
			c.say("more\r\n") // it does not wait
			c.expect("+ more")
			return
		}
		eventually(t, "the Turn runs", func() bool { return r.srv.Counters().Turns > 0 })
		r.client().say("SAY hi\r\n") // shakes hands, and is idle: when it ends the clock has moved
		<-h.ended
		c.say("more\r\n")
		c.expect("+ more")
	})
}

// A deadline that has passed holds for every read until another is set.
func TestDeadlineStays(t *testing.T) {
	overStreams(t, func(t *testing.T, k kind, handler func(func(context.Context, net.Conn) error) server.Handler) {
		errs := make(chan error, 3)
		r := start(t, k, &server.Server{Handler: handler(func(_ context.Context, c net.Conn) error {
			b := make([]byte, 10)
			for range 3 {
				if err := c.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
					return err
				}
				_, _ = c.Read(b)
				_, err := c.Read(b)
				errs <- err
			}
			_ = c.SetReadDeadline(time.Time{})
			n, err := c.Read(b)
			if err != nil {
				return err
			}
			_, err = c.Write(b[:n])
			return err
		})})
		c := r.dial()
		if k.tls {
			go func() { _, _ = c.Write(nil) }() // shakes hands
		}
		for range 3 {
			select {
			case err := <-errs:
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("the second read got %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the second read waits")
			}
		}
		_, _ = c.Write([]byte("ok\n"))
		b := make([]byte, 3)
		if _, err := io.ReadFull(c, b); string(b) != "ok\n" {
			t.Error(string(b), err)
		}
	})
}

// Talks that have ended have no connection: their descriptors' numbers are
// others' now.
func TestAbortAfterTheEnd(t *testing.T) {
	overEngines(t, func(t *testing.T, k kind) {
		h := &act{mode: k.mode, talks: make(chan *server.Talk, 100)}
		r := startOne(t, k, &server.Server{Handler: h})
		c := r.client()
		old := <-h.talks
		c.Close()
		eventually(t, "the talk ends", func() bool { return r.srv.Counters().Active == 0 })
		var now []*client
		for range 10 {
			c := r.client()
			<-h.talks
			now = append(now, c)
			if a := old.RemoteAddr(); a != nil && a.String() == c.LocalAddr().String() {
				t.Errorf("the talk that ended says that its peer is %v", a)
			}
		}
		if err := old.Abort(); err != nil {
			t.Error(err)
		}
		for _, c := range now {
			c.say("SAY alive\r\n")
			c.expect("+ alive")
		}
	})
}

// Limits.Turn bounds a Turn, however often it waits.
func TestTurnThatDrips(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		if k.mode == server.Inline {
			t.Skip("an inline Turn does not wait")
		}
		h := &liner{mode: k.mode, ended: make(chan error, 1)}
		r := startOne(t, k, &server.Server{Handler: h, Limits: server.Limits{Turn: 200 * time.Millisecond}})
		c := r.client()
		c.expect("+ hello")
		c.say("BODY\r\n")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		end := time.After(10 * time.Second)
		for {
			select {
			case why := <-h.ended:
				if !errors.Is(why, server.ErrTurn) {
					t.Errorf("Close got %v", why)
				}
				return
			case <-tick.C:
				_, _ = io.WriteString(c, "x\r\n")
			case <-end:
				t.Fatal("the Turn goes on and on")
			}
		}
	})
}

// What a session redacts of a request is that request's, whatever came with it.
func TestRedactAmongPipelined(t *testing.T) {
	overTCP(t, func(t *testing.T, k kind) {
		var heard attackEar
		h := &act{mode: k.mode, turn: func(_ context.Context, t *server.Talk, line string) error {
			if strings.HasPrefix(line, "PASS ") {
				t.Redact(len("PASS "))
			}
			return t.W.LineString("+")
		}}
		r := startOne(t, k, &server.Server{Handler: h, Tap: func(*server.Talk) conv.Tap { return &heard }})
		c := r.client()
		c.say("NOOP\r\nPASS hunter2\r\nNOOP again\r\n")
		for range 3 {
			c.expect("+")
		}
		c.Close()
		eventually(t, "the talk ends", func() bool { return r.srv.Counters().Active == 0 })
		if want := "NOOP\r\nPASS ***NOOP again\r\n"; heard.theirs != want {
			t.Errorf("heard %q, want %q", heard.theirs, want)
		}
	})
}

type attackEar struct{ theirs string }

func (h *attackEar) Hear(u conv.Utterance) {
	if u.Event == conv.Said && !u.Ours {
		h.theirs += string(u.Bytes)
	}
}
