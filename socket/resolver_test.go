package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// lookUpText is the outcome of a look-up, stream sockets only, in one line:
// canonical name and addresses, or the error.
func lookUpText(t *testing.T, r *Resolver, name string, family Family) string {
	t.Helper()
	infos, err := r.GetAddrInfo(t.Context(), name, "80", Hints{Family: family, Type: SOCK_STREAM, Flags: AI_CANONNAME})
	if err != nil {
		if e, ok := errors.AsType[EAI](err); ok {
			return e.Error()
		}
		return err.Error()
	}
	words := []string{infos[0].CanonName}
	for _, i := range infos {
		words = append(words, i.Addr.Addr().String())
	}
	return strings.Join(words, " ")
}

var stubZone = map[string]stubName{
	"a.test.":                 {a: []string{"192.0.2.10", "192.0.2.11"}},
	"aaaa.test.":              {aaaa: []string{"2001:db8::10"}},
	"two.test.":               {a: []string{"192.0.2.10"}, aaaa: []string{"2001:db8::10"}},
	"empty.test.":             {},
	"servfail.test.":          {rcode: dnsmessage.RCodeServerFailure},
	"refused.test.":           {rcode: dnsmessage.RCodeRefused},
	"lame.test.":              {lame: true},
	"half.test.":              {a: []string{"192.0.2.10"}, rcodeAAAA: dnsmessage.RCodeServerFailure},
	"silent.test.":            {silent: true},
	"big.test.":               {a: []string{"192.0.2.10"}, big: true},
	"forged.test.":            {a: []string{"192.0.2.10"}, forged: true},
	"alias.test.":             {cname: "Mid.test."},
	"mid.test.":               {cname: "two.test."},
	"loop.test.":              {cname: "loop2.test."},
	"loop2.test.":             {cname: "loop.test."},
	"dangling.test.":          {cname: "gone.test."},
	"short.corp.test.":        {a: []string{"192.0.2.20"}},
	"x.y.corp.test.":          {a: []string{"192.0.2.21"}},
	"nodata.corp.test.":       {},
	"servfail.corp.test.":     {rcode: dnsmessage.RCodeServerFailure},
	"9.2.0.192.in-addr.arpa.": {ptr: "nine.test."},
	"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {ptr: "six.test."},
}

func TestTutorial84_NamesFromDNS(t *testing.T) {
	s := startStubDNS(t, stubZone)
	r := s.resolver(t, "options ndots:1\n")
	const none, again, noData = "Name or service not known", "Temporary failure in name resolution", "No address associated with hostname"
	for _, c := range []struct {
		name   string
		family Family
		want   string
	}{
		{"a.test", AF_UNSPEC, "a.test 192.0.2.10 192.0.2.11"},
		{"A.Test", AF_INET, "A.Test 192.0.2.10 192.0.2.11"},
		{"a.test.", AF_INET, "a.test 192.0.2.10 192.0.2.11"},
		{"a.test", AF_INET6, noData},
		{"aaaa.test", AF_UNSPEC, "aaaa.test 2001:db8::10"},
		{"aaaa.test", AF_INET, noData},
		{"two.test", AF_UNSPEC, "two.test 2001:db8::10 192.0.2.10"},
		{"two.test", AF_INET, "two.test 192.0.2.10"},
		{"two.test", AF_INET6, "two.test 2001:db8::10"},
		{"both.test", AF_UNSPEC, "both.test 192.0.2.99"}, // the hosts file's
		{"nosuch.test", AF_UNSPEC, none},
		{"empty.test", AF_UNSPEC, noData},
		{"servfail.test", AF_UNSPEC, again},
		{"refused.test", AF_UNSPEC, again},
		{"lame.test", AF_UNSPEC, again},
		{"half.test", AF_UNSPEC, "half.test 192.0.2.10"},
		{"big.test", AF_UNSPEC, "big.test 192.0.2.10"},
		{"forged.test", AF_UNSPEC, "forged.test 192.0.2.10"},
		{"alias.test", AF_UNSPEC, "two.test 2001:db8::10 192.0.2.10"},
		{"loop.test", AF_UNSPEC, none},
		{"dangling.test", AF_UNSPEC, none},
	} {
		if got := lookUpText(t, r, c.name, c.family); got != c.want {
			t.Errorf("%s, %v: got %q, want %q", c.name, c.family, got, c.want)
		}
	}
	entry, err := r.GetHostByNameEx(t.Context(), "alias.test")
	if err != nil || entry.Name != "two.test" || !slices.Equal(entry.Aliases, []string{"alias.test", "Mid.test"}) {
		t.Errorf("got %+v, %v", entry, err)
	}
}

func TestTutorial84_MappedAddressesFromDNS(t *testing.T) {
	r := startStubDNS(t, stubZone).resolver(t, "")
	for name, want := range map[string][2]string{
		"a.test":   {"::ffff:192.0.2.10 ::ffff:192.0.2.11", "::ffff:192.0.2.10 ::ffff:192.0.2.11"},
		"two.test": {"2001:db8::10", "2001:db8::10 ::ffff:192.0.2.10"},
	} {
		for i, flags := range []AIFlags{AI_V4MAPPED, AI_V4MAPPED | AI_ALL} {
			infos, err := r.GetAddrInfo(t.Context(), name, "", Hints{Family: AF_INET6, Type: SOCK_STREAM, Flags: flags})
			var got []string
			for _, info := range infos {
				got = append(got, info.Addr.Addr().String())
			}
			if text := strings.Join(got, " "); err != nil || text != want[i] {
				t.Errorf("%s, flags %#x: got %s, %v, want %s", name, int(flags), text, err, want[i])
			}
		}
	}
}

