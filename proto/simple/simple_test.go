package simple_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

func TestGreet(t *testing.T) {
	var (
		mu    sync.Mutex
		peers []string
	)
	h := func() server.Handler {
		return simple.GreetHandler(func(peer net.Addr) {
			mu.Lock()
			defer mu.Unlock()
			peers = append(peers, socket.Tuple(peer))
		})
	}
	overStreams(t, h, func(t *testing.T, dial func() net.Conn) {
		for range 3 {
			c := dial()
			got, err := simple.Greeting(t.Context(), c)
			if err != nil || got != "Thank you for connecting" {
				t.Fatalf("%q, %v", got, err)
			}
			if c.LocalAddr().Network() != "tcp" {
				continue
			}
			mu.Lock()
			if last := peers[len(peers)-1]; last != socket.Tuple(c.LocalAddr()) {
				t.Errorf("the server heard of %s, the client is %s", last, socket.Tuple(c.LocalAddr()))
			}
			mu.Unlock()
		}
	})
}

func TestEcho(t *testing.T) {
	overStreams(t, simple.EchoHandler, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		big := make([]byte, 3<<20)
		_, _ = rand.Read(big)
		for _, want := range [][]byte{[]byte("Hello, world"), {0}, []byte("a\r\nb\n"), big, []byte("still here")} {
			got, err := simple.Echo(t.Context(), c, want)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes came back as %d others", len(want), len(got))
			}
		}
		// The half that is left still gives the rest (row 47).
		if _, err := io.WriteString(c, "the rest"); err != nil {
			t.Fatal(err)
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(c); err != nil || string(rest) != "the rest" {
			t.Errorf("after the half-close: %q, %v", rest, err)
		}
	})
}

func TestEchoPackets(t *testing.T) {
	overPackets(t, simple.EchoPackets, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		for _, want := range []string{"x", "", strings.Repeat("y", 8000), "\x00\n"} {
			got, err := simple.Echo(t.Context(), c, []byte(want))
			if err != nil || string(got) != want {
				t.Fatalf("%q came back as %q, %v", want, got, err)
			}
		}
	})
}

// upperVectors are those of the tutorials' server on CPython.
var upperVectors = []struct{ in, out string }{
	{"hello\n", "HELLO"},
	{"no line end", "NO LINE END"},
	{"  both \t\x0b\x0c\r\n", "BOTH"},
	{"in  between", "IN  BETWEEN"},
	{"grüße\n", "GRüßE"},
	{"\n", ""},
	{"\x1cnot a blank\x85", "\x1cNOT A BLANK\x85"},
	{"[`{az@", "[`{AZ@"},
	{"\xff\x00z", "\xff\x00Z"},
}

func TestTutorial64_UpperVectors(t *testing.T) {
	for _, v := range upperVectors {
		if got := string(simple.Capitals([]byte(v.in))); got != v.out {
			t.Errorf("Capitals(%q) = %q, want %q", v.in, got, v.out)
		}
	}
	overStreams(t, func() server.Handler { return simple.UpperHandler(nil) }, func(t *testing.T, dial func() net.Conn) {
		for _, v := range upperVectors {
			got, err := simple.Upper(t.Context(), dial(), []byte(v.in))
			if err != nil || string(got) != v.out {
				t.Errorf("%q came back as %q (%v), want %q", v.in, got, err, v.out)
			}
		}
		if got, err := simple.Upper(t.Context(), dial(), bytes.Repeat([]byte("a"), 1000)); err != nil || len(got) != 1000 {
			t.Errorf("1000 bytes came back as %d (%v)", len(got), err)
		}
	})
}

// The server receives 1024 bytes once. A client that sends more in one piece
// may see its connection reset afterwards, as with Python's server: the answer
// has come before that.
func TestTutorial64_UpperLong(t *testing.T) {
	overStreams(t, func() server.Handler { return simple.UpperHandler(nil) }, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if _, err := c.Write(bytes.Repeat([]byte("a"), 5000)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 5000)
		n, err := io.ReadAtLeast(c, got, 1024)
		if err != nil || n != 1024 || string(got[:n]) != strings.Repeat("A", 1024) {
			t.Errorf("5000 bytes gave %d back, %v", n, err)
		}
	})
}

