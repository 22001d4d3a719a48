package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// stressed answers "N what rest" with a line that can be checked from N and
// rest alone; what is how.
type stressed struct {
	mode server.Mode
	open atomic.Int64 // sessions that were not closed
	bad  atomic.Int64 // calls that came at once
}

func (h *stressed) Mode() server.Mode { return h.mode }

func (h *stressed) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	h.open.Add(1)
	return &stressedSession{h: h, t: t}, nil
}

type stressedSession struct {
	h    *stressed
	t    *server.Talk
	busy atomic.Bool
}

// alone tells of calls at once; what it gives ends the call.
func (s *stressedSession) alone() func() {
	if !s.busy.CompareAndSwap(false, true) {
		s.h.bad.Add(1)
	}
	return func() { s.busy.Store(false) }
}

func (s *stressedSession) Turn(ctx context.Context) error {
	defer s.alone()()
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	n, text, _ := strings.Cut(string(line), " ")
	what, rest, _ := strings.Cut(text, " ")
	switch what {
	case "big":
		size, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		rest = strings.Repeat("b", size)
	case "body":
		body, err := io.ReadAll(s.t.R.Block())
		if err != nil {
			return err
		}
		rest = strconv.Itoa(len(body))
	case "wake":
		s.t.Wake()
		go s.t.Wake()
	case "detour":
		if err := s.t.Detour(func() error { runtime.Gosched(); return nil }); err != nil && !errors.Is(err, server.ErrMode) {
			return err
		}
	case "within":
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		var more []byte
		if err := s.t.Within(ctx, func() (err error) { more, err = s.t.R.Line(); return err }); err != nil {
			return err
		}
		rest = string(more)
	}
	if err := s.t.W.LineString(n + " " + rest); err != nil {
		return err
	}
	if what == "quit" {
		return io.EOF
	}
	return nil
}

func (s *stressedSession) Push(context.Context) error {
	defer s.alone()()
	return s.t.W.LineString("* push")
}

func (s *stressedSession) Farewell(context.Context) {
	defer s.alone()()
	_ = s.t.W.LineString("* bye")
}

func (s *stressedSession) Close(error) error {
	defer s.alone()()
	s.h.open.Add(-1)
	return nil
}

// request is one request and the line that answers it.
func request(rnd *rand.Rand, n int) (asked, answer string) {
	word := strings.Repeat("w", rnd.IntN(1<<rnd.IntN(11)))
	switch rnd.IntN(12) {
	case 0:
		size := rnd.IntN(1 << rnd.IntN(18))
		return fmt.Sprintf("%d big %d\r\n", n, size), fmt.Sprintf("%d %s", n, strings.Repeat("b", size))
	case 1:
		lines := rnd.IntN(1 << rnd.IntN(9))
		return fmt.Sprintf("%d body\r\n%s.\r\n", n, strings.Repeat("..dots\r\n", lines)), fmt.Sprintf("%d %d", n, 7*lines)
	case 2:
		return fmt.Sprintf("%d wake %s\r\n", n, word), fmt.Sprintf("%d %s", n, word)
	case 3:
		return fmt.Sprintf("%d detour %s\r\n", n, word), fmt.Sprintf("%d %s", n, word)
	case 4:
		return fmt.Sprintf("%d within\r\n%s\r\n", n, word), fmt.Sprintf("%d %s", n, word)
	}
	return fmt.Sprintf("%d say %s\r\n", n, word), fmt.Sprintf("%d %s", n, word)
}