func TestTutorial84_SilentServer(t *testing.T) {
	s := startStubDNS(t, stubZone)
	r := s.resolver(t, "")
	r.Timeout, r.Attempts = 10*time.Millisecond, 2
	var dialled atomic.Int32
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if got := lookUpText(t, r, "silent.test", AF_INET); got != EAI_AGAIN.Error() {
		t.Errorf("got %q", got)
	}
	if n := dialled.Load(); n != 2 {
		t.Errorf("%d attempts, want 2", n)
	}
}

func TestTutorial84_NextServer(t *testing.T) {
	s := startStubDNS(t, stubZone)
	r := s.resolver(t, "")
	dead := netip.MustParseAddrPort("192.0.2.53:53")
	r.Nameservers = []netip.AddrPort{dead, s.addr}
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == dead.String() {
			return nil, errDialed
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if got := lookUpText(t, r, "a.test", AF_INET); got != "a.test 192.0.2.10 192.0.2.11" {
		t.Errorf("got %q", got)
	}
	r.Nameservers = r.Nameservers[:1]
	_, err := r.GetAddrInfo(t.Context(), "a.test", "", Hints{})
	if !errors.Is(err, EAI_AGAIN) || !strings.Contains(err.Error(), dead.String()) {
		t.Errorf("no server left: got %v, want EAI_AGAIN and the server's name", err)
	}
}

func TestTutorial84_CancelledLookUp(t *testing.T) {
	s := startStubDNS(t, stubZone)
	r := s.resolver(t, "")
	r.Timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	var dialled atomic.Bool
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if !dialled.Swap(true) {
			time.AfterFunc(0, cancel)
		}
		return conn, err
	}
	if _, err := r.GetAddrInfo(ctx, "silent.test", "", Hints{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := r.GetAddrInfo(ctx, "both.test", "", Hints{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: got %v", err)
	}
}

func TestSearchListAndNdots(t *testing.T) {
	s := startStubDNS(t, stubZone)
	for _, c := range []struct{ conf, name, want, asked string }{
		{"search other.test corp.test", "short", "short.corp.test 192.0.2.20", "short.other.test. short.corp.test."},
		{"search corp.test.", "x.y", "x.y.corp.test 192.0.2.21", "x.y. x.y.corp.test."},
		{"search corp.test\noptions ndots:2", "x.y", "x.y.corp.test 192.0.2.21", "x.y.corp.test."},
		{"search corp.test\noptions ndots:2", "a.test", "a.test 192.0.2.10 192.0.2.11", "a.test.corp.test. a.test."},
		{"search corp.test", "a.test.", "a.test 192.0.2.10 192.0.2.11", "a.test."},
		{"search corp.test", "short.", EAI_NONAME.Error(), "short."},
		{"search corp.test", "nodata", EAI_NODATA.Error(), "nodata.corp.test. nodata."},
		{"search corp.test", "servfail", EAI_AGAIN.Error(), "servfail.corp.test. servfail."},
		{"domain corp.test", "short", "short.corp.test 192.0.2.20", "short.corp.test."},
		{"search .", "short", EAI_NONAME.Error(), "short."},
	} {
		r := s.resolver(t, c.conf)
		if got := lookUpText(t, r, c.name, AF_INET); got != c.want {
			t.Errorf("%s, %q: got %q, want %q", c.name, c.conf, got, c.want)
		}
		asked := strings.ReplaceAll(strings.Join(s.questions(), " "), " A", "")
		if asked != c.asked {
			t.Errorf("%s, %q: asked %q, want %q", c.name, c.conf, asked, c.asked)
		}
	}
}

func TestReverseLookUp(t *testing.T) {
	r := startStubDNS(t, stubZone).resolver(t, "")
	for addr, want := range map[string]string{"192.0.2.9": "nine.test", "2001:db8::10": "six.test", "192.0.2.99": "both.test"} {
		if entry, err := r.GetHostByAddr(t.Context(), addr); err != nil || entry.Name != want {
			t.Errorf("%s: got %+v, %v", addr, entry, err)
		}
	}
	if entry, err := r.GetHostByAddr(t.Context(), "2001:db8::100"); !errors.Is(err, EAI_NONAME) {
		t.Errorf("an address without a name: got %+v, %v", entry, err)
	}
}

func TestNumbersAndHostsNeedNoNetwork(t *testing.T) {
	r := asksNothing(t)
	for name, family := range map[string]Family{"127.1": AF_UNSPEC, "::1": AF_UNSPEC, "localhost": AF_UNSPEC, "LocalHost": AF_INET6, "": AF_UNSPEC} {
		if infos, err := r.GetAddrInfo(t.Context(), name, "80", Hints{Family: family}); err != nil || len(infos) == 0 {
			t.Errorf("%q: got %v, %v", name, infos, err)
		}
	}
	for _, name := range []string{"a..b", "x y", "bücher.test", strings.Repeat("a", 64), strings.Repeat("abc.", 64), "."} {
		if _, err := r.GetAddrInfo(t.Context(), name, "", Hints{}); !errors.Is(err, EAI_NONAME) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if _, err := r.GetAddrInfo(t.Context(), "name.test", "", Hints{Flags: AI_NUMERICHOST}); !errors.Is(err, EAI_NONAME) {
		t.Errorf("AI_NUMERICHOST: %v", err)
	}
}