func TestTutorial63_UpperHears(t *testing.T) {
	type heard struct{ host, data string }
	said := make(chan heard, 1)
	h := func() server.Handler {
		return simple.UpperHandler(func(peer net.Addr, data []byte) { said <- heard{peer.Network(), socket.Repr(data)} })
	}
	overStreams(t, h, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if _, err := simple.Upper(t.Context(), c, []byte(" it's \n")); err != nil {
			t.Fatal(err)
		}
		if got, want := <-said, (heard{c.LocalAddr().Network(), `b"it's"`}); got != want {
			t.Errorf("the server heard %q, want %q", got, want)
		}
		// The end of the stream is an empty receive, and answered as one.
		c = dial()
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("nothing gave %q, %v", rest, err)
		}
		if got := <-said; got.data != "b''" {
			t.Errorf("the server heard %q, want b''", got)
		}
	})
}

func TestTutorial68_UpperPackets(t *testing.T) {
	overPackets(t, func() server.PacketHandler { return simple.UpperPackets(nil) }, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		for _, v := range upperVectors {
			got, err := simple.Upper(t.Context(), c, []byte(v.in))
			if err != nil || string(got) != v.out {
				t.Errorf("%q came back as %q (%v), want %q", v.in, got, err, v.out)
			}
		}
		got, err := simple.Upper(t.Context(), c, bytes.Repeat([]byte("b"), 9000))
		if err != nil || string(got) != strings.Repeat("B", 8192) {
			t.Errorf("9000 bytes came back as %d, %v", len(got), err)
		}
	})
}

func TestTutorial69_ShortReceive(t *testing.T) {
	overPackets(t, func() server.PacketHandler { return simple.UpperPackets(nil) }, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if _, err := c.Write(bytes.Repeat([]byte("c"), 2000)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1024)
		if n, err := c.Read(buf); n != 1024 || err != nil {
			t.Errorf("recv(1024) gave %d, %v", n, err)
		}
	})
}

func TestDiscard(t *testing.T) {
	overStreams(t, simple.DiscardHandler, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if err := simple.Discard(t.Context(), c, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("it said %q, %v", rest, err)
		}
	})
	overPackets(t, simple.DiscardPackets, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		if err := simple.Discard(t.Context(), c, []byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("it answered %d bytes", n)
		}
	})
}

// A client that is cancelled returns at once, with the context's error.
func TestCancel(t *testing.T) {
	for _, cause := range []string{"cancel", "deadline"} {
		t.Run(cause, func(t *testing.T) {
			a, b := net.Pipe()
			defer a.Close()
			defer b.Close()
			ctx, cancel := context.WithCancel(t.Context())
			want := context.Canceled
			if cause == "deadline" {
				ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
				want = context.DeadlineExceeded
			} else {
				go cancel()
			}
			defer cancel()
			if _, err := simple.Greeting(ctx, a); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			if _, err := simple.Echo(ctx, a, []byte("x")); !errors.Is(err, want) {
				t.Errorf("when it is over already: %v, want %v", err, want)
			}
		})
	}
}

// An echo that ends early is no echo.
func TestEchoShort(t *testing.T) {
	h := func() server.Handler { return simple.GreetHandler(nil) }
	overStreams(t, h, func(t *testing.T, dial func() net.Conn) {
		got, err := simple.Echo(t.Context(), dial(), make([]byte, 1000))
		if err == nil || len(got) > 24 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// FuzzCapitals compares with what Python's documentation says, in other words.
func FuzzCapitals(f *testing.F) {
	for _, v := range upperVectors {
		f.Add([]byte(v.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := string(in)
		got := simple.Capitals(in)
		if string(in) != kept {
			t.Fatal("the argument was changed")
		}
		want := bytes.Trim(in, " \t\n\r\x0b\f")
		if len(got) != len(want) {
			t.Fatalf("%q gave %q", in, got)
		}
		for i, c := range want {
			if 'a' <= c && c <= 'z' {
				c -= 32
			}
			if got[i] != c {
				t.Fatalf("%q gave %q", in, got)
			}
		}
	})
}
