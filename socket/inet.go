package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// ErrInetText is text that is no address of the family asked for.
var ErrInetText = errors.New("not an address of this family")

// Htons turns a 16-bit number from host to network byte order, byteorder(3).
func Htons(n uint16) uint16 { return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, n)) }

// Ntohs turns a 16-bit number from network to host byte order.
func Ntohs(n uint16) uint16 { return Htons(n) }

// Htonl turns a 32-bit number from host to network byte order, byteorder(3).
func Htonl(n uint32) uint32 { return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, n)) }

// Ntohl turns a 32-bit number from network to host byte order.
func Ntohl(n uint32) uint32 { return Htonl(n) }

// InetAton gives the four bytes of an IPv4 address in any form of inet_aton(3):
// one to four parts, each decimal, octal (0177) or hexadecimal (0x7f), the last
// filling the bytes that remain. Nothing may follow it. The error is ErrInetText.
func InetAton(s string) ([4]byte, error) {
	a, ok := parseAton(s)
	if !ok {
		return [4]byte{}, fmt.Errorf("%q: %w", s, ErrInetText)
	}
	return a.As4(), nil
}

// InetNtoa gives the dotted quad of four bytes, inet_ntoa(3).
func InetNtoa(b [4]byte) string { return netip.AddrFrom4(b).String() }

// InetPton gives the bytes, 4 or 16, of an address in its one standard text
// form, inet_pton(3). AF_INET6 takes no zone. The error is ErrInetText, or
// EAI_FAMILY for another family.
func InetPton(family Family, s string) ([]byte, error) {
	if family != AF_INET && family != AF_INET6 {
		return nil, fmt.Errorf("inet_pton %v: %w", family, EAI_FAMILY)
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4() != (family == AF_INET) {
		return nil, fmt.Errorf("%q, %v: %w", s, family, ErrInetText)
	}
	return a.AsSlice(), nil
}

// InetNtop gives the text of an address of 4 or 16 bytes, inet_ntop(3), as the
// C library writes it: RFC 5952, and the dotted form in the last four bytes of
// mapped and compatible addresses. A wrong length is ErrInetText, another
// family EAI_FAMILY.
func InetNtop(family Family, b []byte) (string, error) {
	if family != AF_INET && family != AF_INET6 {
		return "", fmt.Errorf("inet_ntop %v: %w", family, EAI_FAMILY)
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok || a.Is4() != (family == AF_INET) {
		return "", fmt.Errorf("%d bytes, %v: %w", len(b), family, ErrInetText)
	}
	return ntop(a), nil
}

// ntop is the address's text without its zone. Where the C library and netip
// differ, on IPv4-compatible addresses (::1.2.3.4), it follows the C library.
func ntop(a netip.Addr) string {
	a = a.WithZone("")
	if !a.Is6() || a.Is4In6() {
		return a.String()
	}
	b := a.As16()
	if binary.BigEndian.Uint64(b[:8]) == 0 && binary.BigEndian.Uint32(b[8:12]) == 0 && binary.BigEndian.Uint16(b[12:14]) != 0 {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

func ip4FromUint32(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

// parseAton reads the forms of inet_aton(3).
func parseAton(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint32
	for i, part := range parts {
		n, ok := parseCNumber(part)
		if !ok {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			if n > 0xff {
				return netip.Addr{}, false
			}
			value |= n << (24 - 8*i)
			continue
		}
		if bits.Len32(n) > 32-8*i {
			return netip.Addr{}, false
		}
		value |= n
	}
	return ip4FromUint32(value), true
}

// parseCNumber reads an unsigned number as C writes it: 10, 012, 0xa.
func parseCNumber(s string) (uint32, bool) {
	base := 10
	if hex, ok := cutHexPrefix(s); ok {
		s, base = hex, 16
	} else if len(s) > 1 && s[0] == '0' {
		base = 8
	}
	if s == "" || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 32)
	return uint32(n), err == nil
}

func cutHexPrefix(s string) (string, bool) {
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		return hex, true
	}
	return strings.CutPrefix(s, "0X")
}
