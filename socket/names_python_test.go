package socket

import (
	"net"
	"net/netip"
	"testing"
)

func TestRepr(t *testing.T) {
	for in, want := range map[string]string{
		"": `b''`, "Hello, world": `b'Hello, world'`, "it's": `b"it's"`, `say "a"`: `b'say "a"'`, `it's "a"`: `b'it\'s "a"'`,
		"a\\b": `b'a\\b'`, "\t\n\r\x00\x7f\xff\x1b": `b'\t\n\r\x00\x7f\xff\x1b'`, "grüße": `b'gr\xc3\xbc\xc3\x9fe'`,
	} {
		if got := Repr([]byte(in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestTuple(t *testing.T) {
	inet := func(s string) InetAddr { return InetAddr{AddrPort: netip.MustParseAddrPort(s)} }
	flow := inet("[::1]:80")
	flow.Flow = 7
	for _, c := range []struct {
		addr net.Addr
		want string
	}{
		{inet("127.0.0.1:48437"), "('127.0.0.1', 48437)"},
		{inet("[::1]:80"), "('::1', 80, 0, 0)"},
		{flow, "('::1', 80, 7, 0)"},
		{inet("[fe80::1%9999]:80"), "('fe80::1', 80, 0, 9999)"},
		{inet("[::ffff:1.2.3.4]:80"), "('::ffff:1.2.3.4', 80, 0, 0)"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, "('127.0.0.1', 1)"},
		{&net.UDPAddr{IP: net.IPv6loopback, Port: 1}, "('::1', 1, 0, 0)"},
		{&net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}, "('127.0.0.1', 0)"},
		{UnixAddr{"/tmp/it's"}, `"/tmp/it's"`},
		{UnixAddr{"\x00name"}, `b'\x00name'`},
		{UnixAddr{}, "''"},
		{&net.UnixAddr{Name: "@name", Net: "unix"}, `b'\x00name'`},
		{&net.UnixAddr{Name: "@", Net: "unix"}, "''"},
		{&net.UnixAddr{Name: "/tmp/grüße\xff\u200b\U000e0001\n"}, `'/tmp/grüße\udcff\u200b\U000e0001\n'`},
		{RawAddr{Fam: 17, Bytes: []byte{1, 2}}, `(17, b'\x01\x02')`},
		{InetAddr{}, "None"},
		{nil, "None"},
	} {
		if got := Tuple(c.addr); got != c.want {
			t.Errorf("%v: got %s, want %s", c.addr, got, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for name, want := range map[string]UnixAddr{"/tmp/x": {"/tmp/x"}, "@x": {"\x00x"}, "\x00x": {"\x00x"}, "./@x": {"./@x"}} {
		all, err := Path(name).Resolve(t.Context(), AF_UNIX, SOCK_STREAM)
		if err != nil || len(all) != 1 || all[0] != Addr(want) {
			t.Errorf("%q: got %v, %v", name, all, err)
		}
	}
	if a := (UnixAddr{"\x00x"}); a.String() != "@x" || a.Network() != "unix" || a.Family() != AF_UNIX || !a.Abstract() {
		t.Errorf("%v %s %v", a, a.Network(), a.Family())
	}
	if a := (RawAddr{Fam: AF_UNIX, Bytes: []byte{1, 0xff}}); a.String() != "01ff" || a.Network() != "family1" || a.Family() != AF_UNIX {
		t.Errorf("%v %s %v", a, a.Network(), a.Family())
	}
	peers := map[InetAddr]int{}
	for _, s := range []string{"127.0.0.1:80", "[::1]:80", "127.0.0.1:80"} {
		peers[InetAddr{AddrPort: netip.MustParseAddrPort(s)}]++
	}
	if len(peers) != 2 {
		t.Errorf("as keys of a map: %v", peers)
	}
	if f := (InetAddr{}).Family(); f != AF_UNSPEC {
		t.Errorf("the zero InetAddr is of %v", f)
	}
}

func TestTutorial82_ListOfTuples(t *testing.T) {
	one := AddrInfo{Family: 2, Type: 1, Proto: 6, Addr: InetAddr{AddrPort: netip.MustParseAddrPort("94.130.81.180:80")}}
	six := AddrInfo{Family: 10, Type: 1, Proto: 6, Addr: InetAddr{AddrPort: netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666]:80")}}
	named := six
	named.CanonName = "a-rather-long-name.example"
	for want, infos := range map[string][]AddrInfo{
		"[]":                                     nil,
		"[(2, 1, 6, '', ('94.130.81.180', 80))]": {one},
		"[(2, 1, 6, '', ('94.130.81.180', 80)), (2, 1, 6, '', ('94.130.81.180', 80))]":                                                                         {one, one},
		"[(2, 1, 6, '', ('94.130.81.180', 80)),\n (2, 1, 6, '', ('94.130.81.180', 80)),\n (2, 1, 6, '', ('94.130.81.180', 80))]":                               {one, one, one},
		"[(2, 1, 6, '', ('94.130.81.180', 80)),\n (10,\n  1,\n  6,\n  'a-rather-long-name.example',\n  ('2001:db8:1111:2222:3333:4444:5555:6666', 80, 0, 0))]": {one, named},
	} {
		if got := TupleList(infos); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
