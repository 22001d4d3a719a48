package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// way is one way to serve datagrams: what a test runs over.
type way struct {
	name    string
	simple  bool // a net.PacketConn that is no *net.UDPConn
	blocks  bool
	options server.PacketOptions
}

func overWays(t *testing.T, f func(t *testing.T, w way)) {
	for _, w := range []way{
		{name: "inline/batch"},
		{name: "inline/batch/one socket", options: server.PacketOptions{Sockets: 1}},
		{name: "inline/batch/without GSO and GRO", options: server.PacketOptions{NoGSO: true, NoGRO: true, Sockets: 3}},
		{name: "inline/simple", simple: true},
		{name: "blocks/batch", blocks: true},
		{name: "blocks/simple", simple: true, blocks: true},
	} {
		t.Run(w.name, func(t *testing.T) { f(t, w) })
	}
}

type packetHandler = func(ctx context.Context, p *server.Packet) error

// hearing is a server of datagrams under test.
type hearing struct {
	t    *testing.T
	srv  *server.Server
	addr *net.UDPAddr
	stop func()
	done chan error
}

func (w way) start(t *testing.T, f packetHandler) *hearing {
	return w.startAt(t, "127.0.0.1:0", &server.Server{}, f)
}

func (w way) startAt(t *testing.T, at string, srv *server.Server, f packetHandler) *hearing {
	t.Helper()
	pc, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Skipf("no socket at %s here: %v", at, err)
	}
	return w.startOn(t, pc, srv, f)
}

func (w way) startOn(t *testing.T, pc net.PacketConn, srv *server.Server, f packetHandler) *hearing {
	srv.PacketOptions = w.options
	srv.Packets = server.InlineDatagram(f)
	if w.blocks {
		srv.Packets = server.Datagram(f)
	}
	h := &hearing{t: t, srv: srv, done: make(chan error, 1)}
	h.addr, _ = pc.LocalAddr().(*net.UDPAddr)
	if udp, ok := pc.(*net.UDPConn); ok && w.simple {
		_ = udp.SetReadBuffer(4 << 20) // a burst of many peers fits, else it is the kernel that loses
	}
	if w.simple {
		pc = struct{ net.PacketConn }{pc}
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	go func() { h.done <- srv.ServePacket(ctx, pc) }()
	t.Cleanup(func() { h.end() })
	return h
}

// end stops the server and returns what ServePacket did.
func (h *hearing) end() error {
	h.stop()
	select {
	case err := <-h.done:
		h.done <- err
		return err
	case <-time.After(20 * time.Second):
		h.t.Fatal("ServePacket does not return")
		return nil
	}
}

// dial is a socket connected to the server: it hears no other address.
func (h *hearing) dial() *net.UDPConn { return h.dialTo(h.addr) }

func (h *hearing) dialTo(to *net.UDPAddr) *net.UDPConn {
	h.t.Helper()
	c, err := net.DialUDP("udp", nil, to)
	if err != nil {
		h.t.Skipf("no socket to %s here: %v", to, err)
	}
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	_ = c.SetReadBuffer(1 << 20)
	h.t.Cleanup(func() { c.Close() })
	return c
}

func tell(t *testing.T, c net.Conn, data []byte) {
	t.Helper()
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
}

func hears(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	buf := make([]byte, server.MaxPacket)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("waiting for %d bytes: %v", len(want), err)
	}
	if !bytes.Equal(buf[:n], want) {
		t.Fatalf("got %d bytes %.40q, want %d bytes %.40q", n, buf[:n], len(want), want)
	}
}

func echoPacket(_ context.Context, p *server.Packet) error { return p.Reply(p.Data) }

// pattern is n bytes that tell their place.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed + i*7 + i>>8)
	}
	return b
}

func TestDatagramsOfEverySize(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		h := w.start(t, echoPacket)
		c := h.dial()
		var sum uint64
		sizes := []int{0, 1, 64, 1200, 0, 1472, 1473, 9000, 65507, 3}
		for i, n := range sizes {
			tell(t, c, pattern(i, n))
			hears(t, c, pattern(i, n))
			sum += uint64(n)
		}
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
		got := h.srv.Counters()
		if n := uint64(len(sizes)); got.Packets != n || got.Turns != n || got.In != sum || got.Out != sum || got.Lost != 0 {
			t.Errorf("counted %+v, want %d packets of %d bytes", got, n, sum)
		}
	})
}

