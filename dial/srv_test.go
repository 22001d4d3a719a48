package dial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/farend-go/farend/dial"
)

// nameServer answers every question for SRV records with these, or that there
// are none.
func nameServer(t *testing.T, records ...dnsmessage.SRVResource) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(b[:n]); err != nil {
				t.Error(err)
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			for _, r := range records {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET},
					Body:   &r,
				})
			}
			if len(records) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			out, err := m.Pack()
			if err != nil {
				t.Error(err)
				continue
			}
			pc.WriteTo(out, from)
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func record(priority, weight uint16, target string, port uint16) dnsmessage.SRVResource {
	return dnsmessage.SRVResource{Priority: priority, Weight: weight, Port: port, Target: dnsmessage.MustNewName(target)}
}

func TestSRVOrder(t *testing.T) {
	r := nameServer(t, record(20, 0, "backup.example.", 2), record(10, 0, "rare.example.", 3), record(10, 1000, "often.example.", 1))
	first := map[string]int{}
	for range 60 {
		all, err := dial.SRV(t.Context(), r, dial.TLS, "imaps", "tcp", "example.org")
		if err != nil || len(all) != 3 {
			t.Fatal(all, err)
		}
		if last := all[2].String(); last != "tls:backup.example:2" {
			t.Fatalf("the last is %s", last)
		}
		first[all[0].Host]++
	}
	// Equal chances would give often.example fewer than 45 of 60 once in 10^4
	// runs; with its weight, once in far more than 10^60.
	if first["often.example"] < 45 {
		t.Errorf("the first was %v", first)
	}
}

func TestSRVNone(t *testing.T) {
	r := nameServer(t, record(0, 0, ".", 0))
	if _, err := dial.SRV(t.Context(), r, dial.TCP, "pop3", "tcp", "example.org"); !errors.Is(err, dial.ErrNoService) {
		t.Errorf("a root target: %v", err)
	}
	var dns *net.DNSError
	if _, err := dial.SRV(t.Context(), nameServer(t), dial.TCP, "pop3", "tcp", "example.org"); !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("no records: %v", err)
	}
}

func TestDialSRV(t *testing.T) {
	good := serve(t, "tcp", "127.0.0.1:0", upper).(*net.TCPAddr).Port
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad := l.Addr().(*net.TCPAddr).Port
	l.Close()
	var d dial.Dialer
	r := nameServer(t, record(2, 0, "localhost.", uint16(good)), record(1, 0, "localhost.", uint16(bad)))
	c, err := d.DialSRV(t.Context(), r, dial.TCP, "pop3", "example.org")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := ask(t, c, "hello"); got != "HELLO" {
		t.Errorf("got %q", got)
	}
	var e *dial.Error
	if _, err := d.DialSRV(t.Context(), nameServer(t, record(0, 0, ".", 0)), dial.TCP, "pop3", "example.org"); !errors.As(err, &e) || !errors.Is(err, dial.ErrNoService) {
		t.Errorf("a root target: %v", err)
	}
	if _, err := d.DialSRV(t.Context(), r, dial.UDP, "pop3", "example.org"); err == nil {
		t.Error("datagrams passed")
	}
	// Without records it is the domain itself, on the service's port: a proxy
	// sees where it would go.
	proxy := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		script(t, c, x("CONNECT example.org:995 HTTP/1.1\r\nHost: example.org:995\r\n\r\n"), x("HTTP/1.1 200 OK\r\n\r\n"))
	})
	d.Proxy = through(t, proxy.String()).Proxy
	c2, err := d.DialSRV(t.Context(), nameServer(t), dial.TCP, "pop3s", "example.org")
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close()
	if got := ask(t, c2, "hello"); got != "HELLO" {
		t.Errorf("got %q", got)
	}
}

func ExampleParseProxy() {
	p, err := dial.ParseProxy("socks5h://klem:secret@proxy.example")
	fmt.Println(p, err)
	_, err = dial.ParseProxy("gopher://klem:secret@proxy.example")
	fmt.Println(err)
	// Output:
	// socks5h://proxy.example:1080 <nil>
	// proxy "gopher://klem:xxxxx@proxy.example": the scheme is http, https, socks5 or socks5h
}
