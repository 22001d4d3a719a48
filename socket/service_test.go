package socket

import (
	"errors"
	"strings"
	"testing"
)

func TestTutorial22_PortAsServiceName(t *testing.T) {
	// The names and ports of the tutorials' table of protocols.
	table := map[string]int{"http": 80, "www": 80, "nntp": 119, "ftp-data": 20, "ftp": 21, "smtp": 25, "pop3": 110, "imap": 143, "telnet": 23, "gopher": 70}
	builtin := &Resolver{ServicesFile: "does-not-exist"}
	for source, r := range map[string]*Resolver{"the system's": nil, "built-in": builtin} {
		for name, port := range table {
			if got, err := r.GetServByName(name, "tcp"); err != nil || got != port {
				t.Errorf("%s services: %s is %d, %v", source, name, got, err)
			}
			all, err := PairVia(r, "127.0.0.1", name).Resolve(t.Context(), AF_INET, SOCK_STREAM)
			if err != nil || int(all[0].(InetAddr).Port()) != port {
				t.Errorf("%s services: %s leads to %v, %v", source, name, all, err)
			}
		}
		if _, err := PairVia(r, "127.0.0.1", "no-such-service").Resolve(t.Context(), AF_INET, SOCK_STREAM); !errors.Is(err, EAI_SERVICE) {
			t.Errorf("%s services, unknown name: %v", source, err)
		}
		if _, err := r.GetAddrInfo(t.Context(), "127.0.0.1", "no-such-service", Hints{}); !errors.Is(err, EAI_SERVICE) {
			t.Errorf("%s services, unknown name: %v", source, err)
		}
	}
	if port, err := builtin.GetServByName("imaps", ""); err != nil || port != 993 {
		t.Errorf("imaps is %d, %v", port, err)
	}
	if _, err := PairVia(builtin, "127.0.0.1", "tftp").Resolve(t.Context(), AF_INET, SOCK_STREAM); !errors.Is(err, EAI_SERVICE) {
		t.Errorf("a service of udp over tcp: %v", err)
	}
	if all, err := PairVia(builtin, "127.0.0.1", "tftp").Resolve(t.Context(), AF_INET, SOCK_DGRAM); err != nil || all[0].(InetAddr).Port() != 69 {
		t.Errorf("tftp over udp: %v, %v", all, err)
	}
}

func TestServByPort(t *testing.T) {
	r := &Resolver{ServicesFile: writeFile(t, "services", "one 1/tcp # c\nuno 1/udp\n one-more 1/tcp\nbad x/tcp\nworse\n2/tcp\n")}
	for protocol, want := range map[string]string{"": "one", "tcp": "one", "udp": "uno"} {
		if got, err := r.GetServByPort(1, protocol); err != nil || got != want {
			t.Errorf("%q: got %q, %v", protocol, got, err)
		}
	}
	if got, err := r.GetServByPort(2, ""); !errors.Is(err, EAI_SERVICE) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := r.GetServByPort(65536, ""); !errors.Is(err, ErrPortRange) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestProtoByName(t *testing.T) {
	for source, r := range map[string]*Resolver{"the system's": nil, "built-in": {ProtocolsFile: "does-not-exist"}} {
		for name, want := range map[string]Proto{"ip": 0, "icmp": IPPROTO_ICMP, "tcp": IPPROTO_TCP, "UDP": IPPROTO_UDP, "ipv6-icmp": IPPROTO_ICMPV6} {
			if got, err := r.GetProtoByName(name); err != nil || got != want {
				t.Errorf("%s: %s is %d, %v", source, name, got, err)
			}
		}
		if got, err := r.GetProtoByName("no-such"); err == nil {
			t.Errorf("%s: no-such is %d", source, got)
		}
	}
}

func FuzzServices(f *testing.F) {
	f.Add(builtinServices)
	f.Add("a 1/tcp b c # d\n\r\na\t65536/tcp\nx 1/\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range parseServices(strings.NewReader(text)) {
			for _, word := range append([]string{s.name, s.protocol}, s.aliases...) {
				if word == "" || strings.ContainsAny(word, " \t\n#") {
					t.Fatalf("a word is %q in %+v", word, s)
				}
			}
			if _, err := portNumber(s.port); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range parseProtocols(strings.NewReader(text)) {
			if p.name == "" || p.number < 0 || p.number > 65535 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