func TestDatagramsOfManyPeers(t *testing.T) {
	const peers, rounds, window = 60, 20, 8
	overWays(t, func(t *testing.T, w way) {
		h := w.start(t, echoPacket)
		var wg sync.WaitGroup
		for i := range peers {
			c := h.dial()
			wg.Go(func() { ask(t, c, i, rounds, window) })
		}
		wg.Wait()
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
		if got := h.srv.Counters(); got.Packets != peers*rounds*window || got.Lost != 0 {
			t.Errorf("counted %d packets, %d lost, want %d", got.Packets, got.Lost, peers*rounds*window)
		}
	})
}

// ask sends windows of numbered datagrams and wants each back, in any order: a
// sender that is moved to another core changes it even on loopback.
func ask(t *testing.T, c net.Conn, peer, rounds, window int) {
	buf := make([]byte, 2048)
	for round := range rounds {
		missing := map[uint32]bool{}
		for i := range window {
			number := uint32(round*window + i)
			missing[number] = true
			data := pattern(peer, 8+(i/3)*50) // runs of one size, and others
			binary.BigEndian.PutUint32(data, number)
			if _, err := c.Write(data); err != nil {
				t.Error(err)
				return
			}
		}
		for range window {
			n, err := c.Read(buf)
			if err != nil {
				t.Errorf("peer %d waiting in round %d: %v", peer, round, err)
				return
			}
			number := binary.BigEndian.Uint32(buf)
			if !missing[number] {
				t.Errorf("peer %d got number %d, not one of round %d, or again", peer, number, round)
				return
			}
			delete(missing, number)
			if want := pattern(peer, 8+int(number)%window/3*50); !bytes.Equal(buf[4:n], want[4:]) {
				t.Errorf("peer %d: number %d came back as %q", peer, number, buf[:n])
				return
			}
		}
	}
}

func TestRepliesKeepWhatTheySay(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		var mu sync.Mutex
		scratch := make([]byte, 0, 64)
		h := w.start(t, func(_ context.Context, p *server.Packet) error {
			mu.Lock()
			defer mu.Unlock()
			for i := range 3 { // one buffer for all replies
				scratch = append(fmt.Appendf(scratch[:0], "%d ", i), p.Data...)
				if err := p.Reply(scratch); err != nil {
					return err
				}
			}
			longer := append(p.Data, "!"...) // must not reach into what follows
			return errors.Join(p.Reply(p.Data[1:]), p.Reply(p.Data[:1]), p.Reply(nil), p.Reply(longer))
		})
		c := h.dial()
		for _, word := range []string{"apple", "plums", "pears"} {
			if w.blocks { // else they would be answered in any order
				tell(t, c, []byte(word))
				hearsAll(t, c, word)
				continue
			}
			tell(t, c, []byte(word))
		}
		if !w.blocks {
			for _, word := range []string{"apple", "plums", "pears"} {
				hearsAll(t, c, word)
			}
		}
	})
}

func hearsAll(t *testing.T, c net.Conn, word string) {
	t.Helper()
	for _, want := range []string{"0 " + word, "1 " + word, "2 " + word, word[1:], word[:1], "", word + "!"} {
		hears(t, c, []byte(want))
	}
}

func TestManyRepliesToOneDatagram(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		const replies = 200 // more than a batch and the room for copies hold
		h := w.start(t, func(_ context.Context, p *server.Packet) error {
			for i := range replies {
				if err := p.Reply(pattern(i, 1000+i%5)); err != nil {
					return err
				}
			}
			return nil
		})
		c := h.dial()
		tell(t, c, []byte("go"))
		for i := range replies {
			hears(t, c, pattern(i, 1000+i%5))
		}
	})
}

func TestPanicEndsOneDatagram(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		h := w.start(t, func(_ context.Context, p *server.Packet) error {
			switch string(p.Data) {
			case "panic":
				panic("asked for")
			case "fail":
				return errors.New("asked for")
			}
			return p.Reply(p.Data)
		})
		c := h.dial()
		for _, word := range []string{"panic", "1", "fail", "panic", "2"} {
			tell(t, c, []byte(word))
			if len(word) == 1 {
				hears(t, c, []byte(word))
			}
		}
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
		got := h.srv.Counters()
		if got.Errors["panic"] != 2 || got.Errors["other"] != 1 || got.Turns != 5 {
			t.Errorf("counted %v in %d turns", got.Errors, got.Turns)
		}
	})
}

