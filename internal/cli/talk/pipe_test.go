package talk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/internal/cli/talk"
)

// halves is one end of a net.Pipe that can be half closed.
type halves struct {
	net.Conn
	closeWrite func()
}

func (h halves) CloseWrite() error { h.closeWrite(); return nil }

func Example() {
	near, far := net.Pipe()
	go func() { // a far end that says everything in capitals
		defer far.Close()
		b := make([]byte, 64)
		n, _ := far.Read(b)
		_, _ = far.Write(bytes.ToUpper(b[:n]))
	}()
	in := talk.NewInput(strings.NewReader("hello\n"))
	if err := talk.Pipe(context.Background(), talk.Stream(near), in, os.Stdout, talk.Options{}); err != nil {
		os.Stdout.WriteString(err.Error())
	}
	// Output: HELLO
}

func TestDatagramsWaitForAnswersASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		go func() {
			b := make([]byte, 64)
			n, err := far.Read(b)
			if err != nil {
				t.Error(err)
			}
			<-time.After(900 * time.Millisecond) // of synctest's clock
			_, _ = far.Write(bytes.ToUpper(b[:n]))
			<-time.After(900 * time.Millisecond) // an answer starts the second anew
			_, _ = far.Write([]byte("more"))
			_, _ = io.Copy(io.Discard, far)
		}()
		var out bytes.Buffer
		began := time.Now()
		err := talk.Pipe(t.Context(), talk.Packets(near), talk.NewInput(strings.NewReader("hi ")), &out, talk.Options{})
		if took := time.Since(began); err != nil || out.String() != "HI more" || took != 2800*time.Millisecond {
			t.Errorf("%v, %q after %v", err, out.String(), took)
		}
		far.Close()
	})
}

func TestSilenceEndsTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		in, typing := io.Pipe()
		go func() {
			for range 3 {
				<-time.After(4 * time.Second)
				_, _ = io.WriteString(typing, "still here\n")
			}
		}()
		heard := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(io.Discard, far)
			heard <- n
		}()
		began := time.Now()
		err := talk.Pipe(t.Context(), talk.Stream(near), talk.NewInput(in), io.Discard, talk.Options{Idle: 5 * time.Second})
		if took := time.Since(began); err != nil || took != 17*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if n := <-heard; n != 33 {
			t.Errorf("the peer got %d bytes", n)
		}
		typing.Close()
	})
}

func TestWhatTheInputHoldsIsSentToAPeerThatClosedItsHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		back, words := io.Pipe() // what near reads: it ends before far stops listening
		got := make(chan string, 1)
		go func() {
			words.Close()
			b, _ := io.ReadAll(far)
			got <- string(b)
		}()
		said := strings.Repeat("line\n", 100_000)
		conn := struct {
			io.Reader
			halves
		}{back, halves{near, func() { near.Close() }}}
		if err := talk.Pipe(t.Context(), talk.Stream(conn), talk.NewInput(strings.NewReader(said)), io.Discard, talk.Options{}); err != nil {
			t.Error(err)
		}
		if g := <-got; g != said {
			t.Errorf("the peer got %d of %d bytes", len(g), len(said))
		}
	})
}

func TestThePeersEndIsOursWhileTheInputWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		in, typing := io.Pipe()
		go func() {
			_, _ = io.WriteString(far, "bye\n")
			far.Close()
		}()
		var out bytes.Buffer
		if err := talk.Pipe(t.Context(), talk.Stream(near), talk.NewInput(in), &out, talk.Options{}); err != nil || out.String() != "bye\n" {
			t.Errorf("%v, %q", err, out.String())
		}
		typing.Close()
	})
}

func TestACancelledPipeEndsAtOnce(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() {
		b := make([]byte, 2)
		_, _ = io.ReadFull(far, b)
		cancel(why)
	}()
	go func() { _, _ = io.WriteString(typing, "hi") }()
	if err := talk.Pipe(ctx, talk.Stream(near), talk.NewInput(in), io.Discard, talk.Options{}); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func TestABrokenInputAndOutputAreToldApart(t *testing.T) {
	broken := errors.New("broken")
	near, far := net.Pipe()
	defer far.Close()
	err := talk.Pipe(t.Context(), talk.Stream(near), talk.NewInput(failing{broken}), io.Discard, talk.Options{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "input") {
		t.Errorf("input: %v", err)
	}
	near, far2 := net.Pipe()
	defer far2.Close()
	go func() { _, _ = far2.Write([]byte("x")) }()
	err = talk.Pipe(t.Context(), talk.Stream(near), talk.NewInput(strings.NewReader("")), failing{broken}, talk.Options{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "received") {
		t.Errorf("output: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestOneInputServesManyConversations(t *testing.T) {
	in, typing := io.Pipe()
	shared := talk.NewInput(in)
	for _, word := range []string{"first", "second"} {
		near, far := net.Pipe()
		go func() { _, _ = io.WriteString(typing, word) }()
		got := make(chan string, 1)
		go func() {
			b := make([]byte, 16)
			n, _ := far.Read(b)
			got <- string(b[:n])
			far.Close()
		}()
		if err := talk.Pipe(t.Context(), talk.Stream(near), shared, io.Discard, talk.Options{}); err != nil {
			t.Error(err)
		}
		if g := <-got; g != word {
			t.Errorf("%q, want %q", g, word)
		}
	}
	typing.Close()
}

func TestAListeningSocketAnswersWhoCameFirst(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := talk.Answer(pc)
	defer a.Close()
	wait := make(chan error, 1)
	go func() { _, err := a.Write([]byte("answer")); wait <- err }()
	dial := func() net.Conn {
		c, err := net.Dial("udp4", pc.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, other := dial(), dial()
	defer first.Close()
	defer other.Close()
	b := make([]byte, 64)
	for _, step := range []struct {
		from net.Conn
		say  string
	}{{first, "one"}, {other, "not heard"}, {first, "two"}} {
		if _, err := step.from.Write([]byte(step.say)); err != nil {
			t.Fatal(err)
		}
		if step.from == other {
			continue
		}
		if n, err := a.Read(b); err != nil || string(b[:n]) != step.say {
			t.Errorf("%q, %v; want %q", b[:n], err, step.say)
		}
	}
	if err := <-wait; err != nil {
		t.Error(err)
	}
	if n, err := first.Read(b); err != nil || string(b[:n]) != "answer" {
		t.Errorf("%q, %v", b[:n], err)
	}
}
