package socket

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBatchJoinsWhatOnePeerGets(t *testing.T) {
	one, two := netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("127.0.0.1:7")
	type add struct {
		size int
		to   netip.AddrPort
	}
	many := slices.Repeat([]add{{10, one}}, 65)
	for _, c := range []struct {
		name     string
		options  BatchOptions
		adds     []add
		messages int
	}{
		{"equal", BatchOptions{}, []add{{10, one}, {10, one}, {10, one}}, 1},
		{"last shorter", BatchOptions{}, []add{{10, one}, {10, one}, {9, one}}, 1},
		{"after a shorter one", BatchOptions{}, []add{{10, one}, {9, one}, {9, one}}, 2},
		{"longer", BatchOptions{}, []add{{10, one}, {11, one}}, 2},
		{"two peers", BatchOptions{}, []add{{10, one}, {10, two}, {10, one}}, 3},
		{"empty", BatchOptions{}, []add{{0, one}, {0, one}, {5, one}, {0, one}}, 4},
		{"64 at most", BatchOptions{Messages: 128}, many, 2},
		{"64 KiB at most", BatchOptions{}, []add{{30000, one}, {30000, one}, {30000, one}}, 2},
		{"off", BatchOptions{NoGSO: true}, []add{{10, one}, {10, one}}, 2},
	} {
		b := NewSendBatch(AF_INET, c.options)
		for _, a := range c.adds {
			if !b.Add(make([]byte, a.size), a.to, netip.Addr{}) {
				t.Fatalf("%s: no room", c.name)
			}
		}
		if b.Len() != c.messages {
			t.Errorf("%s: %d messages, want %d", c.name, b.Len(), c.messages)
		}
	}
}

// withGRO is a socket on which trains stay whole.
func withGRO(t *testing.T) (*Sock, netip.AddrPort) {
	s, at := udpSock(t)
	if err := UDP_GRO.Set(s, true); err != nil {
		t.Skipf("no UDP_GRO here: %v", err)
	}
	return s, at
}

func TestBatchReceivesTrains(t *testing.T) {
	a, _ := udpSock(t)
	c, to := withGRO(t)
	buffer := []byte("aaaabbbbccccdd")
	for _, joined := range []bool{true, false} { // neighbours in memory, or not
		out := NewSendBatch(AF_INET, BatchOptions{})
		for i := 0; i < len(buffer); i += 4 {
			p := buffer[i:min(i+4, len(buffer))]
			if !joined {
				p = bytes.Clone(p)
			}
			out.Add(p, to, netip.Addr{})
		}
		if out.nv > 1 == joined {
			t.Errorf("%d pieces", out.nv)
		}
		if sent, err := a.SendBatch(t.Context(), out); err != nil || sent.Datagrams != 4 || sent.Bytes != len(buffer) {
			t.Fatalf("sent %+v, %v", sent, err)
		}
		b := NewRecvBatch(BatchOptions{})
		n := must(c.RecvBatch(t.Context(), b))(t)
		if n != 1 || b.At(0).Size != 4 {
			t.Skipf("the system took the train apart: %d messages, size %d", n, b.At(0).Size)
		}
		d := b.At(0)
		var got []string
		for data := range d.All() {
			got = append(got, string(data))
		}
		if want := []string{"aaaa", "bbbb", "cccc", "dd"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Where the kernel refuses to cut a train it goes as datagrams, in order.
func TestBatchDoesWithoutGSO(t *testing.T) {
	a, _ := udpSock(t)
	c, to := udpSock(t)
	// A socket that makes no checksums cannot have its trains cut: EINVAL.
	err := a.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1) })
	if err != nil {
		t.Skipf("no SO_NO_CHECK here: %v", err)
	}
	out := NewSendBatch(AF_INET, BatchOptions{})
	words := []string{"x", "aaaa", "bbbb", "cc", "dddd", "ee", "longer", "longer", "end"}
	for round := range 2 {
		addAll(t, out, to, words...)
		if got := out.Len() == len(words); got != (round == 1) {
			t.Errorf("round %d: %d messages", round, out.Len())
		}
		sent, err := a.SendBatch(t.Context(), out)
		if err != nil || sent.Datagrams != len(words) || sent.Lost != 0 {
			t.Fatalf("sent %+v, %v", sent, err)
		}
		for i, d := range gather(t, c, NewRecvBatch(BatchOptions{}), len(words)) {
			if string(d.Data) != words[i] {
				t.Errorf("datagram %d is %q, want %q", i, d.Data, words[i])
			}
		}
	}
	for range limitRest {
		out.reset()
	}
	addAll(t, out, to, "aaaa", "aaaa")
	if out.Len() != 1 {
		t.Error("trains are never tried again")
	}
}

