package socket

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// pairs reads "destination<source" words into a resolver's list and its sources.
// A source marked d is deprecated, one marked h a home address; without a source
// the destination is unusable.
func pairs(text string) (dsts []netip.Addr, source func(netip.Addr) (Source, bool)) {
	known := map[netip.Addr]Source{}
	for word := range strings.FieldsSeq(text) {
		dst, src, ok := strings.Cut(word, "<")
		addr := netip.MustParseAddr(dst)
		dsts = append(dsts, addr)
		if !ok {
			continue
		}
		src, deprecated := strings.CutSuffix(src, "!d")
		src, home := strings.CutSuffix(src, "!h")
		prefix := 64
		if from := netip.MustParseAddr(src); from.Is4() {
			prefix = 24
		}
		known[addr] = Source{Addr: netip.MustParseAddr(src), PrefixLen: prefix, Deprecated: deprecated, Home: home}
	}
	return dsts, func(a netip.Addr) (Source, bool) { s, ok := known[a]; return s, ok }
}

func orderBy(p Policy, text string) string {
	dsts, source := pairs(text)
	r := &Resolver{Policy: &p, Source: source}
	var out []string
	for _, a := range r.sortAddrs(dsts) {
		out = append(out, a.String())
	}
	return strings.Join(out, " ")
}

// policyWith is the default table with rows added or replaced, as section 10
// does: "prefix precedence label".
func policyWith(rows ...string) Policy {
	p := RFC6724Policy()
	for _, text := range rows {
		var prefix string
		var precedence, label int
		if _, err := fmt.Sscan(text, &prefix, &precedence, &label); err != nil {
			panic(err)
		}
		p.Precedence = append([]PolicyRow{row(prefix, precedence)}, p.Precedence...)
		p.Label = append([]PolicyRow{row(prefix, label)}, p.Label...)
	}
	return p
}

// Each destination carries the source that section 5 selects for it.
func TestRFC6724Section10(t *testing.T) {
	for _, c := range []struct {
		section string
		policy  Policy
		in      string
		want    string
	}{
		{"10.2 matching scope", policyWith(), "198.51.100.121<169.254.13.78 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 198.51.100.121"},
		{"10.2 matching scope, IPv4", policyWith(), "2001:db8:1::1<fe80::1 198.51.100.121<198.51.100.117", "198.51.100.121 2001:db8:1::1"},
		{"10.2 higher precedence", policyWith(), "10.1.2.3<10.1.2.4 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 10.1.2.3"},
		{"10.2 smaller scope", policyWith(), "2001:db8:1::1<2001:db8:1::2 fe80::1<fe80::2", "fe80::1 2001:db8:1::1"},
		{"10.2 home address", policyWith(), "fe80::1<fe80::2 2001:db8:1::1<2001:db8:3::1!h", "2001:db8:1::1 fe80::1"},
		{"10.2 deprecated", policyWith(), "fe80::1<fe80::2!d 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 fe80::1"},
		{"10.2 longest prefix", policyWith(), "2001:db8:3ffe::1<2001:db8:3f44::2 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 2001:db8:3ffe::1"},
		{"10.2 matching label", policyWith(), "2001:db8:1::1<2002:c633:6401::2 2002:c633:6401::1<2002:c633:6401::2", "2002:c633:6401::1 2001:db8:1::1"},
		{"10.2 precedence of 6to4", policyWith(), "2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 2002:c633:6401::1"},
		{"10.3 IPv4 first, scope", policyWith("::ffff:0:0/96 100 4"), "198.51.100.121<169.254.13.78 2001:db8::1<2001:db8::2", "2001:db8::1 198.51.100.121"},
		{"10.3 IPv4 first, new result", policyWith("::ffff:0:0/96 100 4"), "2001:db8::1<2001:db8::2 10.1.2.3<10.1.2.4", "10.1.2.3 2001:db8::1"},
		{"10.4 new result", policyWith("fe80::/10 33 1"), "fe80::1<fe80::2 2001:db8::1<2001:db8::2", "2001:db8::1 fe80::1"},
		{"10.4 unchanged", policyWith("fe80::/10 33 1"), "2001:db8::1<2001:db8::2!d fe80::1<fe80::2", "fe80::1 2001:db8::1"},
		{"10.5 default", policyWith(), "2001:db8:1bbb::b<2001:db8:1aaa::a 2001:db8:70bb::b<2001:db8:70aa::a", "2001:db8:70bb::b 2001:db8:1bbb::b"},
		{"10.5 configured", policyWith("2001:db8:1aaa::/48 43 6", "2001:db8:1bbb::/48 43 6"), "2001:db8:70bb::b<2001:db8:70aa::a 2001:db8:1bbb::b<2001:db8:1aaa::a", "2001:db8:1bbb::b 2001:db8:70bb::b"},
		{"10.6 default", policyWith(), "fd22:2222:2222:2::2<fd11:1111:1111:1::1 2001:db8:2::2<2001:db8:1::1", "2001:db8:2::2 fd22:2222:2222:2::2"},
		{"10.6 new result", policyWith("fd11:1111:1111::/48 45 14"), "2001:db8:2::2<2001:db8:1::1 fd11:1111:1111:2::2<fd11:1111:1111:1::1", "fd11:1111:1111:2::2 2001:db8:2::2"},
		{"10.7 default", policyWith(), "2001:db8:1::1<2002:c633:6401::2 203.0.113.1<10.1.2.3", "203.0.113.1 2001:db8:1::1"},
		{"10.7 new result", policyWith("2002:c633:6401::/48 45 14"), "203.0.113.1<10.1.2.3 2002:c633:6401:2::2<2002:c633:6401:1::1", "2002:c633:6401:2::2 203.0.113.1"},
	} {
		if got := orderBy(c.policy, c.in); got != c.want {
			t.Errorf("section %s: got %s, want %s", c.section, got, c.want)
		}
	}
}

