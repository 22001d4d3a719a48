package socket

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestParseHostPort(t *testing.T) {
	for in, want := range map[string][2]string{
		"localhost:80": {"localhost", "80"}, "127.1:http": {"127.1", "http"}, ":0": {"", "0"},
		"[::1]:80": {"::1", "80"}, "[fe80::1%eth0]:x-400": {"fe80::1%eth0", "x-400"}, "<broadcast>:9": {"<broadcast>", "9"},
	} {
		host, port, err := ParseHostPort(in)
		if err != nil || host != want[0] || port != want[1] {
			t.Errorf("%s: got %q, %q, %v", in, host, port, err)
		}
	}
	for in, why := range map[string]string{
		"": "port is missing", "localhost": "port is missing", "localhost:": "port is missing", "80": "port is missing",
		"::1:80": "needs brackets", "[::1]": "comes a colon", "[::1:80": "closing bracket", "[::1]80": "comes a colon",
		"[127.0.0.1]:80": "for an IPv6 address", "[name]:80": "for an IPv6 address", "a b:80": "blank", "a:80\n": "blank",
		"a:65536": "port must be 0-65535", "a:-1": "port must be 0-65535", "http://a:80": "needs brackets", "a/b:80": "such characters",
	} {
		host, port, err := ParseHostPort(in)
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, %q, %v; want an error with %q", in, host, port, err, why)
		}
	}
	if _, _, err := ParseHostPort("a:70000"); !errors.Is(err, ErrPortRange) {
		t.Errorf("got %v, want ErrPortRange", err)
	}
}

func TestCheckURLHost(t *testing.T) {
	for _, host := range []string{"example.com", "example.com.", "127.0.0.1", "::1", "fe80::1%eth0", "::ffff:127.0.0.1", "a_b", "x1", "1.example", "0x7f.com", "xn--bcher-kva.example"} {
		if err := CheckURLHost(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for host, why := range map[string]string{
		"127.1": "only in full (127.0.0.1)", "0x7f000001": "only in full (127.0.0.1)", "2130706433": "only in full (127.0.0.1)",
		"0177.0.0.1": "only in full (127.0.0.1)", "127.0.0.01": "only in full", "127.0.0.1.": "only in full", "0": "only in full (0.0.0.0)",
		"256.1.1.1": "neither a name", "1.2.3.4.5": "neither a name", "a.0x1": "neither a name", "0x": "neither a name", "08": "neither a name",
		"<broadcast>": "not the name", "": "no host", "a..b": "not the name", "a b": "not the name", "[::1]": "not an IPv6",
		"fe80::1%": "not an IPv6", "ex%61mple": "not the name", "１２７.1": "neither a name", "bücher": "not the name", "a/b": "not the name",
	} {
		if err := CheckURLHost(host); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want an error with %q", host, err, why)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"127.1", "0x7f000001", "0177.1", "::1", "fe80::1%1", "::ffff:1.2.3.4", "256", "a.b", "<broadcast>", "::%1", "fe80::%01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, ok, err := parseLiteral(s)
		if !ok {
			if err != nil {
				t.Fatalf("%q: an error but no address: %v", s, err)
			}
			return
		}
		if again, ok, err2 := parseLiteral(addr.String()); !ok || err == nil && (again != addr || err2 != nil) {
			t.Fatalf("%q is %v, which reads as %v, %v", s, addr, again, err2)
		}
		// What a URL lets through is read the same by everybody.
		if std, parseErr := netip.ParseAddr(s); CheckURLHost(s) == nil && err == nil {
			if parseErr != nil || std.WithZone("") != addr.WithZone("") {
				t.Fatalf("%q passes in a URL but is %v here and %v, %v there", s, addr, std, parseErr)
			}
		}
	})
}

func FuzzPort(f *testing.F) {
	for _, s := range []string{"0", "80", "65535", "65536", "-1", "http", " 80", "00080"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		port, number, err := parsePort(s)
		switch {
		case !number && (port != 0 || err != nil):
			t.Fatalf("%q is no number, yet gave %d, %v", s, port, err)
		case err != nil && !errors.Is(err, ErrPortRange):
			t.Fatalf("%q: %v", s, err)
		case number && err == nil && strings.Trim(s, "0123456789") != "":
			t.Fatalf("%q was read as %d", s, port)
		}
	})
}

func FuzzParseHostPort(f *testing.F) {
	for _, s := range []string{"a:1", "[::1]:80", ":80", "[fe80::1%lo]:http", "::1:80", "a:b:c", "[]:1", "a:65536"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := ParseHostPort(s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("an error of several lines: %q", err)
			}
			return
		}
		joined := host + ":" + port
		if strings.Contains(host, ":") {
			joined = "[" + host + "]:" + port
		}
		if joined != s || port == "" {
			t.Fatalf("%q split into %q and %q", s, host, port)
		}
	})
}
