package conv_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/wire"
)

func goroutines() int { return runtime.NumGoroutine() }

// ear writes down what it hears: "<" is the peer's, ">" ours.
type ear struct{ heard []string }

func (e *ear) Hear(u conv.Utterance) {
	who := "<"
	if u.Ours {
		who = ">"
	}
	switch {
	case u.Event != conv.Said:
		e.heard = append(e.heard, u.Event.String())
	case u.Secret:
		e.heard = append(e.heard, fmt.Sprintf("%s%s(%d)", who, u.Bytes, u.Hidden))
	default:
		e.heard = append(e.heard, who+string(u.Bytes))
	}
	if u.Time.IsZero() {
		e.heard = append(e.heard, "no time")
	}
}

func (e *ear) want(t *testing.T, want ...string) {
	t.Helper()
	got := strings.Join(e.heard, "|")
	if got != strings.Join(want, "|") {
		t.Errorf("heard %q\nwant  %q", got, strings.Join(want, "|"))
	}
}

// safeEar hears several goroutines.
type safeEar struct {
	mu sync.Mutex
	n  int
}

func (e *safeEar) Hear(u conv.Utterance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n += len(u.Bytes)
}

func line(t *testing.T, c *conv.Conn, want string) {
	t.Helper()
	if got, err := c.R.Line(); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func answer(t *testing.T, c *conv.Conn, text string) {
	t.Helper()
	if err := c.W.LineString(text); err != nil {
		t.Fatal(err)
	}
}

func TestTapOrder(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "one\r\ntwo\r\nthree")
	c.Tell(conv.Utterance{Event: conv.Opened})
	line(t, c, "one")
	answer(t, c, "1")
	line(t, c, "two")
	answer(t, c, "2")
	say(t, peer, "\r\n")
	line(t, c, "three")
	answer(t, c, "3")
	c.W.Flush()
	peer.Close()
	if _, err := c.R.Line(); err != io.EOF {
		t.Fatal(err)
	}
	c.Tell(conv.Utterance{Event: conv.Closed})
	// What was read is heard when more is needed; pipelined answers leave, and
	// are heard, together.
	e.want(t, "opened", "<one\r\ntwo\r\n", ">1\r\n2\r\n", "<three\r\n", ">3\r\n", "ended", "closed")
}

// TestTapHearsTheRequestFirst is for an answer that is longer than the
// Writer's storage.
func TestTapHearsTheRequestFirst(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "RETR 1\r\n")
	line(t, c, "RETR 1")
	long := strings.Repeat("x", 5000)
	if _, err := c.W.WriteString(long); err != nil {
		t.Fatal(err)
	}
	e.want(t, "<RETR 1\r\n", ">"+long)
}

func TestSecret(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "AUTH LOGIN\r\nann\r\npass")
	line(t, c, "AUTH LOGIN")
	answer(t, c, "334 go")
	err := c.Secret(func() error {
		line(t, c, "ann")
		answer(t, c, "334 on")
		say(t, peer, "word\r\nNOOP\r\n") // pipelined behind the secret
		line(t, c, "password")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	answer(t, c, "235 in")
	line(t, c, "NOOP")
	answer(t, c, "250 ok")
	c.W.Flush()
	e.want(t, "<AUTH LOGIN\r\n", ">334 go\r\n", "<***(5)", ">***(8)", "<***(10)", "<NOOP\r\n", ">235 in\r\n250 ok\r\n")
	for _, h := range e.heard {
		if strings.Contains(h, "ann") || strings.Contains(h, "pass") || strings.Contains(h, "word") {
			t.Errorf("heard %q", h)
		}
	}
}

func TestSecretNests(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "a\r\nb\r\nc\r\n")
	c.Secret(func() error {
		c.Secret(func() error { line(t, c, "a"); return nil })
		line(t, c, "b")
		return nil
	})
	line(t, c, "c")
	c.TellTurn()
	e.want(t, "<***(6)", "<c\r\n")
}

func TestSecretWithoutTap(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	say(t, peer, "x\r\n")
	ran := false
	if err := c.Secret(func() error { line(t, c, "x"); ran = true; return io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) || !ran {
		t.Fatal(err)
	}
	c.Redact(0)
}

func TestRedact(t *testing.T) {
	for at := range len("PASS secret\r\nSTAT\r\n") {
		e := &ear{}
		c, peer := pair(t, conv.Options{Tap: e})
		whole := "PASS secret\r\nSTAT\r\n"
		say(t, peer, whole[:at])
		done := make(chan struct{})
		go func() { // the rest comes while the line is read, or lies there already
			defer close(done)
			say(t, peer, whole[at:])
		}()
		line(t, c, "PASS secret")
		c.Redact(len("PASS "))
		<-done
		answer(t, c, "+OK")
		line(t, c, "STAT")
		c.TellTurn()
		all := strings.Join(e.heard, "|")
		if strings.Contains(all, "secret") || !strings.Contains(all, "<PASS |<***(8)") || !strings.HasSuffix(all, "<STAT\r\n") {
			t.Fatalf("cut at %d: heard %q", at, all)
		}
	}
}

func TestRedactKeepsNoMoreThanThereIs(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	say(t, peer, "PA\r\n")
	line(t, c, "PA")
	c.Redact(100)
	e.want(t, "<PA\r\n")
}

func TestTapHearsTheReset(t *testing.T) {
	e := &ear{}
	a, b := transcript.Pipe()
	c := conv.New(a, conv.Options{Tap: e})
	defer c.Abort()
	b.SetLinger(0)
	b.Close()
	if _, err := c.R.Line(); err == nil || err == io.EOF {
		t.Fatal(err)
	}
	e.want(t, "reset")
}

func TestTapHearsTheView(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	nc := c.NetConn()
	say(t, nc, "out")
	say(t, peer, "in")
	if n, err := nc.Read(make([]byte, 10)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	peer.Close()
	if _, err := nc.Read(make([]byte, 10)); err != io.EOF {
		t.Fatal(err)
	}
	e.want(t, ">out", "<in", "ended")
}

func TestTapEndsAndBegins(t *testing.T) {
	e := &ear{}
	c, peer := pair(t, conv.Options{Tap: e})
	if !c.Tapped() {
		t.Fatal("nobody hears")
	}
	c.SetTap(nil)
	say(t, peer, "unheard\r\n")
	line(t, c, "unheard")
	c.Tell(conv.Utterance{Event: conv.Opened})
	c.TellTurn()
	if e.want(t); c.Tapped() {
		t.Fatal("somebody hears")
	}
}

func TestTaps(t *testing.T) {
	if conv.Taps() != nil || conv.Taps(nil, nil) != nil {
		t.Error("nobody is somebody")
	}
	a, b := &ear{}, &ear{}
	if conv.Taps(nil, a) != conv.Tap(a) {
		t.Error("one is not himself")
	}
	conv.Taps(a, nil, b).Hear(conv.Utterance{Event: conv.Opened})
	if len(a.heard) == 0 || len(b.heard) == 0 {
		t.Error("one did not hear")
	}
}

func TestHereNeverWaits(t *testing.T) {
	c, peer := pair(t, conv.Options{})
	say(t, peer, "whole\r\nhal")
	line(t, c, "whole")
	c.Here = true
	mark := c.R.Mark()
	if _, err := c.R.Line(); err != wire.ErrWait {
		t.Fatal(err)
	}
	c.R.Rewind(mark)
	c.Here = false
	say(t, peer, "f\r\n")
	line(t, c, "half")
}
