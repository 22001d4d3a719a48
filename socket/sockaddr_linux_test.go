package socket

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestSockaddrRoundTrip(t *testing.T) {
	for _, want := range []Addr{
		InetAddr{AddrPort: netip.MustParseAddrPort("127.0.0.1:80")},
		InetAddr{AddrPort: netip.MustParseAddrPort("[::1]:80"), Flow: 0x12345},
		InetAddr{AddrPort: netip.MustParseAddrPort("[fe80::1%9999]:80")},
		InetAddr{AddrPort: netip.MustParseAddrPort("[::ffff:127.0.0.1]:80")},
		UnixAddr{}, UnixAddr{Name: "/tmp/x"}, UnixAddr{Name: "\x00abstract\x00with NUL"},
		UnixAddr{Name: strings.Repeat("p", 107)}, UnixAddr{Name: "\x00" + strings.Repeat("a", 107)},
		RawAddr{Fam: AF_NETLINK, Bytes: []byte{0, 0, 1, 2, 3, 4, 5, 6, 7, 8}}, RawAddr{Fam: AF_UNSPEC, Bytes: make([]byte, 14)},
	} {
		var sa sockaddr
		if err := sa.put(want.Family(), want); err != nil {
			t.Errorf("%v: %v", want, err)
			continue
		}
		if got := sa.get(); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v became %#v", want, got)
		}
	}
}

func TestSockaddrRefuses(t *testing.T) {
	for want, a := range map[error]Addr{
		syscall.ENAMETOOLONG: UnixAddr{Name: strings.Repeat("p", 108)},
		syscall.EINVAL:       InetAddr{},
		syscall.ENODEV:       InetAddr{AddrPort: netip.MustParseAddrPort("[fe80::1%nosuchinterface]:80")},
		syscall.EAFNOSUPPORT: nil,
	} {
		var sa sockaddr
		wantErr(t, sa.put(AF_INET6, a), want)
	}
	var sa sockaddr
	wantErr(t, sa.put(AF_UNIX, UnixAddr{Name: "a\x00b"}), syscall.EINVAL)
	wantErr(t, sa.put(AF_UNIX, UnixAddr{Name: "\x00" + strings.Repeat("a", 108)}), syscall.ENAMETOOLONG)
	wantErr(t, sa.put(AF_PACKET, RawAddr{Fam: AF_PACKET, Bytes: make([]byte, 999)}), syscall.EINVAL)
}

func TestSockaddrMapsIPv4OnIPv6Sockets(t *testing.T) {
	var sa sockaddr
	if err := sa.put(AF_INET6, InetAddr{AddrPort: netip.MustParseAddrPort("192.0.2.1:7")}); err != nil {
		t.Fatal(err)
	}
	if got := sa.get().String(); got != "[::ffff:192.0.2.1]:7" {
		t.Errorf("got %s", got)
	}
}

func FuzzSockaddr(f *testing.F) {
	f.Add([]byte{2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("\x01\x00/tmp/x\x00"))
	f.Add([]byte("\x01\x00\x00abstract"))
	f.Add(append([]byte{10, 0}, bytes.Repeat([]byte{7}, 26)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var sa sockaddr
		sa.len = uint32(copy(sa.raw[:], b))
		a := sa.get()
		if a == nil {
			return
		}
		var again sockaddr
		if err := again.put(a.Family(), a); err != nil {
			return // a name too long for a path that the kernel would not give either
		}
		if got := again.get(); !reflect.DeepEqual(got, a) {
			t.Errorf("%x: %#v became %#v", b, a, got)
		}
	})
}

// A family without a type of its own is reached by its bytes.
func TestNetlinkByRawAddr(t *testing.T) {
	s, err := Socket(AF_NETLINK, SOCK_RAW, 0)
	if err != nil {
		t.Skipf("no netlink here: %v", err)
	}
	closeAfter(t, s)
	if err := s.Bind(t.Context(), RawAddr{Fam: AF_NETLINK, Bytes: make([]byte, 10)}); err != nil {
		t.Fatal(err)
	}
	own, ok := must(s.Getsockname())(t).(RawAddr)
	if !ok || own.Fam != AF_NETLINK || len(own.Bytes) != 10 || bytes.Equal(own.Bytes[2:6], make([]byte, 4)) {
		t.Errorf("bound to %#v, want a port of its own", own)
	}
	if s.Family().String() != "AF_NETLINK" || networkName(s.Family(), s.Type()) != "AF_NETLINK" {
		t.Errorf("it calls itself %v", s.Family())
	}
}