// stressTalk is one client: it pipelines requests, cut anywhere, reads at its
// own pace, checks every answer, and ends in one of many ways.
func stressTalk(nc net.Conn, raw *net.TCPConn, rnd *rand.Rand, mayEnd func() bool) error {
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	var said strings.Builder
	var want []string
	for n := range 1 + rnd.IntN(60) {
		asked, answer := request(rnd, n)
		said.WriteString(asked)
		want = append(want, answer)
	}
	end := rnd.IntN(6)
	switch end {
	case 0:
		fmt.Fprintf(&said, "%d quit\r\n", len(want))
		want = append(want, fmt.Sprintf("%d ", len(want)))
	case 1:
		said.WriteString("half a requ")
	}
	writeSeed, chunk := rnd.Uint64(), 1<<rnd.IntN(17)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		rnd := rand.New(rand.NewPCG(writeSeed, 1))
		for rest := said.String(); rest != ""; {
			k := min(1+rnd.IntN(chunk), len(rest))
			if _, err := io.WriteString(nc, rest[:k]); err != nil {
				return
			}
			rest = rest[k:]
			if chunk < 64 && rnd.IntN(4) == 0 {
				runtime.Gosched()
			}
		}
		if half, ok := nc.(interface{ CloseWrite() error }); ok && end <= 2 {
			_ = half.CloseWrite()
		}
	})
	in := bufio.NewReaderSize(nc, 16+rnd.IntN(8192))
	leave := -1
	if end == 5 {
		leave = rnd.IntN(len(want))
	}
	for i, answer := range want {
		if i == leave {
			_ = raw.SetLinger(0)
			raw.Close()
			return nil
		}
		line, err := in.ReadString('\n')
		for err == nil && line == "* push\r\n" {
			line, err = in.ReadString('\n')
		}
		if err == nil && line == "* bye\r\n" {
			err = io.EOF
		}
		if err != nil {
			if mayEnd() {
				return nil
			}
			return fmt.Errorf("answer %d of %d: %w", i, len(want), err)
		}
		if line != answer+"\r\n" {
			return fmt.Errorf("answer %d: %.60q, want %.60q", i, line, answer)
		}
	}
	if end <= 2 {
		for {
			line, err := in.ReadString('\n')
			switch {
			case line == "* push\r\n" || line == "* bye\r\n":
			case err == io.EOF && line == "" || mayEnd():
				return nil
			default:
				return fmt.Errorf("at the end: %q, %w", line, err)
			}
		}
	}
	return nil
}

// descriptors counts what is open.
func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	return len(all)
}

// stressRound runs clients at one server, stops it in the middle or after
// them, and looks at what is left.
func stressRound(t *testing.T, k kind, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	before := descriptors(t)
	h := &stressed{mode: k.mode}
	srv := &server.Server{Handler: h, Limits: server.Limits{Drain: 15 * time.Second, Held: 1 << 20}}
	if rnd.IntN(3) == 0 {
		srv.Limits.Talks, srv.Limits.PerPeer = 1+rnd.IntN(4), 1+rnd.IntN(4)
	}
	srv.Engine = k.newEngine(0)
	if k.tls {
		srv.TLS = testcert.Server(t)
	}
	l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()
	var stopping atomic.Bool
	early := rnd.IntN(2) == 0
	talks := 4 + rnd.IntN(12)
	after := rnd.IntN(talks)
	var wg sync.WaitGroup
	for i := range talks {
		if early && i == after {
			stopping.Store(true)
			stop()
		}
		raw, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			if !stopping.Load() {
				t.Error(err)
			}
			continue
		}
		nc := raw
		if k.tls {
			nc = tls.Client(raw, testcert.Client(t))
		}
		mine := rand.New(rand.NewPCG(seed, uint64(i)+3))
		wg.Go(func() {
			if err := stressTalk(nc, raw.(*net.TCPConn), mine, stopping.Load); err != nil {
				t.Errorf("seed %d, talk %d: %v", seed, i, err)
			}
		})
	}
	wg.Wait()
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("seed %d: Serve does not return\n%s", seed, buf[:runtime.Stack(buf, true)])
	}
	if c := srv.Counters(); c.Active != 0 || c.Errors["panic"] != 0 || c.Errors["cut"] != 0 || h.open.Load() != 0 || h.bad.Load() != 0 {
		t.Errorf("seed %d: %+v, %d sessions open, %d calls at once", seed, c, h.open.Load(), h.bad.Load())
	}
	eventually(t, "no descriptor is left", func() bool { return descriptors(t) <= before })
}

// TestStress plays rounds of random clients at every kind of server, rings where
// the kernel has them: one round, and more for three seconds, or as long as
// FAREND_STRESS says (10m); FAREND_SEED repeats a round.
func TestStress(t *testing.T) {
	length, seed := 3*time.Second, uint64(time.Now().UnixNano())
	if text := os.Getenv("FAREND_STRESS"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("FAREND_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // Go's own poller has its descriptors from now on
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	end := time.Now().Add(length)
	var first, last runtime.MemStats
	rounds := 0
	for ; !t.Failed() && (rounds == 0 || time.Now().Before(end)); rounds++ {
		for _, k := range append(kinds(), tinyKinds()...) {
			if k.network == "tcp" && (rounds == 0 || time.Now().Before(end)) {
				t.Run(k.String(), func(t *testing.T) {
					needEngine(t, k.engine)
					stressRound(t, k, seed)
				})
				seed++
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&last)
		if rounds == 0 {
			first = last
		}
	}
	if last.HeapAlloc > first.HeapAlloc+32<<20 {
		t.Errorf("the heap grew from %d to %d in %d rounds", first.HeapAlloc, last.HeapAlloc, rounds)
	}
	t.Logf("%d rounds", rounds)
}
