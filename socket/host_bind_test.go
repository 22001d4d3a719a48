//go:build linux

package socket

import (
	"errors"
	"io"
	"strconv"
	"syscall"
	"testing"
)

// Linux answers on every address of 127.0.0.0/8, so loopback serves as a host
// with several addresses.

// listenOn makes a listening socket on a name that a hosts file knows.
func listenOn(t *testing.T, r *Resolver, name string) (*Sock, int) {
	t.Helper()
	l := must(New())(t)
	t.Cleanup(func() { l.Close() })
	if err := l.Bind(t.Context(), PairVia(r, name, 0)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(5); err != nil {
		t.Fatal(err)
	}
	return l, int(must(l.Getsockname())(t).(InetAddr).Port())
}

func TestTutorial12_HostNameBindsThatInterfaceOnly(t *testing.T) {
	r := asksNothing(t)
	r.HostsFile = writeFile(t, "hosts", "127.0.0.2 machine.test machine\n127.0.0.3 other.test\n")
	l, port := listenOn(t, r, "machine")
	if got := must(l.Getsockname())(t).(InetAddr); got.Addr().String() != "127.0.0.2" {
		t.Errorf("bound to %v", got)
	}
	client := must(New())(t)
	defer client.Close()
	if err := client.Connect(t.Context(), PairVia(r, "machine.test", port)); err != nil {
		t.Error(err)
	}
	refused := must(New())(t)
	defer refused.Close()
	if err := refused.Connect(t.Context(), PairVia(r, "other.test", port)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("on the other address: %v", err)
	}
}

func TestTutorial12_ThisMachinesName(t *testing.T) {
	name := must(GetHostname())(t)
	s := must(New())(t)
	defer s.Close()
	err := s.Bind(t.Context(), Pair(name, 0))
	if _, unknown := errors.AsType[EAI](err); unknown || errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("this machine's name leads to no address of it: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := must(GetHostByName(t.Context(), name))(t)
	if got := must(s.Getsockname())(t).(InetAddr); got.Addr() != want {
		t.Errorf("bound to %v, %s is %v", got, name, want)
	}
}

func TestTutorial13_OtherAddressesAreTried(t *testing.T) {
	r := asksNothing(t)
	r.HostsFile = writeFile(t, "hosts", "127.0.0.2 live.test\n127.0.0.3 both.test\n127.0.0.2 both.test\n")
	_, port := listenOn(t, r, "live.test")
	s, err := ConnectAny(t.Context(), PairVia(r, "both.test", port), ConnConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if peer := must(s.Getpeername())(t).(InetAddr); peer.Addr().String() != "127.0.0.2" {
		t.Errorf("connected to %v", peer)
	}
}

func TestTutorial16_BroadcastNeedsItsOption(t *testing.T) {
	s := must(Socket(AF_INET, SOCK_DGRAM, 0))(t)
	defer s.Close()
	_, err := s.SendTo(t.Context(), []byte("x"), Pair("<broadcast>", 9))
	if !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("without SO_BROADCAST: %v", err)
	}
	b := must(Socket(AF_INET, SOCK_DGRAM, 0))(t)
	defer b.Close()
	if err := b.Bind(t.Context(), Pair("<broadcast>", 0)); err != nil {
		t.Fatal(err)
	}
	if got := must(b.Getsockname())(t).(InetAddr); got.Addr().String() != "255.255.255.255" {
		t.Errorf("bound to %v", got)
	}
}

func TestTutorial21_EveryPortForm(t *testing.T) {
	l, port := listenOn(t, nil, "127.0.0.1")
	r := &Resolver{ServicesFile: writeFile(t, "services", "ours "+strconv.Itoa(port)+"/tcp\n")}
	for _, to := range []Address{Pair("127.1", port), Pair(2130706433, strconv.Itoa(port)), PairVia(r, "0x7f000001", "ours")} {
		c := must(New())(t)
		if err := c.Connect(t.Context(), to); err != nil {
			t.Fatalf("%v: %v", to, err)
		}
		conn, _, err := l.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%v: %v", to, err)
		}
		c.Close()
	}
}
