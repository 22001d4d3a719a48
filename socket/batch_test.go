//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
)

// udpSock is a UDP socket on 127.0.0.1.
func udpSock(t testing.TB) (*Sock, netip.AddrPort) {
	t.Helper()
	s := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	if err := s.Bind(t.Context(), Pair("127.0.0.1", 0)); err != nil {
		t.Fatal(err)
	}
	return s, must(s.Getsockname())(t).(InetAddr).AddrPort
}

// gather receives until n datagrams have come.
func gather(t testing.TB, s *Sock, b *RecvBatch, n int) (all []Datagram) {
	t.Helper()
	for len(all) < n {
		k, err := s.RecvBatch(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range k {
			d := b.At(i)
			for data := range d.All() {
				one := d
				one.Data = bytes.Clone(data)
				all = append(all, one)
			}
		}
	}
	return all
}

func addAll(t testing.TB, b *SendBatch, to netip.AddrPort, words ...string) {
	t.Helper()
	for _, w := range words {
		if !b.Add([]byte(w), to, netip.Addr{}) {
			t.Fatalf("no room for %q", w)
		}
	}
}

func TestBatchCarriesDatagrams(t *testing.T) {
	a, _ := udpSock(t)
	c, to := udpSock(t)
	words := []string{"", "one", "two", "x", "", "longer than those", "six", "six", "six", "9"}
	out := NewSendBatch(AF_INET, BatchOptions{})
	addAll(t, out, to, words...)
	sent, err := a.SendBatch(t.Context(), out)
	if err != nil || sent.Datagrams != len(words) || sent.Lost != 0 {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	if out.Len() != 0 {
		t.Errorf("%d messages are left", out.Len())
	}
	from := must(a.Getsockname())(t).(InetAddr).AddrPort
	bytes := 0
	for i, d := range gather(t, c, NewRecvBatch(BatchOptions{}), len(words)) {
		if string(d.Data) != words[i] || d.From.Port() != from.Port() || d.Short {
			t.Errorf("datagram %d is %q from %v, want %q from %v", i, d.Data, d.From, words[i], from)
		}
		bytes += len(d.Data)
	}
	if sent.Bytes != bytes {
		t.Errorf("%d bytes sent, %d received", sent.Bytes, bytes)
	}
}

func TestBatchCutsDatagrams(t *testing.T) {
	a, _ := udpSock(t)
	c, to := udpSock(t)
	out := NewSendBatch(AF_INET, BatchOptions{NoGSO: true})
	addAll(t, out, to, "0123456789", "01234567890", "012")
	must(a.SendBatch(t.Context(), out))(t)
	all := gather(t, c, NewRecvBatch(BatchOptions{Size: 10}), 3)
	for i, want := range []string{"0123456789 false", "0123456789 true", "012 false"} {
		if got := fmt.Sprintf("%s %v", all[i].Data, all[i].Short); got != want {
			t.Errorf("datagram %d is %s, want %s", i, got, want)
		}
	}
}

// One datagram that cannot go does not keep the others.
func TestBatchLosesOnlyWhatCannotGo(t *testing.T) {
	a, _ := udpSock(t)
	c, to := udpSock(t)
	out := NewSendBatch(AF_INET, BatchOptions{})
	addAll(t, out, to, "first", string(make([]byte, 65508)), "last")
	sent, err := a.SendBatch(t.Context(), out)
	if !errors.Is(err, syscall.EMSGSIZE) || sent.Datagrams != 2 || sent.Bytes != 9 || sent.Lost != 1 {
		t.Errorf("sent %+v, %v", sent, err)
	}
	all := gather(t, c, NewRecvBatch(BatchOptions{}), 2)
	if string(all[0].Data) != "first" || string(all[1].Data) != "last" {
		t.Errorf("received %q, %q", all[0].Data, all[1].Data)
	}
}

func TestBatchIsFull(t *testing.T) {
	_, to := udpSock(t)
	out := NewSendBatch(AF_INET, BatchOptions{Messages: 2, NoGSO: true})
	addAll(t, out, to, "a", "b")
	if out.Add([]byte("c"), to, netip.Addr{}) {
		t.Error("there was room for a third")
	}
	if lost := out.Discard().Lost; lost != 2 || out.Len() != 0 {
		t.Errorf("%d discarded, %d left", lost, out.Len())
	}
	addAll(t, out, to, "c")
}

func TestBatchWaits(t *testing.T) {
	c, _ := udpSock(t)
	b := NewRecvBatch(BatchOptions{Messages: 4})
	_, err := c.RecvBatch(t.Context(), b, MSG_DONTWAIT)
	if !isAgain(err) {
		t.Errorf("nothing is there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.RecvBatch(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if b.Len() != 0 {
		t.Errorf("%d messages of nothing", b.Len())
	}
}