// A full buffer keeps the rest for later.
func TestBatchWaitsForRoom(t *testing.T) {
	a, c, err := SocketPair(AF_UNIX, SOCK_DGRAM, 0)
	closeAfter(t, must(a, err)(t))
	closeAfter(t, c)
	out := NewSendBatch(AF_UNIX, BatchOptions{Messages: 1000, NoGSO: true})
	for i := range 1000 { // more than a Unix socket's queue holds
		out.Add([]byte{byte(i)}, netip.AddrPort{}, netip.Addr{})
	}
	sent, err := Sent{}, error(nil)
	if cerr := a.control(func(fd int) error { sent, err = out.SendFD(fd); return nil }); cerr != nil {
		t.Fatal(cerr)
	}
	if !isAgain(err) || sent.Datagrams == 0 || sent.Datagrams+out.Len() != 1000 {
		t.Fatalf("sent %+v, left %d, %v", sent, out.Len(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.SendBatch(ctx, out); !errors.Is(err, context.Canceled) || sent.Datagrams+out.Len() != 1000 {
		t.Fatalf("cancelled: %v, left %d", err, out.Len())
	}
	done := make(chan error, 1)
	go func() {
		more, err := a.SendBatch(t.Context(), out)
		if more.Datagrams+sent.Datagrams != 1000 || more.Lost != 0 {
			err = errors.Join(err, errors.New("some are missing"))
		}
		done <- err
	}()
	for i, d := range gather(t, c, NewRecvBatch(BatchOptions{Size: 64}), 1000) {
		if len(d.Data) != 1 || d.Data[0] != byte(i) {
			t.Fatalf("datagram %d is %v", i, d.Data)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBatchTellsWhereItWasSent(t *testing.T) {
	for _, c := range []struct {
		family Family
		bind   string
		to     string
	}{{AF_INET, "0.0.0.0", "127.0.0.3"}, {AF_INET6, "::", "::1"}} {
		s := closeAfter(t, must(Socket(c.family, SOCK_DGRAM, 0))(t))
		option := IP_PKTINFO
		if c.family == AF_INET6 {
			option = IPV6_RECVPKTINFO
		}
		if err := errors.Join(option.Set(s, true), s.Bind(t.Context(), Pair(c.bind, 0))); err != nil {
			t.Skipf("no socket at %s: %v", c.bind, err)
		}
		port := must(s.Getsockname())(t).(InetAddr).Port()
		us := closeAfter(t, must(Socket(c.family, SOCK_DGRAM, 0))(t))
		if err := us.Connect(t.Context(), Pair(c.to, int(port))); err != nil {
			t.Skipf("no %s here: %v", c.to, err)
		}
		must(us.Send(t.Context(), []byte("ask")))(t)
		d := gather(t, s, NewRecvBatch(BatchOptions{}), 1)[0]
		if d.To.String() != c.to || d.Group {
			t.Errorf("sent to %v, group %v; want %s", d.To, d.Group, c.to)
		}
		out := NewSendBatch(c.family, BatchOptions{})
		out.Add([]byte("answer"), d.From, d.To)
		must(s.SendBatch(t.Context(), out))(t)
		if got := must(us.Recv(t.Context(), 10))(t); string(got) != "answer" { // a connected socket hears nobody else
			t.Errorf("got %q", got)
		}
	}
}

func FuzzAncillary(f *testing.F) {
	b := NewSendBatch(AF_INET6, BatchOptions{})
	b.pktinfo(0, netip.MustParseAddr("192.0.2.1"))
	b.segment(0, 1200)
	b.pktinfo(0, netip.MustParseAddr("2001:db8::1"))
	var words [16]uint64
	copy(words[:], b.ctl[0][:])
	seed := []byte{}
	for _, w := range words {
		for range 8 {
			seed = append(seed, byte(w))
			w >>= 8
		}
	}
	f.Add(seed)
	f.Add(seed[:17])
	f.Fuzz(func(t *testing.T, control []byte) {
		var d Datagram
		var z zoneCache
		z.ancillary(control, &d)
		if d.Size < 0 || d.To.IsMulticast() && d.To.Is6() {
			t.Errorf("%+v", d)
		}
	})
}

func FuzzAddrPort(f *testing.F) {
	b := NewSendBatch(AF_INET6, BatchOptions{})
	var room nameRoom
	f.Add(bytes.Clone(room[:b.put(&room, netip.MustParseAddrPort("[2001:db8::1]:53"))]))
	b.family = AF_INET
	f.Add(bytes.Clone(room[:b.put(&room, netip.MustParseAddrPort("192.0.2.1:53"))]))
	f.Fuzz(func(t *testing.T, name []byte) {
		var z zoneCache
		at := z.addrPort(name)
		if !at.IsValid() || at.Addr().Zone() != "" {
			return
		}
		b := NewSendBatch(AF_INET, BatchOptions{Messages: 1})
		if at.Addr().Is6() {
			b.family = AF_INET6
		}
		var room nameRoom
		n := b.put(&room, at)
		if back := z.addrPort(room[:n]); back != at {
			t.Errorf("%v became %v", at, back)
		}
	})
}

func FuzzTrain(f *testing.F) {
	f.Add([]byte("aaabbbc"), 3)
	f.Add([]byte(""), 0)
	f.Add([]byte("abc"), 1)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		d := Datagram{Data: data, Size: size}
		var whole []byte
		n, last := 0, 0
		for piece := range d.All() {
			if n > 0 && last != size {
				t.Fatalf("piece %d has %d bytes, want %d", n-1, last, size)
			}
			whole = append(whole, piece...)
			n, last = n+1, len(piece)
		}
		if n == 0 || !bytes.Equal(whole, data) || size > 0 && last > size {
			t.Errorf("%d pieces of %q at %d are %q", n, data, size, whole)
		}
	})
}
