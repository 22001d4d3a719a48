package socket

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const sampleHosts = `
127.0.0.1 localhost
::1 localhost ip6-localhost # comment
127.0.1.1	box.example box
192.0.2.7 many
192.0.2.8 many xmany
198.51.100.1 other many
::ffff:192.0.2.9 mapped
fe80::1%lo zoned
127.1 short
192.0.2.1
# 192.0.2.1 commented
`

func TestHostsFile(t *testing.T) {
	lines := parseHosts(strings.NewReader(sampleHosts))
	for _, c := range []struct {
		name   string
		family Family
		want   string
	}{
		{"localhost", AF_UNSPEC, "127.0.0.1 ::1 | localhost ip6-localhost"},
		{"localhost", AF_INET, "127.0.0.1 127.0.0.1 | localhost ip6-localhost"}, // ::1 counts too, as in the C library
		{"localhost", AF_INET6, "::1 | localhost ip6-localhost"},
		{"BOX", AF_UNSPEC, "127.0.1.1 | box.example box"},
		{"many", AF_UNSPEC, "192.0.2.7 192.0.2.8 198.51.100.1 | many xmany many other"},
		{"mapped", AF_INET, "192.0.2.9 | mapped"},
		{"mapped", AF_INET6, "::ffff:192.0.2.9 | mapped"},
		{"box", AF_INET6, ""}, {"zoned", AF_UNSPEC, ""}, {"short", AF_UNSPEC, ""}, {"commented", AF_UNSPEC, ""}, {"192.0.2.1", AF_UNSPEC, ""},
	} {
		var got string
		if e, ok := hostsByName(lines, c.name, c.family); ok {
			var words []string
			for _, a := range e.Addrs {
				words = append(words, a.String())
			}
			got = strings.Join(append(append(words, "|", e.Name), e.Aliases...), " ")
		}
		if got != c.want {
			t.Errorf("%s, %v: got %q, want %q", c.name, c.family, got, c.want)
		}
	}
	for addr, want := range map[string]string{"127.0.0.1": "localhost", "::1": "localhost ip6-localhost", "192.0.2.9": "mapped", "192.0.2.1": ""} {
		if got := strings.Join(hostsByAddr(lines, netip.MustParseAddr(addr)), " "); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
}

func TestResolvConf(t *testing.T) {
	var c dnsConfig
	c.read(strings.NewReader("; comment\nnameserver 192.0.2.1 # x\nnameserver x\nnameserver fe80::1%3\nnameserver ::1\nnameserver 192.0.2.4\n" +
		"domain a.test\nsearch b.test c.test.\noptions ndots:99 timeout:0 attempts:9 rotate inet6 ndots:x\nsearch\n"))
	want := dnsConfig{
		servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[fe80::1%3]:53"), netip.MustParseAddrPort("[::1]:53")},
		search:  []string{"b.test", "c.test"}, ndots: 15, timeout: time.Second, attempts: 5, rotate: true,
	}
	if !slices.Equal(c.servers, want.servers) || !slices.Equal(c.search, want.search) || c.ndots != want.ndots ||
		c.timeout != want.timeout || c.attempts != want.attempts || !c.rotate {
		t.Errorf("got %+v, want %+v", c, want)
	}
	c = (&Resolver{ResolvConf: "does-not-exist"}).dnsConfig()
	if len(c.servers) != 1 || c.servers[0].String() != "127.0.0.1:53" || c.ndots != 1 || c.timeout != 5*time.Second || c.attempts != 2 {
		t.Errorf("without the file: %+v", c)
	}
}

func FuzzHosts(f *testing.F) {
	f.Add(sampleHosts)
	f.Add("1.2.3.4\x00 a\r\n::1\ta#b")
	f.Fuzz(func(t *testing.T, text string) {
		lines := parseHosts(strings.NewReader(text))
		for _, l := range lines {
			if !l.addr.IsValid() || len(l.names) == 0 {
				t.Fatalf("%+v", l)
			}
			e, ok := hostsByName(lines, l.names[0], AF_UNSPEC)
			if !ok || !slices.Contains(e.Addrs, l.addr) {
				t.Fatalf("%q is on a line with %v but leads to %+v", l.names[0], l.addr, e)
			}
		}
	})
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nsearch a b\noptions ndots:3 timeout:2 attempts:1 rotate\n", "name")
	f.Add("nameserver ::1\ndomain .\noptions ndots:-1", "a.b")
	f.Fuzz(func(t *testing.T, text, name string) {
		c := dnsConfig{ndots: 1, timeout: time.Second, attempts: 1}
		c.read(strings.NewReader(text))
		if len(c.servers) > maxServers || c.ndots < 0 || c.ndots > maxNdots || c.attempts < 1 || c.attempts > maxAttempts ||
			c.timeout < time.Second || c.timeout > maxTimeout*time.Second {
			t.Fatalf("%+v", c)
		}
		all := c.candidates(name)
		if len(all) == 0 {
			t.Fatal("nothing to ask for")
		}
		for _, full := range all {
			if !strings.HasSuffix(full, ".") {
				t.Fatalf("%q has no final dot", full)
			}
		}
	})
}
