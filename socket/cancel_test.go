//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// parked returns when n goroutines wait in the runtime's poller.
func parked(t testing.TB, n int) {
	t.Helper()
	buf := make([]byte, 4<<20)
	for t.Context().Err() == nil {
		if bytes.Count(buf[:runtime.Stack(buf, true)], []byte("[IO wait")) >= n {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("the test ended before the calls waited")
}

// waits is a call that waits for ever, and one that shows the socket still usable.
type waits struct {
	name  string
	call  func(ctx context.Context) error
	after func(t *testing.T)
}

// waitingCalls gives one of each, on sockets of its own.
func waitingCalls(t *testing.T) []waits {
	a, b := connected(t, SOCK_STREAM)
	l := loopback(t)
	full, drain := connected(t, SOCK_STREAM)
	fill(t, full)
	return []waits{
		{"recv", func(ctx context.Context) error { _, err := a.Recv(ctx, 10); return err }, func(t *testing.T) {
			exchange(t, b, a)
		}},
		{"recv waitall", func(ctx context.Context) error { _, err := a.Recv(ctx, 10, MSG_WAITALL); return err },
			func(t *testing.T) { exchange(t, b, a) }},
		{"recvmsg", func(ctx context.Context) error { _, err := a.RecvMsg(ctx, [][]byte{{0}}, 0); return err },
			func(t *testing.T) { exchange(t, b, a) }},
		{"accept", func(ctx context.Context) error { _, _, err := l.Accept(ctx); return err }, func(t *testing.T) {
			c := closeAfter(t, must(New())(t))
			if err := c.Connect(t.Context(), must(l.Getsockname())(t)); err != nil {
				t.Fatal(err)
			}
			s, _, err := l.Accept(t.Context())
			closeAfter(t, must(s, err)(t))
		}},
		{"send", func(ctx context.Context) error { _, err := full.Send(ctx, make([]byte, 9)); return err }, nil},
		{"sendall", func(ctx context.Context) error { _, err := full.SendAll(ctx, make([]byte, 9)); return err },
			func(t *testing.T) {
				must(drain.Recv(t.Context(), 1<<20, MSG_WAITALL, MSG_DONTWAIT))(t)
				if _, err := full.SendAll(t.Context(), []byte("x")); err != nil {
					t.Fatal(err)
				}
			}},
	}
}

// fill sends until the socket takes no more.
func fill(t testing.TB, s *Sock) {
	t.Helper()
	for {
		_, err := s.Send(t.Context(), make([]byte, 64<<10), MSG_DONTWAIT)
		if err != nil {
			if !isAgain(err) {
				t.Fatal(err)
			}
			return
		}
	}
}

// exchange sends a byte from one socket to the other.
func exchange(t *testing.T, from, to *Sock) {
	t.Helper()
	if _, err := from.SendAll(t.Context(), []byte("!")); err != nil {
		t.Fatal(err)
	}
	if got := must(to.Recv(t.Context(), 10))(t); string(got) != "!" {
		t.Errorf("got %q", got)
	}
}

func TestCancelReturnsAndLeavesTheSocketUsable(t *testing.T) {
	for _, w := range waitingCalls(t) {
		t.Run(w.name, func(t *testing.T) {
			reason := errors.New("somebody pulled the plug")
			ctx, cancel := context.WithCancelCause(t.Context())
			result := make(chan error)
			go func() { result <- w.call(ctx) }()
			parked(t, 1)
			cancel(reason)
			err := <-result
			wantErr(t, err, context.Canceled)
			wantErr(t, err, reason)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v is also a deadline", err)
			}
			wantErr(t, w.call(ctx), context.Canceled)
			if w.after != nil {
				w.after(t)
			}
		})
	}
}

func TestDeadlineReturnsAndLeavesTheSocketUsable(t *testing.T) {
	for _, w := range waitingCalls(t) {
		t.Run(w.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			err := w.call(ctx)
			wantErr(t, err, context.DeadlineExceeded)
			wantErr(t, err, os.ErrDeadlineExceeded)
			if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
				t.Errorf("%v is no timeout", err)
			}
			if w.after != nil {
				w.after(t)
			}
		})
	}
}

func TestSetDeadlineHoldsForEveryCall(t *testing.T) {
	a, b := connected(t, SOCK_STREAM)
	if err := a.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Read(make([]byte, 1))
	wantErr(t, err, os.ErrDeadlineExceeded)
	_, err = a.Write(make([]byte, 1))
	wantErr(t, err, os.ErrDeadlineExceeded)

	// A context that ends in between does not lift it, nor the other way round.
	if err := a.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { _, err := a.Recv(ctx, 1); result <- err }()
	parked(t, 1)
	if err := a.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	cancel()
	wantErr(t, <-result, context.Canceled)
	exchange(t, b, a)
	if err := a.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err = a.Recv(t.Context(), 1)
	wantErr(t, err, os.ErrDeadlineExceeded)
}

// A call that waits for another one's turn obeys its own context.
func TestCancelWhileAnotherReceives(t *testing.T) {
	a, b := connected(t, SOCK_STREAM)
	first := make(chan error)
	go func() { _, err := a.Recv(t.Context(), 1); first <- err }()
	parked(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error)
	go func() { _, err := a.Recv(ctx, 1); second <- err }()
	cancel()
	wantErr(t, <-second, context.Canceled)
	if _, err := b.Send(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("the first call: %v", err)
	}
}

// Contexts that can be cancelled cost no goroutine.
func TestWaitingStartsNoGoroutine(t *testing.T) {
	const calls = 64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := runtime.NumGoroutine()
	done := make(chan error)
	for range calls {
		a, _ := connected(t, SOCK_STREAM)
		go func() { _, err := a.Recv(ctx, 1); done <- err }()
	}
	parked(t, calls)
	if now := runtime.NumGoroutine(); now > before+calls {
		t.Errorf("%d calls wait with %d goroutines", calls, now-before)
	}
	cancel()
	for range calls {
		wantErr(t, <-done, context.Canceled)
	}
}

func TestTransferAllocatesNothing(t *testing.T) {
	a, b := connected(t, SOCK_STREAM)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	buf := make([]byte, 100)
	allocs := testing.AllocsPerRun(100, func() {
		_, sendErr := a.Send(ctx, buf)
		_, recvErr := b.RecvInto(ctx, buf)
		if sendErr != nil || recvErr != nil {
			t.Fatal(sendErr, recvErr)
		}
	})
	if allocs > 0 && runtime.GOOS == "linux" {
		t.Errorf("a byte there takes %v allocations", allocs)
	}
}

// Cancelling at the moment of success must neither lose bytes nor leave a
// deadline behind.
func TestCancelRace(t *testing.T) {
	a, b := connected(t, SOCK_STREAM)
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error)
		go func() {
			if i%2 == 0 {
				cancel()
			}
			_, err := b.Send(t.Context(), []byte{byte(i)})
			cancel()
			sent <- err
		}()
		got, err := a.Recv(ctx, 1)
		if sendErr := <-sent; sendErr != nil {
			t.Fatal(sendErr)
		}
		if err != nil {
			wantErr(t, err, context.Canceled)
			got = must(a.Recv(t.Context(), 1))(t)
		}
		if len(got) != 1 || got[0] != byte(i) {
			t.Fatalf("round %d: got %v", i, got)
		}
	}
}
