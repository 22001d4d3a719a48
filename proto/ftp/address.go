package ftp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// appendHostPort writes an IPv4 address as PORT and 227 have it: h1,h2,h3,h4,p1,p2
// (RFC 959 section 4.1.2).
func appendHostPort(b []byte, a netip.AddrPort) []byte {
	h := a.Addr().Unmap().As4()
	for _, n := range h {
		b = append(strconv.AppendUint(b, uint64(n), 10), ',')
	}
	b = append(strconv.AppendUint(b, uint64(a.Port()>>8), 10), ',')
	return strconv.AppendUint(b, uint64(a.Port()&0xff), 10)
}

// parseHostPort is the other way.
func parseHostPort(s string) (netip.AddrPort, error) {
	parts := strings.Split(s, ",")
	if len(parts) != 6 {
		return netip.AddrPort{}, fmt.Errorf("want h1,h2,h3,h4,p1,p2, not %q", s)
	}
	var n [6]byte
	for i, part := range parts {
		v, err := strconv.ParseUint(strings.TrimSpace(part), 10, 8)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("want h1,h2,h3,h4,p1,p2, not %q", s)
		}
		n[i] = byte(v)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), uint16(n[4])<<8|uint16(n[5])), nil
}

// parse227 finds the address in the text of a 227, which may stand in
// parentheses or not (RFC 1123 section 4.1.2.6).
func parse227(text string) (netip.AddrPort, error) {
	isPart := func(c byte) bool { return '0' <= c && c <= '9' || c == ',' }
	for i := 0; i < len(text); i++ {
		if !isPart(text[i]) {
			continue
		}
		j := i
		for j < len(text) && isPart(text[j]) {
			j++
		}
		if a, err := parseHostPort(text[i:j]); err == nil {
			return a, nil
		}
		i = j
	}
	return netip.AddrPort{}, ErrReply
}

// appendExtended writes an address as EPRT has it: |1|host|port| (RFC 2428
// section 2).
func appendExtended(b []byte, a netip.AddrPort) []byte {
	family := 1
	if a.Addr().Unmap().Is6() {
		family = 2
	}
	return fmt.Appendf(b, "|%d|%s|%d|", family, a.Addr().Unmap().WithZone(""), a.Port())
}

// errFamily is a network protocol that we do not speak.
var errFamily = fmt.Errorf("network protocol not supported")

// parseExtended is the other way; any printable byte may be the delimiter.
func parseExtended(s string) (netip.AddrPort, error) {
	bad := fmt.Errorf("want |1|host|port| or |2|host|port|, not %q", s)
	if len(s) == 0 || s[0] < 33 || s[0] > 126 {
		return netip.AddrPort{}, bad
	}
	parts := strings.Split(s, s[:1])
	if len(parts) != 5 || parts[4] != "" {
		return netip.AddrPort{}, bad
	}
	if parts[1] != "1" && parts[1] != "2" {
		return netip.AddrPort{}, errFamily
	}
	host, err := netip.ParseAddr(parts[2])
	if err != nil || host.Zone() != "" || host.Is4() != (parts[1] == "1") {
		return netip.AddrPort{}, bad
	}
	port, err := strconv.ParseUint(parts[3], 10, 16)
	if err != nil {
		return netip.AddrPort{}, bad
	}
	return netip.AddrPortFrom(host, uint16(port)), nil
}

// parse229 finds the port in the text of a 229: (|||port|) (RFC 2428 section 3).
func parse229(text string) (uint16, error) {
	_, rest, ok := strings.Cut(text, "(")
	if !ok || len(rest) < 6 {
		return 0, ErrReply
	}
	d := rest[:1]
	number, _, ok := strings.Cut(strings.TrimPrefix(rest, d+d+d), d)
	if !ok || !strings.HasPrefix(rest, d+d+d) {
		return 0, ErrReply
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return 0, ErrReply
	}
	return uint16(port), nil
}
