package faults_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv/faults"
)

// mail is a datagram socket in memory: what is written at one is read at the
// other, in order.
type mail struct {
	in, out  chan string
	mu       sync.Mutex
	until    time.Time
	changed  chan struct{}
	closed   chan struct{}
	closeOne sync.Once
}

func mailPair() (a, b *mail) {
	x, y := make(chan string, 1000), make(chan string, 1000)
	return &mail{in: x, out: y, changed: make(chan struct{}), closed: make(chan struct{})},
		&mail{in: y, out: x, changed: make(chan struct{}), closed: make(chan struct{})}
}

func (m *mail) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		m.mu.Lock()
		until, changed := m.until, m.changed
		m.mu.Unlock()
		var late <-chan time.Time
		if !until.IsZero() {
			timer := time.NewTimer(time.Until(until))
			defer timer.Stop()
			late = timer.C
		}
		select {
		case s := <-m.in:
			return copy(p, s), m.LocalAddr(), nil
		case <-late:
			return 0, nil, os.ErrDeadlineExceeded
		case <-m.closed:
			return 0, nil, net.ErrClosed
		case <-changed:
		}
	}
}

func (m *mail) WriteTo(p []byte, _ net.Addr) (int, error) {
	select {
	case <-m.closed:
		return 0, net.ErrClosed
	default:
		m.out <- string(p)
		return len(p), nil
	}
}

func (m *mail) SetReadDeadline(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = t
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

func (m *mail) Close() error                     { m.closeOne.Do(func() { close(m.closed) }); return nil }
func (m *mail) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (m *mail) SetDeadline(t time.Time) error    { return m.SetReadDeadline(t) }
func (m *mail) SetWriteDeadline(time.Time) error { return nil }

// carried sends 1 to n through rules and gives what arrives, in order.
func carried(t *testing.T, dir faults.Dir, n int, rules ...faults.Rule) (out []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := mailPair()
		from, to := net.PacketConn(a), net.PacketConn(b)
		if dir == faults.Out {
			from = faults.PacketConn(a, rules...)
		} else {
			to = faults.PacketConn(b, rules...)
		}
		defer from.Close()
		defer to.Close()
		for i := range n {
			if _, err := fmt.Fprintf(writer{from}, "%d", i+1); err != nil {
				t.Fatal(err)
			}
		}
		to.SetReadDeadline(time.Now().Add(time.Minute))
		buf := make([]byte, 100)
		for {
			k, _, err := to.ReadFrom(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(buf[:k]))
		}
	})
	return out
}

type writer struct{ net.PacketConn }

func (w writer) Write(p []byte) (int, error) { return w.WriteTo(p, w.LocalAddr()) }

func TestDatagrams(t *testing.T) {
	for _, c := range []struct {
		rule faults.Rule
		want string
	}{
		{faults.Rule{Do: faults.Lose, N: 3}, "1 2 4 5"},
		{faults.Rule{Do: faults.Lose, Times: 2}, "3 4 5"},
		{faults.Rule{Do: faults.Lose}, ""},
		{faults.Rule{Do: faults.Duplicate, N: 2}, "1 2 2 3 4 5"},
		{faults.Rule{Do: faults.Reorder, N: 2}, "1 3 2 4 5"},
		{faults.Rule{Do: faults.Reorder, N: 5}, "1 2 3 4 5"}, // nothing follows; it comes after a while
		{faults.Rule{Do: faults.Delay, N: 1, Delay: time.Second}, "2 3 4 5 1"},
		{faults.Rule{Do: faults.Garble, N: 4, Seed: 2}, "1 2 3 ? 5"},
		{faults.Rule{Do: faults.Reset}, "1 2 3 4 5"}, // is for streams
	} {
		for _, dir := range []faults.Dir{faults.In, faults.Out} {
			got := carried(t, dir, 5, c.rule)
			if c.rule.Do == faults.Garble && len(got) == 5 && got[3] != "4" {
				got[3] = "?"
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v %v: %q, want %q", dir, c.rule, got, c.want)
			}
		}
		other := c.rule
		other.Dir = faults.Out
		if got := carried(t, faults.In, 5, other); len(got) != 5 {
			t.Errorf("%v acts on input: %q", other, got)
		}
	}
}