func TestOrderBeyondTheExamples(t *testing.T) {
	for _, c := range []struct {
		why      string
		policy   Policy
		in, want string
	}{
		{"rule 1", RFC6724Policy(), "2001:db8::1 192.0.2.1<192.0.2.2", "192.0.2.1 2001:db8::1"},
		{"rule 10", RFC6724Policy(), "192.0.2.9<192.0.2.1 192.0.2.7<192.0.2.1 192.0.2.9<192.0.2.1", "192.0.2.9 192.0.2.7 192.0.2.9"},
		{"nothing usable", RFC6724Policy(), "192.0.2.9 192.0.2.7", "192.0.2.9 192.0.2.7"},
		{"local IPv6, by the RFC", RFC6724Policy(), "fd00::1<fd00::2 192.0.2.1<192.0.2.2", "192.0.2.1 fd00::1"},
		{"local IPv6, by the GNU library", GNUPolicy(), "192.0.2.1<192.0.2.2 fd00::1<fd00::2", "fd00::1 192.0.2.1"},
		{"same subnet, by the GNU library", GNUPolicy(), "192.0.2.200<192.0.2.2 192.0.2.3<192.0.2.2", "192.0.2.3 192.0.2.200"},
		{"other subnets, by the GNU library", GNUPolicy(), "198.51.100.1<192.0.2.2 192.1.2.3<192.0.2.2", "198.51.100.1 192.1.2.3"},
		{"same subnet, by the RFC's prefix", RFC6724Policy(), "192.0.2.200<192.0.2.2 192.0.2.3<192.0.2.2", "192.0.2.200 192.0.2.3"},
		{"behind the prefix, by the RFC", RFC6724Policy(), "fd00::7000<fd00::2 fd00::3<fd00::2", "fd00::7000 fd00::3"},
		{"behind the prefix, by the GNU library", GNUPolicy(), "fd00::7000<fd00::2 fd00::3<fd00::2", "fd00::3 fd00::7000"},
		{"multicast scope", RFC6724Policy(), "ff0e::1<2001:db8::2 ff02::1<fe80::2", "ff02::1 ff0e::1"},
		{"site-local", RFC6724Policy(), "2001:db8::1<fec0::2 fec0::1<fec0::2", "fec0::1 2001:db8::1"},
		{"loopback", GNUPolicy(), "127.0.0.1<127.0.0.1 ::1<::1", "::1 127.0.0.1"},
	} {
		if got := orderBy(c.policy, c.in); got != c.want {
			t.Errorf("%s: got %s, want %s", c.why, got, c.want)
		}
	}
}

func TestSourceFromTheKernel(t *testing.T) {
	src, ok := (*Resolver)(nil).sources()(netip.MustParseAddr("127.0.0.1"))
	if !ok || !src.Addr.IsLoopback() {
		t.Errorf("to 127.0.0.1: %+v, %v", src, ok)
	}
	if src, ok := (*Resolver)(nil).sources()(netip.MustParseAddr("::ffff:127.0.0.1")); !ok || !src.Addr.Is4In6() {
		t.Errorf("to ::ffff:127.0.0.1: %+v, %v", src, ok)
	}
}

func TestGaiConf(t *testing.T) {
	const both = "2001:db8::1<2001:db8::2 192.0.2.1<192.0.2.2"
	for conf, want := range map[string]string{
		"# nothing\n":                                                 "2001:db8::1 192.0.2.1",
		"precedence ::ffff:0:0/96  100\n":                             "192.0.2.1 2001:db8::1",
		"precedence ::ffff:0:0/96  10\n":                              "2001:db8::1 192.0.2.1",
		"precedence ::ffff:0:0/96 100\nprecedence ::/0 200\n":         "2001:db8::1 192.0.2.1",
		"precedence ::ffff:0:0/x 100\nprecedence 0.0.0.0/0 100\nxx 1": "2001:db8::1 192.0.2.1",
		"label 2001:db8::2/128 9\n":                                   "192.0.2.1 2001:db8::1",
		"label 2001:db8::2 9\nscopev4 ::/0 2\nreload yes\n":           "192.0.2.1 2001:db8::1",
	} {
		for name, base := range map[string]Policy{"RFC 6724": RFC6724Policy(), "GNU": GNUPolicy()} {
			if got := orderBy(base.changedBy(strings.NewReader(conf)), both); got != want {
				t.Errorf("%s, %q: got %s, want %s", name, conf, got, want)
			}
		}
	}
	r := &Resolver{GaiConf: writeFile(t, "gai.conf", "precedence ::1/128 7\n")}
	if p := r.policy(); lookUpRow(p.Precedence, netip.IPv6Loopback()) != 7 {
		t.Errorf("the file was not read: %+v", p)
	}
}

func FuzzGaiConf(f *testing.F) {
	f.Add("precedence ::ffff:0:0/96 100\nlabel ::1/128 0\n", "::1", "192.0.2.1")
	f.Add("precedence ::/129 1\nlabel x 0\n", "fe80::1%1", "ff02::1")
	f.Fuzz(func(t *testing.T, conf, one, two string) {
		a, errA := netip.ParseAddr(one)
		b, errB := netip.ParseAddr(two)
		if errA != nil || errB != nil {
			t.Skip("no addresses")
		}
		p := RFC6724Policy().changedBy(strings.NewReader(conf))
		first, second := p.destination(a, Source{Addr: a}, true), p.destination(b, Source{}, false)
		if p.compare(first, second) != -p.compare(second, first) || p.compare(first, first) != 0 {
			t.Fatalf("%v and %v are in no order", a, b)
		}
	})
}
