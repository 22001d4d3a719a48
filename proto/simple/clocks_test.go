package simple_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

func TestChargenPattern(t *testing.T) {
	p := simple.Pattern()
	lines := strings.SplitAfter(string(p), "\r\n")
	if len(lines) != 96 || lines[95] != "" {
		t.Fatalf("%d lines", len(lines))
	}
	// RFC 864's example, of its lines the first, one where the ring closes, and
	// one after that.
	for n, want := range map[int]string{
		0:  "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh",
		1:  "\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghi",
		23: "89:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~ ",
		24: "9:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~ !",
	} {
		if lines[n] != want+"\r\n" {
			t.Errorf("line %d is %q, want %q", n, lines[n], want)
		}
	}
	if lines[94] != " "+lines[0][:71]+"\r\n" {
		t.Errorf("the last line is %q, which does not lead to the first", lines[94])
	}
}

func TestChargen(t *testing.T) {
	want := bytes.Repeat(simple.Pattern(), 20)
	overStreams(t, simple.ChargenHandler, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		got := make([]byte, len(want))
		if n, err := simple.Chargen(t.Context(), c, got[:1000]); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
		// What it gets it throws away, and the end of our half is not the end of its own.
		if err := simple.Discard(t.Context(), c, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := simple.Chargen(t.Context(), c, got[1000:]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Error("it is not the pattern")
		}
	})
}

// A server that stops does not wait for a peer that reads nothing.
func TestChargenStops(t *testing.T) {
	for engine, e := range engines {
		t.Run(engine, func(t *testing.T) {
			l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			srv := &server.Server{Handler: simple.ChargenHandler(), Engine: e(), Limits: server.Limits{Drain: time.Minute}}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- srv.Serve(ctx, l) }()
			c := connect(t, "tcp", l.Addr().String(), nil)
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				t.Error("it waits for the peer to read")
				c.Close()
				<-done
			}
		})
	}
}

func TestChargenPackets(t *testing.T) {
	pattern := simple.Pattern()
	overPackets(t, simple.ChargenPackets, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		lengths := map[int]bool{}
		for range 50 {
			buf := make([]byte, 1000)
			n, err := simple.Chargen(t.Context(), c, buf)
			if err != nil || n > 512 || !bytes.Equal(buf[:n], pattern[:n]) {
				t.Fatal(n, err)
			}
			lengths[n] = true
		}
		if len(lengths) < 2 {
			t.Error("every datagram has the same length")
		}
	})
}

func TestDaytime(t *testing.T) {
	at := time.Date(1982, 2, 22, 17, 37, 43, 0, time.UTC)
	const want = "Monday, February 22, 1982 17:37:43-UTC"
	now := func() time.Time { return at.In(time.FixedZone("EST", -5*3600)) }
	check := func(t *testing.T, dial func() net.Conn) {
		got, err := simple.Daytime(t.Context(), dial())
		if err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	overStreams(t, func() server.Handler { return simple.DaytimeHandler(now) }, check)
	overPackets(t, func() server.PacketHandler { return simple.DaytimePackets(now) }, check)
}

func TestTime(t *testing.T) {
	// RFC 868's own examples, and the count that begins anew in 2036.
	for _, v := range []struct {
		at    time.Time
		count uint32
	}{
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 2208988800},
		{time.Date(1976, 1, 1, 0, 0, 0, 0, time.UTC), 2398291200},
		{time.Date(1983, 5, 1, 0, 0, 0, 0, time.UTC), 2629584000},
		{time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), 4294967295},               // the last
		{time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), 0},                        // the first again
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), 0xed01a615}, // any zone
	} {
		now := func() time.Time { return v.at }
		check := func(t *testing.T, dial func() net.Conn) {
			got, err := simple.Time(t.Context(), dial())
			if err != nil || !got.Equal(v.at) {
				t.Errorf("%v, %v, want %v", got, err, v.at)
			}
		}
		overStreams(t, func() server.Handler { return simple.TimeHandler(now) }, func(t *testing.T, dial func() net.Conn) {
			check(t, dial)
			raw, err := io.ReadAll(dial())
			if err != nil || len(raw) != 4 || binary.BigEndian.Uint32(raw) != v.count {
				t.Errorf("%v is %x (%v), want %d", v.at, raw, err, v.count)
			}
		})
		overPackets(t, func() server.PacketHandler { return simple.TimePackets(now) }, check)
	}
}

func TestTimeOfAnotherLength(t *testing.T) {
	overStreams(t, func() server.Handler { return simple.GreetHandler(nil) }, func(t *testing.T, dial func() net.Conn) {
		if at, err := simple.Time(t.Context(), dial()); err == nil {
			t.Errorf("a greeting was taken for %v", at)
		}
	})
}

// A daytime without end does not fill the memory.
func TestDaytimeEndless(t *testing.T) {
	overStreams(t, simple.ChargenHandler, func(t *testing.T, dial func() net.Conn) {
		if text, err := simple.Daytime(t.Context(), dial()); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	})
}
