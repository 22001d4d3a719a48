//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"net/netip"
	"testing"
)

// calls is what the tutorials' tables name, under the same names.
type calls interface {
	Bind(ctx context.Context, at Address) error
	Listen(backlog int) error
	Accept(ctx context.Context) (*Sock, Addr, error)
	Connect(ctx context.Context, to Address) error
	Send(ctx context.Context, p []byte, flags ...Flag) (int, error)
	SendAll(ctx context.Context, p []byte, flags ...Flag) (int, error)
	Recv(ctx context.Context, size int, flags ...Flag) ([]byte, error)
	RecvFrom(ctx context.Context, size int, flags ...Flag) ([]byte, Addr, error)
	SendTo(ctx context.Context, p []byte, to Address, flags ...Flag) (int, error)
	Close() error
}

func TestTutorial45_EveryCallUnderItsName(t *testing.T) {
	s, err := Socket(AF_INET, SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var c calls = s
	if err := c.Bind(t.Context(), Pair("127.0.0.1", 0)); err != nil {
		t.Error(err)
	}
	if err := c.Listen(1); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Bind takes every form of host and port that the tutorials promise.
func TestTutorial25_BindTakesEveryForm(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	name := "localhost"
	if _, err := GetHostByName(t.Context(), name); err != nil {
		name = "127.0.0.1"
	}
	for what, at := range map[string]Address{
		"a name":                  Pair(name, 0),
		"a dotted quad":           Pair("127.0.0.1", 0),
		"a short form":            Pair("127.1", 0),
		"hexadecimal":             Pair("0x7f000001", 0),
		"digits":                  Pair("2130706433", 0),
		"an integer":              Pair(2130706433, 0),
		"an unsigned integer":     Pair(uint32(2130706433), 0),
		"an address":              Pair(loopback, 0),
		"a port in digits":        Pair("127.0.0.1", "0"),
		"a resolved address":      InetAddr{AddrPort: netip.AddrPortFrom(loopback, 0)},
		"every interface":         Pair("", 0),
		"the broadcast address's": Pair("<broadcast>", 0),
	} {
		s := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
		if err := s.Bind(t.Context(), at); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		got := must(s.Getsockname())(t).(InetAddr).Addr()
		want := loopback
		switch what {
		case "every interface":
			want = netip.IPv4Unspecified()
		case "the broadcast address's":
			want = netip.MustParseAddr("255.255.255.255")
		}
		if got != want {
			t.Errorf("%s: bound to %v, want %v", what, got, want)
		}
	}
}