func TestReplyThatIsTooLong(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		got := make(chan error, 1)
		h := w.start(t, func(_ context.Context, p *server.Packet) error {
			if string(p.Data) == "long" {
				got <- p.Reply(make([]byte, 65508))
			}
			return p.Reply([]byte("next"))
		})
		c := h.dial()
		tell(t, c, []byte("long"))
		if err := <-got; !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("got %v, want EMSGSIZE", err)
		}
		hears(t, c, []byte("next"))
		if n := h.srv.Counters().Lost; n != 1 {
			t.Errorf("counted %d lost, want 1", n)
		}
	})
}

func TestStoppingWaitsForHandlers(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		if !w.blocks {
			t.Skip("an inline handler waits for nothing")
		}
		began, release := make(chan struct{}), make(chan struct{})
		h := w.start(t, func(ctx context.Context, p *server.Packet) error {
			close(began)
			<-server.Stopping(ctx)
			<-release
			return errors.Join(ctx.Err(), p.Reply([]byte("late")))
		})
		c := h.dial()
		tell(t, c, []byte("x"))
		<-began
		h.stop()
		close(release)
		hears(t, c, []byte("late"))
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStoppingCutsHandlersAfterDrain(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		if !w.blocks {
			t.Skip("an inline handler waits for nothing")
		}
		began, cut := make(chan struct{}), make(chan error, 1)
		srv := &server.Server{Limits: server.Limits{Drain: time.Millisecond}}
		h := w.startAt(t, "127.0.0.1:0", srv, func(ctx context.Context, _ *server.Packet) error {
			close(began)
			<-ctx.Done()
			cut <- context.Cause(ctx)
			return ctx.Err()
		})
		tell(t, h.dial(), []byte("x"))
		<-began
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
		if why := <-cut; !errors.Is(why, server.ErrCut) {
			t.Errorf("cut with %v", why)
		}
	})
}

func TestServerHearsDatagrams(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		var mu sync.Mutex
		var events []string
		srv := &server.Server{Packet: func(e server.PacketEvent) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, fmt.Sprintf("%v %s %s", e.Ours, e.Data, e.Peer))
		}}
		h := w.startAt(t, "127.0.0.1:0", srv, func(_ context.Context, p *server.Packet) error {
			return p.Reply([]byte("to " + p.AddrPort().String()))
		})
		c := h.dial()
		us := c.LocalAddr().String()
		tell(t, c, []byte("hello"))
		hears(t, c, []byte("to "+us))
		if err := h.end(); err != nil {
			t.Fatal(err)
		}
		want := "false hello " + us + ", true to " + us + " " + us
		if got := strings.Join(events, ", "); got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

func TestUnixDatagramsThatAreCut(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no unixgram on windows")
	}
	dir := servertest.Dir(t)
	at := func(name string) *net.UnixAddr {
		return &net.UnixAddr{Name: filepath.Join(dir, name), Net: "unixgram"}
	}
	pc, err := net.ListenUnixgram("unixgram", at("s"))
	if err != nil {
		t.Fatal(err)
	}
	none := make(chan error, 1)
	way{}.startOn(t, pc, &server.Server{}, func(_ context.Context, p *server.Packet) error {
		if p.Peer() == nil {
			none <- p.Reply(nil)
			return nil
		}
		return p.Reply(fmt.Appendf(nil, "%d %v", len(p.Data), p.Short))
	})
	c, err := net.DialUnix("unixgram", at("c"), at("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	tell(t, c, make([]byte, 100))
	hears(t, c, []byte("100 false"))
	if _, err := c.Write(make([]byte, server.MaxPacket+1)); err != nil {
		t.Skipf("no Unix datagram of 64 KiB here: %v", err)
	}
	hears(t, c, []byte("65535 true"))
	nameless, err := net.DialUnix("unixgram", nil, at("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer nameless.Close()
	tell(t, nameless, nil)
	if err := <-none; !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("replied to nobody: %v", err)
	}
}

func TestDatagramPortIsTaken(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		h := w.start(t, echoPacket)
		c := h.dial()
		tell(t, c, []byte("up"))
		hears(t, c, []byte("up")) // so the sockets share the port by now
		if pc, err := net.ListenPacket("udp", h.addr.String()); err == nil {
			pc.Close()
			t.Error("a second program can listen on the port")
		}
	})
}

func BenchmarkDatagramEcho(b *testing.B) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	srv := &server.Server{Packets: server.InlineDatagram(echoPacket)}
	go func() { done <- srv.ServePacket(ctx, pc) }()
	defer func() { cancel(); <-done }()
	c, err := net.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}
