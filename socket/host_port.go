package socket

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseHostPort splits the text form of an internet address into what Pair
// takes: "host:port", "[::1]:80", "[fe80::1%eth0]:80", ":80" (an empty host).
// The port may be a service's name; it must be there, and in range if it is a
// number. The host is not looked up. An IPv6 address needs its brackets, and
// brackets hold nothing but one.
func ParseHostPort(s string) (host, port string, err error) {
	fail := func(why string) (string, string, error) {
		return "", "", fmt.Errorf("address %q: %s", s, why)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return fail("a blank or control character in it")
	}
	if rest, bracketed := strings.CutPrefix(s, "["); bracketed {
		inside, after, closed := strings.Cut(rest, "]")
		if !closed {
			return fail("the closing bracket is missing")
		}
		if a, err := netip.ParseAddr(inside); err != nil || !a.Is6() {
			return fail("brackets are for an IPv6 address")
		}
		after, colon := strings.CutPrefix(after, ":")
		if !colon {
			return fail("after the bracket comes a colon and the port")
		}
		host, port = inside, after
	} else {
		before, after, colon := strings.Cut(s, ":")
		if !colon {
			return fail("the port is missing (host:port)")
		}
		if strings.Contains(after, ":") {
			return fail("an IPv6 address needs brackets ([::1]:80)")
		}
		host, port = before, after
	}
	if strings.ContainsAny(host, "[]/") || strings.ContainsAny(port, "[]/%") {
		return fail("neither a host nor a port has such characters")
	}
	if port == "" {
		return fail("the port is missing (host:port)")
	}
	if _, number, err := parsePort(port); number && err != nil {
		return "", "", fmt.Errorf("address %q: %w", s, err)
	}
	return host, port, nil
}

// CheckURLHost tells whether a URL may have this host, given without brackets
// as url.URL.Hostname returns it. It wants an IPv4 address in its four decimal
// parts without leading zeros, an IPv6 address, or a name; it refuses, with an
// error that says what to write instead, the other forms that Pair takes
// (127.1, 0x7f000001, 2130706433, 0177.1, "<broadcast>", empty): programs
// disagree about them, and a filter that reads one thing where the socket does
// another lets requests through to the wrong host (RFC 3986 section 7.4, RFC
// 6943 section 3.1.1).
func CheckURLHost(host string) error {
	if host == "" {
		return fmt.Errorf("the URL has no host")
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Is6() && strings.HasSuffix(host, "%") {
			return fmt.Errorf("host %q: an empty zone", host)
		}
		return nil
	}
	if strings.Contains(host, ":") {
		return fmt.Errorf("host %q: not an IPv6 address", host)
	}
	if a, ok := parseAton(strings.TrimSuffix(host, ".")); ok {
		return fmt.Errorf("host %q: a URL takes an IPv4 address only in full (%v)", host, a)
	}
	if endsInNumber(host) {
		return fmt.Errorf("host %q: neither a name nor an IPv4 address in full", host)
	}
	if !isHostName(host) {
		return fmt.Errorf("host %q: not the name of a host", host)
	}
	return nil
}

// endsInNumber tells whether the last label is a number, as the last label of
// a real name never is (RFC 1123 section 2.1, and the URL standard's host
// parser).
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := cutHexPrefix(last); ok {
		return strings.Trim(hex, "0123456789abcdefABCDEF") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isHostName tells whether DNS could know the name: labels of 1 to 63 bytes of
// printable ASCII, 253 in all, with or without the final dot. It is kept wide
// (underscores and such) because names in use are.
func isHostName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"#%/:<>?@[\]^{|}`+"`", r)
	})
}
