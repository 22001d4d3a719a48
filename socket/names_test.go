package socket

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestTutorial35_GetHostname(t *testing.T) {
	got, err := GetHostname()
	if err != nil {
		t.Fatal(err)
	}
	if want, err := os.ReadFile("/proc/sys/kernel/hostname"); err == nil && got != strings.TrimSpace(string(want)) {
		t.Errorf("got %q, the kernel says %q", got, want)
	}
	if got == "" {
		t.Error("this host has no name")
	}
}

func TestTutorial83_NoDomainIsAdded(t *testing.T) {
	name, err := GetHostname()
	if err != nil {
		t.Fatal(err)
	}
	r := namesFixture(t)
	r.HostsFile = writeFile(t, "hosts", "127.0.1.1 "+name+".with.domain.example "+name+"\n")
	full := r.GetFQDN(t.Context(), name)
	if after, err := GetHostname(); err != nil || after != name || after == full {
		t.Errorf("the name is %q, then %q, %v; with its domain %q", name, after, err, full)
	}
}

// namesFixture is a resolver with files of its own and no network.
func namesFixture(t *testing.T) *Resolver {
	r := asksNothing(t)
	r.HostsFile = writeFile(t, "hosts", sampleHosts)
	r.ServicesFile = writeFile(t, "services", "http 80/tcp www\nsyslog 514/udp\nshell 514/tcp\n")
	return r
}

func TestGetNameInfo(t *testing.T) {
	r := namesFixture(t)
	for _, c := range []struct {
		addr  string
		flags NIFlags
		want  string
	}{
		{"127.0.1.1:80", 0, "box.example http"},
		{"127.0.1.1:80", NI_NUMERICHOST, "127.0.1.1 http"},
		{"127.0.1.1:80", NI_NUMERICSERV, "box.example 80"},
		{"127.0.1.1:514", 0, "box.example shell"},
		{"127.0.1.1:514", NI_DGRAM, "box.example syslog"},
		{"[::1]:81", NI_NAMEREQD, "localhost 81"},
		{"[::1]:80", NI_NUMERICHOST | NI_NUMERICSERV, "::1 80"},
		{"[fe80::7%9999]:80", NI_NUMERICHOST | NI_NUMERICSERV, "fe80::7%9999 80"},
		{"[::ffff:192.0.2.9]:80", 0, "mapped http"},
	} {
		host, service, err := r.GetNameInfo(t.Context(), InetAddr{AddrPort: netip.MustParseAddrPort(c.addr)}, c.flags)
		if got := host + " " + service; err != nil || got != c.want {
			t.Errorf("%s, flags %d: got %s, %v, want %s", c.addr, c.flags, got, err, c.want)
		}
	}
	for want, f := range map[EAI]func() error{
		EAI_BADFLAGS: func() error { _, _, err := r.GetNameInfo(t.Context(), InetAddr{}, 0x100); return err },
		EAI_FAMILY:   func() error { _, _, err := r.GetNameInfo(t.Context(), InetAddr{}, 0); return err },
		EAI_NONAME: func() error {
			a := InetAddr{AddrPort: netip.MustParseAddrPort("127.0.1.1:1")}
			_, _, err := r.GetNameInfo(t.Context(), a, NI_NUMERICHOST|NI_NAMEREQD)
			return err
		},
	} {
		if err := f(); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestGetNameInfoFromDNS(t *testing.T) {
	r := startStubDNS(t, stubZone).resolver(t, "")
	for addr, want := range map[string]string{"192.0.2.9": "nine.test", "192.0.2.77": "192.0.2.77"} {
		a := InetAddr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(addr), 1)}
		if host, _, err := r.GetNameInfo(t.Context(), a, 0); err != nil || host != want {
			t.Errorf("%s: got %s, %v", addr, host, err)
		}
		if host, _, err := r.GetNameInfo(t.Context(), a, NI_NAMEREQD); (host == want) != (want != addr) {
			t.Errorf("%s, name required: got %s, %v", addr, host, err)
		}
	}
}

func TestHostByName(t *testing.T) {
	r := namesFixture(t)
	for name, want := range map[string]string{"many": "192.0.2.7", "127.1": "127.0.0.1", "": "0.0.0.0", "<broadcast>": "255.255.255.255"} {
		if got, err := r.GetHostByName(t.Context(), name); err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v", name, got, err)
		}
	}
	entry, err := r.GetHostByNameEx(t.Context(), "127.1")
	if err != nil || entry.Name != "127.1" || len(entry.Aliases) != 0 || entry.Addrs[0].String() != "127.0.0.1" {
		t.Errorf("127.1: got %+v, %v", entry, err)
	}
	if _, err := r.GetHostByNameEx(t.Context(), "a..b"); !errors.Is(err, EAI_NONAME) {
		t.Errorf("a..b: %v", err)
	}
	entry, err = r.GetHostByAddr(t.Context(), "box")
	if err != nil || entry.Name != "box.example" || entry.Addrs[0].String() != "127.0.1.1" {
		t.Errorf("by a name: got %+v, %v", entry, err)
	}
}

func TestGetFQDN(t *testing.T) {
	r := namesFixture(t)
	for name, want := range map[string]string{"box": "box.example", " box ": "box.example", "127.0.1.1": "box.example", "localhost": "localhost", "a..b": "a..b"} {
		if got := r.GetFQDN(t.Context(), name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	own, err := GetHostname()
	if err != nil {
		t.Fatal(err)
	}
	r.HostsFile = writeFile(t, "hosts", "127.0.1.1 "+own+" x.own.example\n")
	want := "x.own.example"
	if strings.Contains(own, ".") {
		want = own
	}
	if got := r.GetFQDN(t.Context(), ""); got != want {
		t.Errorf("of this host: got %q, want %q", got, want)
	}
}

func TestInterfaces(t *testing.T) {
	all, err := IfNameIndex()
	if err != nil || len(all) == 0 {
		t.Skipf("no network interface: %v", err)
	}
	for _, i := range all {
		index, err := IfNameToIndex(i.Name)
		if err != nil || index != i.Index {
			t.Errorf("%+v: by name %d, %v", i, index, err)
		}
		name, err := IfIndexToName(i.Index)
		if err != nil || name != i.Name {
			t.Errorf("%+v: by index %q, %v", i, name, err)
		}
	}
	if index, err := IfNameToIndex("no such"); err == nil {
		t.Errorf("got %d", index)
	}
	if name, err := IfIndexToName(1 << 30); err == nil {
		t.Errorf("got %q", name)
	}
}
