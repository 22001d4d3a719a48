package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

const (
	proxyV1    = "PROXY TCP4 192.0.2.7 198.51.100.8 4000 25\r\n"
	proxyV2Sig = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV2    = proxyV2Sig + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07\xc6\x33\x64\x08\x0f\xa0\x00\x19"
	proxyTells = "192.0.2.7:4000 198.51.100.8:25"
)

// never is a time that no test waits for.
const never = time.Hour

// ends is a handler that tells the two ends of its connection, and then says
// what it hears.
func ends() server.Handler {
	return server.Stream(func(_ context.Context, c net.Conn) error {
		if _, err := fmt.Fprintf(c, "%v %v\n", c.RemoteAddr(), c.LocalAddr()); err != nil {
			return err
		}
		_, err := io.Copy(c, c)
		return err
	})
}

// behind serves behind a proxy.
type behind struct {
	*testing.T
	*server.ProxyListener
	srv *server.Server
}

func startBehind(t *testing.T, address string, p server.ProxyHeader, srv *server.Server) *behind {
	t.Helper()
	l, err := server.Listen(t.Context(), address, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b := &behind{t, p.Listener(l), srv}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, b.ProxyListener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *behind) dial() net.Conn {
	b.Helper()
	c, err := net.Dial(b.Addr().Network(), b.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	b.Cleanup(func() { c.Close() })
	return c
}

// say sends text, ends its half, and gives everything that comes back.
func (b *behind) say(text string) (string, net.Conn) {
	b.Helper()
	c := b.dial()
	if _, err := io.WriteString(c, text); err != nil {
		b.Fatal(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		b.Fatal(err)
	}
	all, _ := io.ReadAll(c) // a reset is as good as an end
	return string(all), c
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestProxyHeader(t *testing.T) {
	elsewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	mapped := []netip.Prefix{netip.MustParsePrefix("::ffff:127.0.0.0/104")}
	const own = "own\n"
	for _, tt := range []struct {
		name     string
		trusted  []netip.Prefix
		required bool
		say      string
		want     string // "own": the connection's own addresses; empty: it is closed
		count    server.ProxyCounters
	}{
		{"version 1", loopback, true, proxyV1 + "hi", proxyTells + "\nhi", server.ProxyCounters{Headers: 1}},
		{"version 2", loopback, true, proxyV2 + "hi", proxyTells + "\nhi", server.ProxyCounters{Headers: 1}},
		{"optional and there", loopback, false, proxyV1 + "hi", proxyTells + "\nhi", server.ProxyCounters{Headers: 1}},
		{"trusted by a mapped prefix", mapped, true, proxyV1, proxyTells + "\n", server.ProxyCounters{Headers: 1}},
		{"IPv6", loopback, true, "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "[2001:db8::1]:1 [2001:db8::2]:2\n", server.ProxyCounters{Headers: 1}},
		{"unknown", loopback, true, "PROXY UNKNOWN 1 2 3\r\nhi", own + "hi", server.ProxyCounters{Headers: 1}},
		{"local", loopback, true, proxyV2Sig + "\x20\x00\x00\x00hi", own + "hi", server.ProxyCounters{Headers: 1}},
		{"local with addresses", loopback, true, strings.Replace(proxyV2, "\x21\x11", "\x20\x11", 1) + "hi", own + "hi", server.ProxyCounters{Headers: 1}},
		{"unspecified", loopback, true, proxyV2Sig + "\x21\x00\x00\x00hi", own + "hi", server.ProxyCounters{Headers: 1}},
		{"a header in the header's data", loopback, true, proxyV2 + proxyV1, proxyTells + "\n" + proxyV1, server.ProxyCounters{Headers: 1}},
		{"spoofed, version 1", elsewhere, true, proxyV1 + "hi", own + proxyV1 + "hi", server.ProxyCounters{}},
		{"spoofed, version 2", elsewhere, false, proxyV2 + "hi", own + proxyV2 + "hi", server.ProxyCounters{}},
		{"trusts nobody", nil, true, proxyV1, own + proxyV1, server.ProxyCounters{}},
		{"required and missing", loopback, true, "EHLO me\r\n", "", server.ProxyCounters{Missing: 1}},
		{"required and nothing", loopback, true, "", "", server.ProxyCounters{Missing: 1}},
		{"optional and missing", loopback, false, "EHLO me\r\n", own + "EHLO me\r\n", server.ProxyCounters{}},
		{"optional and nearly", loopback, false, "PROXIMITY", own + "PROXIMITY", server.ProxyCounters{}},
		{"optional and cut before it is one", loopback, false, "PROX", own + "PROX", server.ProxyCounters{}},
		{"bad address", loopback, false, "PROXY TCP4 192.0.2.777 1.1.1.1 1 2\r\n", "", server.ProxyCounters{Malformed: 1}},
		{"bad version", loopback, false, proxyV2Sig + "\x31\x11\x00\x0c123456789012", "", server.ProxyCounters{Malformed: 1}},
		{"bare line feed", loopback, true, "PROXY UNKNOWN\nhi", "", server.ProxyCounters{Malformed: 1}},
		{"line too long", loopback, false, "PROXY UNKNOWN " + strings.Repeat("x", 200), "", server.ProxyCounters{Malformed: 1}},
		{"cut in the middle", loopback, false, proxyV2[:20], "", server.ProxyCounters{Malformed: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: tt.trusted, Required: tt.required, Timeout: never}, &server.Server{Handler: ends()})
			got, c := b.say(tt.say)
			if want := strings.Replace(tt.want, own, fmt.Sprintf("%v %v\n", c.LocalAddr(), c.RemoteAddr()), 1); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if b.Counters() != tt.count {
				t.Errorf("counted %+v, want %+v", b.Counters(), tt.count)
			}
			if got, _ := b.say(proxyV1); got == "" && tt.want != "" {
				t.Error("the next connection is not served")
			}
		})
	}
}

// A header may come in pieces, and one that never comes holds nobody up.
func TestProxyHeaderInPieces(t *testing.T) {
	for _, header := range []string{proxyV1, proxyV2} {
		b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: true, Timeout: never}, &server.Server{Handler: ends()})
		slow := b.dial()
		for i := range len(header) {
			if _, err := slow.Write([]byte{header[i]}); err != nil {
				t.Fatal(err)
			}
			if got, _ := b.say(proxyV2); i%10 == 0 && got != proxyTells+"\n" {
				t.Fatalf("after %d bytes from one, another got %q", i, got)
			}
		}
		got := make([]byte, len(proxyTells))
		if _, err := io.ReadFull(slow, got); err != nil || string(got) != proxyTells {
			t.Errorf("got %q, %v", got, err)
		}
		slow.Close()
		b.dial() // what says nothing is cut when the server stops
	}
}

func TestProxyHeaderLate(t *testing.T) {
	for _, tt := range []struct {
		begun    string
		required bool
		want     bool
	}{{"", true, false}, {"PROXY TC", true, false}, {"PROXY TC", false, false}, {"PROX", false, true}, {"", false, true}} {
		t.Run(fmt.Sprintf("%q/%v", tt.begun, tt.required), func(t *testing.T) {
			b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: tt.required, Timeout: 20 * time.Millisecond}, &server.Server{Handler: ends()})
			c := b.dial()
			if _, err := io.WriteString(c, tt.begun); err != nil {
				t.Fatal(err)
			}
			one := make([]byte, 1)
			if _, err := c.Read(one); (err == nil) != tt.want {
				t.Errorf("served: %v, want %v", err, tt.want)
			}
			if late := b.Counters().Late == 1; late == tt.want {
				t.Errorf("counted %+v", b.Counters())
			}
		})
	}
}

