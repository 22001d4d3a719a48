package socket

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeFile puts text into a file of the test's own and gives its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// resolveOne is the tuple of the one address that an Address leads to, or the error.
func resolveOne(t *testing.T, a Address, family Family) (string, error) {
	t.Helper()
	all, err := a.Resolve(t.Context(), family, SOCK_STREAM)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		t.Fatalf("%v leads to %v, want one address", a, all)
	}
	return Tuple(all[0]), nil
}

func TestTutorial14_ShortFormsOfDottedQuad(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "127.0.1": "127.0.0.1", "0x7f000001": "127.0.0.1",
		"0X7F.1": "127.0.0.1", "2130706433": "127.0.0.1", "0177.1": "127.0.0.1", "017700000001": "127.0.0.1",
		"10.1.65535": "10.1.255.255", "10.16777215": "10.255.255.255", "0": "0.0.0.0", "4294967295": "255.255.255.255",
	} {
		got, err := resolveOne(t, Pair(host, 80), AF_INET)
		if want := "('" + want + "', 80)"; err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", host, got, err, want)
		}
	}
	for _, host := range []string{"256.1.1.1", "1.2.65536", "4294967296", "08.1", "0x", "1.2.3.4.5", "1..2", "1.", "+1", "1_0", "127.0.0.1 "} {
		if a, ok := parseAton(host); ok {
			t.Errorf("%q was taken for %v", host, a)
		}
	}
}

func TestTutorial15_IPv6Hosts(t *testing.T) {
	for host, want := range map[string]string{
		"::1":              "('::1', 80, 0, 0)",
		"::ffff:127.0.0.1": "('::ffff:127.0.0.1', 80, 0, 0)",
		"2001:DB8:0::1":    "('2001:db8::1', 80, 0, 0)",
		"fe80::1%99999":    "('fe80::1', 80, 0, 99999)",
		"::1.2.3.4":        "('::1.2.3.4', 80, 0, 0)",
	} {
		if got, err := resolveOne(t, Pair(host, 80), AF_INET6); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", host, got, err, want)
		}
	}
	for host, want := range map[string]error{"127.0.0.1": EAI_ADDRFAMILY, "::1%none": EAI_NONAME, "fe80::1%": EAI_NONAME, "[::1]": EAI_NONAME} {
		if got, err := resolveOne(t, Pair(host, 80), AF_INET6); !errors.Is(err, want) {
			t.Errorf("%s: got %s, %v, want %v", host, got, err, want)
		}
	}
	if got, err := resolveOne(t, Pair("::ffff:127.0.0.1", 80), AF_INET); err != nil || got != "('127.0.0.1', 80)" {
		t.Errorf("a mapped address for IPv4: got %s, %v", got, err)
	}
}

func TestTutorial15_ZoneByName(t *testing.T) {
	all, err := IfNameIndex()
	if err != nil || len(all) == 0 {
		t.Skipf("no network interface: %v", err)
	}
	got, err := Pair("fe80::1%"+all[0].Name, 80).Resolve(t.Context(), AF_INET6, SOCK_STREAM)
	if err != nil {
		t.Fatal(err)
	}
	if a := got[0].(InetAddr); a.Addr().Zone() != all[0].Name || a.ScopeID() != uint32(all[0].Index) {
		t.Errorf("got %v, scope %d; the interface is %+v", a, a.ScopeID(), all[0])
	}
}