// In a datagram after= is a place.
func TestGarbleWithinADatagram(t *testing.T) {
	for _, dir := range []faults.Dir{faults.In, faults.Out} {
		got := carried(t, dir, 120, faults.Rule{Do: faults.Garble, After: 2, Seed: 2}, faults.Rule{Do: faults.Delay, After: 3, Delay: time.Second})
		for i, text := range got {
			want := fmt.Sprint(i + 1)
			switch {
			case len(want) < 3 && text == want:
			case len(want) == 3 && len(text) == 3 && text[:2] == want[:2] && text[2] != want[2]:
			default:
				t.Errorf("%v: %q came as %q", dir, want, text)
			}
		}
		if len(got) != 120 {
			t.Errorf("%v: %d came", dir, len(got))
		}
	}
}

// A rule without dir= and without a verb changes, doubles or delays what a
// server sends, not what it is sent too.
func TestAnswersAloneAreDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, far := mailPair()
		set := faults.NewSet(rules(t, "echo do=duplicate", "echo do=delay delay=1s"), nil)
		under := set.Packets("echo", far)
		go func() {
			b := make([]byte, 100)
			for {
				n, peer, err := under.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = under.WriteTo(b[:n], peer)
			}
		}()
		began := time.Now()
		fmt.Fprint(writer{client}, "x")
		_ = client.SetReadDeadline(began.Add(time.Minute))
		b := make([]byte, 100)
		var times []time.Duration
		for {
			if _, _, err := client.ReadFrom(b); err != nil {
				break
			}
			times = append(times, time.Since(began))
		}
		if fmt.Sprint(times) != "[1s 1s]" {
			t.Errorf("answers after %v", times)
		}
		under.Close()
	})
}

// TestTutorial70_LossInjector loses a tenth: exactly the datagrams that the
// seed says, and no others.
func TestTutorial70_LossInjector(t *testing.T) {
	rule := faults.Rule{Do: faults.Lose, P: 0.1, Seed: 70}
	first := carried(t, faults.Out, 1000, rule)
	lost := 1000 - len(first)
	if lost < 60 || lost > 150 {
		t.Errorf("%d of 1000 lost at p=0.1", lost)
	}
	if again := carried(t, faults.Out, 1000, rule); strings.Join(again, " ") != strings.Join(first, " ") {
		t.Error("the same seed loses others")
	}
	fired := map[string]bool{}
	l := &log{}
	synctest.Test(t, func(t *testing.T) {
		a, b := mailPair()
		defer b.Close()
		set := faults.NewSet([]faults.Rule{{Service: "echo", Do: faults.Lose, P: 0.1, Seed: 70, Dir: faults.Out}}, func(f faults.Fired) {
			l.fired(f)
			fired[fmt.Sprint(f.At)] = true
		})
		pc := set.Packets("echo", a)
		defer pc.Close()
		for i := range 1000 {
			fmt.Fprintf(writer{pc}, "%d", i+1)
		}
	})
	if len(fired) != lost {
		t.Errorf("%d are reported lost, %d are", len(fired), lost)
	}
	for _, arrived := range first {
		if fired[arrived] {
			t.Errorf("datagram %s is reported lost and arrived", arrived)
		}
	}
}

func TestDatagramsOverUDP(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	set := faults.NewSet(rules(t, "upper do=lose n=1 dir=in", "upper do=duplicate n=1 dir=out", "upper do=close"), nil)
	under := set.Packets("upper", pc)
	defer under.Close()
	if set.Packets("echo", pc) != pc {
		t.Error("rules of another service")
	}
	c, err := net.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	deadline := time.Now().Add(10 * time.Second)
	c.SetDeadline(deadline)
	under.SetDeadline(deadline)
	for _, text := range []string{"lost", "kept"} {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	n, from, err := under.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "kept" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	if _, err := under.WriteTo([]byte("twice"), from); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "twice" {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
}

func TestDatagramsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := mailPair()
		defer b.Close()
		pc := faults.PacketConn(a, faults.Rule{Do: faults.Delay, Delay: time.Second})
		fmt.Fprint(writer{pc}, "never")
		done := make(chan error)
		go func() { _, _, err := pc.ReadFrom(make([]byte, 10)); done <- err }()
		synctest.Wait()
		pc.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := fmt.Fprint(writer{pc}, "x"); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		time.Sleep(time.Minute) //nolint:forbidigo // synctest's clock: what was late would have left
		if len(b.in) != 0 {
			t.Error("it left after Close")
		}
	})
}