func TestProxyHeaderBeforeTLS(t *testing.T) {
	srv := &server.Server{Handler: ends(), TLS: testcert.Server(t)}
	b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: true}, srv)
	c := b.dial()
	var first bytes.Buffer
	first.WriteString(proxyV2)
	tc := tls.Client(&joined{c, &first}, testcert.Client(t))
	line := make([]byte, len(proxyTells))
	if _, err := io.ReadFull(tc, line); err != nil || string(line) != proxyTells {
		t.Errorf("got %q, %v", line, err)
	}
}

// joined sends what is in first together with what is written first.
type joined struct {
	net.Conn
	first *bytes.Buffer
}

func (j *joined) Write(p []byte) (int, error) {
	n := j.first.Len()
	j.first.Write(p)
	m, err := j.Conn.Write(j.first.Next(j.first.Len()))
	return m - n, err
}

// Limits.PerPeer counts the clients, not the proxy.
func TestProxyHeaderPerPeer(t *testing.T) {
	srv := &server.Server{Handler: ends(), Limits: server.Limits{PerPeer: 1}}
	b := startBehind(t, "127.0.0.1:0", server.ProxyHeader{Trusted: loopback, Required: true}, srv)
	for _, header := range []string{"PROXY TCP4 192.0.2.1 1.1.1.1 1 2\r\n", "PROXY TCP4 192.0.2.2 1.1.1.1 1 2\r\n", "PROXY TCP4 192.0.2.1 1.1.1.1 3 2\r\n"} {
		if _, err := io.WriteString(b.dial(), header); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the second of one client waits", func() bool {
		n := srv.Counters()
		return n.Accepted == 3 && n.Delayed == 1
	})
}

func TestProxyHeaderOnUnixSocket(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		address := "unix:" + filepath.Join(servertest.Dir(t), "s")
		b := startBehind(t, address, server.ProxyHeader{Trusted: loopback, TrustUnix: trusted}, &server.Server{Handler: ends()})
		if got, _ := b.say(proxyV1); strings.HasPrefix(got, proxyTells) != trusted {
			t.Errorf("trusted: %v, got %q", trusted, got)
		}
	}
}