func TestTutorial16_Broadcast(t *testing.T) {
	if got, err := resolveOne(t, Pair("<broadcast>", 7), AF_INET); err != nil || got != "('255.255.255.255', 7)" {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := resolveOne(t, Pair("<broadcast>", 7), AF_INET6); !errors.Is(err, EAI_ADDRFAMILY) {
		t.Errorf("as IPv6: got %s, %v", got, err)
	}
}

func TestTutorial17_EmptyHostIsEveryInterface(t *testing.T) {
	for family, want := range map[Family]string{AF_INET: "('0.0.0.0', 0)", AF_INET6: "('::', 0, 0, 0)"} {
		if got, err := resolveOne(t, Pair("", 0), family); err != nil || got != want {
			t.Errorf("%v: got %s, %v, want %s", family, got, err, want)
		}
	}
}

func TestTutorial18_IntegerHost(t *testing.T) {
	const loopback = 0x7f000001 // INADDR_LOOPBACK, in host byte order
	for name, a := range map[string]Address{
		"int": Pair(2130706433, 80), "uint32": Pair(uint32(loopback), 80), "text": Pair("2130706433", 80),
	} {
		if got, err := resolveOne(t, a, AF_INET); err != nil || got != "('127.0.0.1', 80)" {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	// The number that lies in an in_addr's memory is in network byte order. On a
	// little-endian machine it reads 16777343 and, taken as it is, is another host.
	inMemory := binary.NativeEndian.Uint32([]byte{127, 0, 0, 1})
	if got, err := resolveOne(t, Pair(Ntohl(inMemory), 80), AF_INET); err != nil || got != "('127.0.0.1', 80)" {
		t.Errorf("after Ntohl: got %s, %v", got, err)
	}
	if Htons(1) != 1 {
		if got, err := resolveOne(t, Pair(inMemory, 80), AF_INET); err != nil || got != "('1.0.0.127', 80)" {
			t.Errorf("little-endian memory as it is: got %s, %v", got, err)
		}
	}
	for _, n := range []int{-1, 0xffffffff + 1} {
		if got, err := resolveOne(t, Pair(n, 80), AF_INET); !errors.Is(err, ErrHostRange) {
			t.Errorf("%d: got %s, %v", n, got, err)
		}
	}
	if got, err := resolveOne(t, Pair(loopback, 80), AF_INET6); !errors.Is(err, EAI_ADDRFAMILY) {
		t.Errorf("as IPv6: got %s, %v", got, err)
	}
}

// asksNothing is a resolver that fails the test if it is asked for a name.
func asksNothing(t *testing.T) *Resolver {
	return &Resolver{Nameservers: []netip.AddrPort{}, Dial: refuseToDial(t), HostsFile: "does-not-exist"}
}

func TestTutorial20_PortAsInteger(t *testing.T) {
	r := asksNothing(t)
	for _, port := range []int{-1, 65536, 1 << 30} {
		_, err := PairVia(r, "name.to.look.up", port).Resolve(t.Context(), AF_INET, SOCK_STREAM)
		if !errors.Is(err, ErrPortRange) || !strings.HasSuffix(err.Error(), "port must be 0-65535") {
			t.Errorf("%d: %v", port, err)
		}
	}
	for port, want := range map[int]string{0: "('127.0.0.1', 0)", 65535: "('127.0.0.1', 65535)"} {
		if got, err := resolveOne(t, Pair("127.0.0.1", port), AF_INET); err != nil || got != want {
			t.Errorf("%d: got %s, %v", port, got, err)
		}
	}
}

func TestTutorial21_PortAsDigits(t *testing.T) {
	if got, err := resolveOne(t, Pair("127.0.0.1", "12345"), AF_INET); err != nil || got != "('127.0.0.1', 12345)" {
		t.Errorf("got %s, %v", got, err)
	}
	for _, port := range []string{"65536", "-1", "99999999999999999999"} {
		if got, err := resolveOne(t, Pair("127.0.0.1", port), AF_INET); !errors.Is(err, ErrPortRange) {
			t.Errorf("%s: got %s, %v", port, got, err)
		}
	}
	for _, port := range []string{" 80", "+80", "80 ", "0x50", "8O", "-"} {
		if got, err := resolveOne(t, Pair("127.0.0.1", port), AF_INET); !errors.Is(err, EAI_SERVICE) {
			t.Errorf("%q: got %s, %v", port, got, err)
		}
	}
}

func TestPairOfOtherKinds(t *testing.T) {
	six := netip.MustParseAddr("::1")
	if got, err := resolveOne(t, Pair(six, "80"), AF_UNSPEC); err != nil || got != "('::1', 80, 0, 0)" {
		t.Errorf("netip.Addr: got %s, %v", got, err)
	}
	if _, err := Pair(netip.Addr{}, 80).Resolve(t.Context(), AF_INET, SOCK_STREAM); !errors.Is(err, EAI_NONAME) {
		t.Errorf("the zero netip.Addr: %v", err)
	}
	if _, err := Pair("127.0.0.1", 80).Resolve(t.Context(), AF_UNIX, SOCK_STREAM); !errors.Is(err, EAI_FAMILY) {
		t.Errorf("AF_UNIX: %v", err)
	}
	if got, err := Pair("127.0.0.1", 80).Resolve(t.Context(), AF_UNSPEC, 0); err != nil || len(got) != 1 {
		t.Errorf("any type: got %v, %v", got, err)
	}
	if got, err := Pair("127.0.0.1", 80).Resolve(t.Context(), AF_INET, SOCK_RAW); err != nil || len(got) != 1 {
		t.Errorf("raw: got %v, %v", got, err)
	}
}
