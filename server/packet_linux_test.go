package server_test

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// control calls f with the descriptor of c, and gives its error.
func control(t *testing.T, c syscall.Conn, f func(fd int) error) error {
	t.Helper()
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var ferr error
	if err := rc.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	return ferr
}

// sendBatch sends b at c as one train, where the system knows them.
func sendBatch(t *testing.T, c syscall.Conn, b *socket.SendBatch) {
	t.Helper()
	if err := control(t, c, func(fd int) error { _, err := b.SendFD(fd); return err }); err != nil {
		t.Fatal(err)
	}
}

func TestTrainsComeApart(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		for _, sizes := range [][]int{
			{100, 100, 100}, {100, 100, 7}, {1200, 1200, 1200, 1200, 1}, {1, 1, 1, 1}, {33, 33, 33, 32}, {9000, 9000, 100},
			{500, 500, 0, 500, 500, 600, 600, 1}, {8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000},
		} {
			h := w.start(t, echoPacket)
			c := h.dial()
			b := socket.NewSendBatch(socket.AF_INET, socket.BatchOptions{})
			for i, n := range sizes {
				if !b.Add(pattern(i, n), netip.AddrPort{}, netip.Addr{}) {
					t.Fatal("no room")
				}
			}
			sendBatch(t, c, b)
			// Each comes back whole and once. In which order is nobody's promise:
			// even the loopback interface changes it when the sender is moved to
			// another core.
			left := map[string]int{}
			for i, n := range sizes {
				left[string(pattern(i, n))]++
			}
			buf := make([]byte, server.MaxPacket)
			for i := range sizes {
				m, err := c.Read(buf)
				if err != nil {
					t.Fatalf("%v: waiting for datagram %d: %v", sizes, i, err)
				}
				if left[string(buf[:m])]--; left[string(buf[:m])] < 0 {
					t.Fatalf("%v: a datagram of %d bytes that was not sent, or sent once less", sizes, m)
				}
			}
			if err := h.end(); err != nil {
				t.Fatal(err)
			}
			if n := h.srv.Counters().Packets; n != uint64(len(sizes)) {
				t.Errorf("%v: counted %d datagrams", sizes, n)
			}
		}
	})
}

// A panic in the middle of a train does not take the rest along.
func TestPanicInTrain(t *testing.T) {
	h := way{}.start(t, func(_ context.Context, p *server.Packet) error {
		if p.Data[0] == 'p' {
			panic("asked for")
		}
		return p.Reply(p.Data)
	})
	c := h.dial()
	b := socket.NewSendBatch(socket.AF_INET, socket.BatchOptions{})
	for _, word := range []string{"one", "pan", "two", "pan", "end"} {
		b.Add([]byte(word), netip.AddrPort{}, netip.Addr{})
	}
	sendBatch(t, c, b)
	for _, word := range []string{"one", "two", "end"} {
		hears(t, c, []byte(word))
	}
}

// A host of many addresses replies from the one that was asked.
func TestReplyComesFromTheAddressAsked(t *testing.T) {
	for _, c := range []struct{ listen, ask string }{
		{"0.0.0.0:0", "127.0.0.1"}, {"0.0.0.0:0", "127.0.0.2"}, {"0.0.0.0:0", "127.1.2.3"},
		{"[::]:0", "::1"}, {"[::]:0", "127.0.0.2"},
	} {
		for _, w := range []way{{}, {blocks: true}, {options: server.PacketOptions{NoGSO: true, NoGRO: true}}} {
			h := w.startAt(t, c.listen, &server.Server{}, func(_ context.Context, p *server.Packet) error {
				return p.Reply([]byte(p.AddrPort().Addr().String()))
			})
			us := h.dialTo(&net.UDPAddr{IP: net.ParseIP(c.ask), Port: h.addr.Port})
			for range 3 {
				tell(t, us, []byte("who am I?"))
			}
			for range 3 { // a connected socket hears nobody else
				hears(t, us, []byte(us.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().String()))
			}
			if err := h.end(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What is sent to a group comes to every socket of the port.
func TestBroadcastIsAnsweredOnce(t *testing.T) {
	h := way{options: server.PacketOptions{Sockets: 4}}.startAt(t, "0.0.0.0:0", &server.Server{}, echoPacket)
	first := h.dialTo(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: h.addr.Port})
	tell(t, first, []byte("up"))
	hears(t, first, []byte("up")) // the sockets are there
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := control(t, c, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1) }); err != nil {
		t.Skip("the option cannot be set here: ", err)
	}
	if _, err := c.WriteTo([]byte("all"), &net.UDPAddr{IP: net.IPv4(127, 255, 255, 255), Port: h.addr.Port}); err != nil {
		t.Skipf("no broadcast on the loopback here: %v", err)
	}
	if err := h.end(); err != nil { // what has come is answered before
		t.Fatal(err)
	}
	if n := h.srv.Counters().Packets; n != 2 {
		t.Errorf("counted %d datagrams, want 2", n)
	}
}

// A peer that is gone, and tells so, is no harm to others.
func TestICMPStopsNobody(t *testing.T) {
	overWays(t, func(t *testing.T, w way) {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if !w.simple { // then the kernel reports ICMP's errors to an unconnected socket
			if err := control(t, pc.(*net.UDPConn), func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1) }); err != nil {
				t.Skip("the option cannot be set here: ", err)
			}
		}
		gone := make(chan struct{})
		h := w.startOn(t, pc, &server.Server{}, func(_ context.Context, p *server.Packet) error {
			if string(p.Data) == "leaving" {
				<-gone
			}
			return p.Reply(p.Data)
		})
		leaver := h.dial()
		tell(t, leaver, []byte("leaving"))
		leaver.Close()
		close(gone)
		for i := range 20 {
			c := h.dial()
			tell(t, c, pattern(i, 10))
			hears(t, c, pattern(i, 10))
		}
	})
}

func TestSocketsShareThePort(t *testing.T) {
	before := openSockets(t)
	h := way{options: server.PacketOptions{Sockets: 5}}.start(t, echoPacket)
	c := h.dial()
	tell(t, c, []byte("up"))
	hears(t, c, []byte("up"))
	if n := openSockets(t) - before; n != 5+1 {
		t.Errorf("%d sockets more than before, want the server's 5 and the client's", n)
	}
	if err := h.end(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if n := openSockets(t); n != before {
		t.Errorf("%d sockets are open, %d were before", n, before)
	}
}

// openSockets counts this process's UDP sockets.
func openSockets(t *testing.T) (n int) {
	t.Helper()
	for fd := range 1024 {
		typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err == nil && typ == unix.SOCK_DGRAM {
			n++
		}
	}
	return n
}

func TestDatagramsAllocateNothing(t *testing.T) {
	h := way{}.start(t, echoPacket)
	c := h.dial()
	buf := make([]byte, 100)
	round := func() {
		for range 16 {
			tell(t, c, buf)
		}
		for range 16 {
			if _, err := c.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const rounds = 200
	for range rounds {
		round()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > rounds*16/10 {
		t.Errorf("%d allocations for %d datagrams", n, rounds*16)
	}
}
