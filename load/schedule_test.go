package load

import (
	"context"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes makes a plan speak to handlers in the same bubble.
func pipes(p Plan, handle func(c net.Conn)) Plan {
	p.dial = func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			handle(theirs)
		}()
		return ours, nil
	}
	p.sleep = func() sleeper { return napper{} }
	p.Message = Message{Send: []byte("x")}
	return p
}

// answering gives each byte back after what pause says.
func answering(pause func() time.Duration) func(c net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 1)
		for {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			<-time.After(pause())
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
}

func mustRun(t *testing.T, p Plan) *Result {
	t.Helper()
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if r.TotalErrors() != 0 {
		t.Errorf("errors %v", r.Examples)
	}
	return r
}

// near allows for the histogram's three digits.
func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= float64(want)/500
}

func TestAFixedRateIsKept(t *testing.T) {
	for _, rate := range []float64{0.5, 7, 333.3, 1000, 25000} {
		synctest.Test(t, func(t *testing.T) {
			pause := func() time.Duration { return 3 * time.Millisecond }
			p := pipes(Plan{Connections: 200, Rate: rate, Warmup: 2 * time.Second, Duration: 4 * time.Second}, answering(pause))
			r := mustRun(t, p)
			if want := rate * 4; math.Abs(float64(r.Sent)-want) > 1 || r.Replies != r.Sent {
				t.Errorf("rate %v: sent %d, replies %d, want %v", rate, r.Sent, r.Replies, want)
			}
			if r.Late != 0 || r.MaxLate > 0 || r.Unsent != 0 || !near(r.Latency.P50, 3*time.Millisecond) || !near(r.Latency.Max, 3*time.Millisecond) {
				t.Errorf("rate %v: late %d by %v, unsent %d, p50 %v, max %v", rate, r.Late, r.MaxLate, r.Unsent, r.Latency.P50, r.Latency.Max)
			}
			if r.Seconds != 4 {
				t.Errorf("%v seconds", r.Seconds)
			}
		})
	}
}

// TestLatencyCountsFromThePlan: a server that stands still for a second is
// charged with every request that was planned in that second.
func TestLatencyCountsFromThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		n := 0
		pause := func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == 101 {
				return time.Second
			}
			return 0
		}
		r := mustRun(t, pipes(Plan{Connections: 1, Rate: 100, Duration: 10 * time.Second}, answering(pause)))
		// Number 101 waits 1 s, the next one 990 ms and so on: 100 of 1000, and
		// the mean of all is the area of that triangle.
		if r.Replies != 1000 || r.Late != 99 || r.Starved != 99 || !near(r.MaxLate, 990*time.Millisecond) {
			t.Errorf("replies %d, late %d, starved %d, by %v", r.Replies, r.Late, r.Starved, r.MaxLate)
		}
		l := r.Latency
		if l.P50 != 0 || !near(l.P95, 500*time.Millisecond) || !near(l.Max, time.Second) || !near(l.Mean, 50500*time.Microsecond) {
			t.Errorf("%+v", l)
		}
	})
}

// TestUnsent: what cannot be sent by the end is not forgotten.
func TestUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := func() time.Duration { return 100 * time.Millisecond }
		r := mustRun(t, pipes(Plan{Connections: 2, Rate: 100, Duration: 2 * time.Second}, answering(pause)))
		if r.Sent != 40 || r.Sent+r.Unsent != 200 || r.Rate > 20 {
			t.Errorf("sent %d, unsent %d, rate %v", r.Sent, r.Unsent, r.Rate)
		}
	})
}

// TestAClosedLoopAsksLess, and each connection as often as it is answered.
func TestAClosedLoopAsksLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begins, ends int
		pause := func() time.Duration { return 20 * time.Millisecond }
		p := pipes(Plan{Connections: 5, Warmup: time.Second, Duration: 2 * time.Second}, answering(pause))
		p.Window = func(open bool) {
			if open {
				begins++
			} else {
				ends++
			}
		}
		r := mustRun(t, p)
		if r.Replies < 495 || r.Replies > 505 || !near(r.Latency.P99, 20*time.Millisecond) || math.Abs(r.Rate-250) > 3 {
			t.Errorf("replies %d, p99 %v, rate %v", r.Replies, r.Latency.P99, r.Rate)
		}
		if begins != 1 || ends != 1 {
			t.Errorf("the window opened %d times, and closed %d times", begins, ends)
		}
	})
}

// TestTimeouts: a request has Timeout from when it was sent.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
		p := pipes(Plan{Connections: 1, Requests: 3, Timeout: 2 * time.Second}, never)
		began := time.Now()
		r, err := Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		// The first two seconds, a connection at once, two more, and after a
		// pause of 10 ms the last.
		if d := time.Since(began); r.Errors[Timeout] != 3 || d < 6*time.Second || d > 6100*time.Millisecond {
			t.Errorf("%v: %v", d, r.Errors)
		}
	})
}

// TestNobodyComesBack: a limited number of requests at a fixed rate ends, also
// when the server has gone for good.
func TestNobodyComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipes(Plan{Connections: 1, Requests: 5, Rate: 10, Timeout: time.Second}, func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 1))
		})
		dial, n := p.dial, 0
		p.dial = func(ctx context.Context) (net.Conn, error) {
			if n++; n > 1 {
				return nil, io.ErrClosedPipe
			}
			return dial(ctx)
		}
		r, err := Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Replies != 0 || r.Errors[EOF] != 1 || r.Errors[OtherErr] == 0 {
			t.Errorf("replies %d, errors %v", r.Replies, r.Errors)
		}
	})
}
