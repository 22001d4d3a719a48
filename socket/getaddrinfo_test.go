package socket

import (
	"errors"
	"strings"
	"testing"
)

// kindsOf lists type, protocol and port of each entry.
func kindsOf(infos []AddrInfo) string {
	var words []string
	for _, i := range infos {
		fields := strings.Split(i.Tuple(), ", ")
		words = append(words, strings.Join(append(fields[1:3:3], strings.Trim(fields[len(fields)-1], ")")), "/"))
	}
	return strings.Join(words, " ")
}

func TestTutorial81_GetAddrInfoByServiceAndNumber(t *testing.T) {
	r := &Resolver{ServicesFile: writeFile(t, "services", "http 80/tcp www\ndomain 53/tcp\ndomain 53/udp\nall 9/tcp\nall 9/udp\nall 9/sctp\nall 9/dccp\nall 9/udplite\n")}
	for _, c := range []struct {
		service string
		hints   Hints
		want    string
	}{
		{"www", Hints{}, "1/6/80"}, // a name: as the services file lists it
		{"80", Hints{}, "1/6/80 2/17/80 3/0/80"},
		{"", Hints{}, "1/6/0 2/17/0 3/0/0"},
		{"domain", Hints{}, "1/6/53 2/17/53"},
		{"all", Hints{}, "1/6/9 2/17/9 6/33/9 2/136/9 1/132/9 5/132/9"},
		{"domain", Hints{Type: SOCK_DGRAM}, "2/17/53"},
		{"domain", Hints{Proto: IPPROTO_UDP}, "2/17/53"},
		{"80", Hints{Proto: IPPROTO_SCTP}, "1/132/80"},
		{"80", Hints{Type: SOCK_DGRAM, Proto: IPPROTO_UDPLITE}, "2/136/80"},
		{"", Hints{Type: SOCK_RAW, Proto: IPPROTO_ICMP}, "3/1/0"},
		{"", Hints{Proto: IPPROTO_ICMP}, "3/1/0"},
		{"0", Hints{Flags: AI_NUMERICSERV}, "1/6/0 2/17/0 3/0/0"},
	} {
		infos, err := r.GetAddrInfo(t.Context(), "127.0.0.1", c.service, c.hints)
		if got := kindsOf(infos); err != nil || got != c.want {
			t.Errorf("%q, %+v: got %s, %v, want %s", c.service, c.hints, got, err, c.want)
		}
	}
}

func TestGetAddrInfoErrors(t *testing.T) {
	r := asksNothing(t)
	for _, c := range []struct {
		host, service string
		hints         Hints
		want          error
	}{
		{"", "", Hints{}, EAI_NONAME},
		{"*", "*", Hints{}, EAI_NONAME},
		{"127.0.0.1", "80", Hints{Flags: 0x10000}, EAI_BADFLAGS},
		{"", "80", Hints{Flags: AI_CANONNAME}, EAI_BADFLAGS},
		{"127.0.0.1", "80", Hints{Family: AF_UNIX}, EAI_FAMILY},
		{"127.0.0.1", "80", Hints{Type: SOCK_RDM}, EAI_SOCKTYPE},
		{"127.0.0.1", "80", Hints{Type: SOCK_STREAM, Proto: IPPROTO_UDP}, EAI_SOCKTYPE},
		{"127.0.0.1", "80", Hints{Type: SOCK_RAW}, EAI_SERVICE},
		{"127.0.0.1", "www", Hints{Type: SOCK_DGRAM}, EAI_SERVICE},
		{"127.0.0.1", "www", Hints{Flags: AI_NUMERICSERV}, EAI_NONAME},
		{"127.0.0.1", "80", Hints{Family: AF_INET6}, EAI_ADDRFAMILY},
		{"::1", "80", Hints{Family: AF_INET}, EAI_ADDRFAMILY},
		{"127.0.0.1", "65536", Hints{}, ErrPortRange},
		{"<broadcast>", "80", Hints{}, EAI_NONAME},
	} {
		infos, err := r.GetAddrInfo(t.Context(), c.host, c.service, c.hints)
		if !errors.Is(err, c.want) {
			t.Errorf("%q, %q, %+v: got %v, %v, want %v", c.host, c.service, c.hints, infos, err, c.want)
		}
	}
}

func TestGetAddrInfoWithoutHost(t *testing.T) {
	for flags, want := range map[AIFlags]string{0: "127.0.0.1", AI_PASSIVE: "0.0.0.0"} {
		infos, err := GetAddrInfo(t.Context(), "", "80", Hints{Family: AF_INET, Type: SOCK_STREAM, Flags: flags})
		if err != nil || len(infos) != 1 || infos[0].Addr.Addr().String() != want {
			t.Errorf("flags %d: got %v, %v", flags, infos, err)
		}
	}
	for flags, want := range map[AIFlags]string{0: "::1", AI_PASSIVE: "::"} {
		infos, err := GetAddrInfo(t.Context(), "", "80", Hints{Family: AF_INET6, Type: SOCK_STREAM, Flags: flags})
		if err != nil || len(infos) != 1 || infos[0].Addr.Addr().String() != want {
			t.Errorf("flags %d: got %v, %v", flags, infos, err)
		}
	}
}

func TestGetAddrInfoAddrConfig(t *testing.T) {
	var has4, has6 bool
	for a := range interfaceAddrs() {
		has4 = has4 || a.Is4() && a.String() != "127.0.0.1"
		has6 = has6 || a.Is6() && a.String() != "::1"
	}
	for family, has := range map[Family]bool{AF_INET: has4, AF_INET6: has6} {
		host := map[Family]string{AF_INET: "127.0.0.1", AF_INET6: "::1"}[family]
		infos, err := GetAddrInfo(t.Context(), host, "80", Hints{Family: family, Flags: AI_ADDRCONFIG})
		if has != (err == nil) || !has && !errors.Is(err, EAI_NONAME) {
			t.Errorf("%v, of which this host has an address: %v; got %v, %v", family, has, infos, err)
		}
	}
}

func TestEAITexts(t *testing.T) {
	seen := map[string]bool{}
	for e := EAI_OVERFLOW; e < 0; e++ {
		if text := e.Error(); seen[text] || strings.Contains(text, "getaddrinfo") {
			t.Errorf("%d: %q", int(e), text)
		}
		seen[e.Error()] = true
		if e.Temporary() != (e == EAI_AGAIN) {
			t.Errorf("%v is temporary: %v", e, e.Temporary())
		}
	}
	if got := EAI(-99).Error(); got != "getaddrinfo error -99" {
		t.Error(got)
	}
}
