package server

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/pires/go-proxyproto"
)

// Whatever a peer sends, byte by byte or at once, is told to be the same.
func FuzzProxyHeader(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nGET", "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "PROXY UNKNOWN\r\n",
		"PROXY UNKNOWN ff: whatever\r\nx", "PROXY \n", "PROXYX", "P", "PROX", "", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbbhi",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x00\x00\x00", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := proxyHeaderLen(b)
		if n < 0 || n > len(b) || n > 0 && err != nil {
			t.Fatalf("%q: %d bytes, %v", b, n, err)
		}
		for i := range b {
			part, perr := proxyHeaderLen(b[:i])
			switch {
			case perr != nil && (err == nil || perr.Error() != err.Error()):
				t.Fatalf("%q alone is %v, as part %v", b[:i], perr, err)
			case part > 0 && part != n, part == 0 && perr == nil && n > 0 && i >= n:
				t.Fatalf("%q alone has a header of %d bytes, as part of %d", b[:i], part, n)
			}
			if part > 0 && !begunProxyHeader(b[:part]) {
				t.Fatalf("%q is a whole header, and not the beginning of one", b[:part])
			}
		}
		if n == 0 {
			return
		}
		if from, to, err := parseProxyHeader(b[:n]); (from == nil) != (to == nil) || err != nil && from != nil {
			t.Fatalf("%q: %v, %v, %v", b[:n], from, to, err)
		}
	})
}

// What the library writes is what is read, for every address and both versions.
func FuzzProxyHeaderRoundTrip(f *testing.F) {
	f.Add([]byte{192, 0, 2, 1}, []byte{192, 0, 2, 2}, uint16(1000), uint16(80), true)
	f.Add(netip.MustParseAddr("2001:db8::1").AsSlice(), netip.MustParseAddr("::ffff:1.2.3.4").AsSlice(), uint16(0), uint16(65535), false)
	f.Fuzz(func(t *testing.T, src, dst []byte, sport, dport uint16, second bool) {
		from, fromOK := netip.AddrFromSlice(src)
		to, toOK := netip.AddrFromSlice(dst)
		if !fromOK || !toOK {
			t.Skip("no address")
		}
		version := byte(1)
		if second {
			version = 2
		}
		a := net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, sport))
		b := net.TCPAddrFromAddrPort(netip.AddrPortFrom(to, dport))
		var buf bytes.Buffer
		if _, err := proxyproto.HeaderProxyFromAddrs(version, a, b).WriteTo(&buf); err != nil {
			t.Fatal(err)
		}
		n, err := proxyHeaderLen(append(buf.Bytes(), "more"...))
		if n != buf.Len() || err != nil {
			t.Fatalf("%q has %d bytes, %v", buf.Bytes(), n, err)
		}
		gotA, gotB, err := parseProxyHeader(buf.Bytes())
		if err != nil || gotA.String() != a.String() || gotB.String() != b.String() {
			t.Fatalf("%v, %v became %v, %v, %v", a, b, gotA, gotB, err)
		}
	})
}

func TestProxyHeaderTooLong(t *testing.T) {
	for _, b := range [][]byte{
		append([]byte("PROXY UNKNOWN "), bytes.Repeat([]byte("x"), proxyLine)...),
		append(bytes.Clone(proxyproto.SIGV2), 0x21, 0x11, 0x10, 0x01),
	} {
		if n, err := proxyHeaderLen(b); !errors.Is(err, errProxyLength) {
			t.Errorf("%q: %d, %v", b, n, err)
		}
	}
}
