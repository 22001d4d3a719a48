//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeConn stands for a connection in races that need no network.
type fakeConn struct {
	to     Addr
	closed *int
}

func (c fakeConn) Close() error { *c.closed++; return nil }

// addrs makes addresses with port 1 of texts.
func addrs(texts string) []Addr {
	var all []Addr
	for s := range strings.FieldsSeq(texts) {
		all = append(all, InetAddr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(s), 1)})
	}
	return all
}

func TestInterleave(t *testing.T) {
	for in, want := range map[string]string{
		"1.1.1.1":                         "1.1.1.1",
		"::1 ::2 ::3 1.1.1.1":             "::1 1.1.1.1 ::2 ::3",
		"1.1.1.1 ::1 ::2 1.1.1.2":         "1.1.1.1 ::1 1.1.1.2 ::2",
		"::1 ::2 1.1.1.1 1.1.1.2 1.1.1.3": "::1 1.1.1.1 ::2 1.1.1.2 1.1.1.3",
	} {
		var got []string
		for _, a := range interleave(addrs(in)) {
			got = append(got, a.(InetAddr).Addr().String())
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: got %s, want %s", in, text, want)
		}
	}
}

func TestHappyEyeballs(t *testing.T) {
	for name, c := range map[string]struct {
		delay   time.Duration
		script  string // address, time to the answer, ok or refused
		winner  string
		after   time.Duration
		started int32
		errs    int
	}{
		"the first is quick":       {0, "::1 10ms ok, 1.1.1.1 10ms ok", "::1", 10 * time.Millisecond, 1, 0},
		"the first is slow":        {0, "::1 10s ok, 1.1.1.1 10ms ok", "1.1.1.1", 260 * time.Millisecond, 2, 0},
		"slow but still faster":    {0, "::1 300ms ok, 1.1.1.1 10s ok", "::1", 300 * time.Millisecond, 2, 0},
		"a refusal starts another": {0, "::1 10ms refused, 1.1.1.1 10ms ok", "1.1.1.1", 20 * time.Millisecond, 2, 0},
		"all refuse":               {0, "::1 10ms refused, 1.1.1.1 10ms refused, ::2 1s refused", "", 1020 * time.Millisecond, 3, 3},
		"one after the other":      {-1, "::1 10s refused, 1.1.1.1 10ms ok", "1.1.1.1", 10010 * time.Millisecond, 2, 0},
		"another delay":            {time.Second, "::1 10s ok, 1.1.1.1 10ms ok", "1.1.1.1", 1010 * time.Millisecond, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var started atomic.Int32
				closed := 0
				var all []Addr
				takes, works := map[Addr]time.Duration{}, map[Addr]bool{}
				for line := range strings.SplitSeq(c.script, ", ") {
					f := strings.Fields(line)
					a := addrs(f[0])[0]
					all = append(all, a)
					takes[a] = must(time.ParseDuration(f[1]))(t)
					works[a] = f[2] == "ok"
				}
				begin := time.Now()
				delay := c.delay
				if delay == 0 {
					delay = attemptDelay
				}
				got, err := race(t.Context(), all, delay, func(ctx context.Context, a Addr) (fakeConn, error) {
					started.Add(1)
					if err := pause(ctx, takes[a]); err != nil {
						return fakeConn{}, err
					}
					if !works[a] {
						return fakeConn{}, syscall.ECONNREFUSED
					}
					return fakeConn{a, &closed}, nil
				})
				if took := time.Since(begin); took != c.after || started.Load() != c.started {
					t.Errorf("%d attempts in %v, want %d in %v", started.Load(), took, c.started, c.after)
				}
				if c.winner == "" {
					wantErr(t, err, syscall.ECONNREFUSED)
					if n := strings.Count(err.Error(), "refused"); n != c.errs || strings.Contains(err.Error(), "\n") {
						t.Errorf("%d of %d errors are told: %v", n, c.errs, err)
					}
					return
				}
				if err != nil || got.to != addrs(c.winner)[0] || closed != 0 {
					t.Errorf("%v won, %v; %d closed", got.to, err, closed)
				}
			})
		})
	}
}

func TestHappyEyeballsClosesTheLateWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		_, err := race(t.Context(), addrs("::1 1.1.1.1"), time.Millisecond, func(ctx context.Context, a Addr) (fakeConn, error) {
			return fakeConn{a, &closed}, pause(context.WithoutCancel(ctx), time.Second) // deaf to ctx
		})
		if err != nil || closed != 1 {
			t.Errorf("%v; %d closed", err, closed)
		}
	})
}

func TestHappyEyeballsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := race(ctx, addrs("::1 1.1.1.1 ::2 1.1.1.2"), 10*time.Second, func(ctx context.Context, a Addr) (fakeConn, error) {
			<-ctx.Done()
			return fakeConn{}, ended(ctx)
		})
		wantErr(t, err, os.ErrDeadlineExceeded)
	})
}

// closedPort is one that refuses.
func closedPort(t *testing.T) int {
	t.Helper()
	s := closeAfter(t, must(New())(t)) // bound, so that nobody else takes it, but deaf
	if err := s.Bind(t.Context(), Pair("127.0.0.1", 0)); err != nil {
		t.Fatal(err)
	}
	return int(must(s.Getsockname())(t).(InetAddr).Port())
}

func TestTutorial28_ConnectErrors(t *testing.T) {
	ctx := t.Context()
	s := closeAfter(t, must(New())(t))
	err := s.Connect(ctx, Pair("127.0.0.1", closedPort(t)))
	wantErr(t, err, syscall.ECONNREFUSED)
	_, err = CreateConnection(ctx, "127.0.0.1", closedPort(t), ConnConfig{})
	wantErr(t, err, syscall.ECONNREFUSED)
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, "connect tcp 127.0.0.1:") {
		t.Errorf("the error reads %q", text)
	}
	_, err = ConnectAny(ctx, Path(filepath.Join(t.TempDir(), "none")), ConnConfig{})
	wantErr(t, err, os.ErrNotExist)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = CreateConnection(canceled, "127.0.0.1", closedPort(t), ConnConfig{})
	wantErr(t, err, context.Canceled)
}

// fullListener is a listener whose queue takes no more, so that connects hang.
func fullListener(t *testing.T) Addr {
	t.Helper()
	l := closeAfter(t, must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{Backlog: 1}))(t))
	at := must(l.Getsockname())(t)
	connectsUntilFull(t, at, time.Second)
	return at
}

func TestTutorial28_ConnectTimesOut(t *testing.T) {
	at := fullListener(t)
	_, err := ConnectAny(t.Context(), at, ConnConfig{Timeout: time.Millisecond})
	wantErr(t, err, os.ErrDeadlineExceeded)
	wantErr(t, err, context.DeadlineExceeded)
	if errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v is also a refusal", err)
	}
}

func TestCancelledConnectCanBeTakenUpAgain(t *testing.T) {
	at := fullListener(t)
	s := closeAfter(t, must(New())(t))
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- s.Connect(ctx, at) }()
		parked(t, 1)
		cancel()
		wantErr(t, <-result, context.Canceled)
	}
}

// A Unix listener's full queue is no error: connect waits, as it does in C.
func TestConnectToAFullUnixListener(t *testing.T) {
	ctx := t.Context()
	l := closeAfter(t, must(CreateServer(ctx, Path(filepath.Join(t.TempDir(), "s")), ServerConfig{Backlog: 1}))(t))
	at := must(l.Getsockname())(t)
	const clients = 8
	results := make(chan error)
	for range clients {
		go func() {
			s, err := Socket(AF_UNIX, SOCK_STREAM, 0)
			if err == nil {
				err = s.Connect(ctx, at)
				closeAfter(t, s)
			}
			results <- err
		}()
	}
	for range clients {
		conn, _, err := l.Accept(ctx)
		closeAfter(t, must(conn, err)(t))
	}
	for range clients {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestCreateConnectionSourceAndOptions(t *testing.T) {
	ctx := t.Context()
	l := loopback(t)
	port := int(must(l.Getsockname())(t).(InetAddr).Port())
	from := closedPort(t)
	s := closeAfter(t, must(CreateConnection(ctx, "127.0.0.1", port, ConnConfig{
		Source: Pair("127.0.0.1", 0), Options: []Setting{TCP_NODELAY.Value(true)},
	}))(t))
	if !must(TCP_NODELAY.Get(s))(t) {
		t.Error("the option was not set")
	}
	_, err := CreateConnection(ctx, "127.0.0.1", port, ConnConfig{Source: Pair("127.0.0.1", from)})
	wantErr(t, err, syscall.EADDRINUSE)
}
