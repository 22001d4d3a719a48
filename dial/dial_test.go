package dial_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers each connection by f, until the test ends.
func serve(t *testing.T, network, address string, f func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr()
}

// upper answers one line with its capitals.
func upper(c net.Conn) {
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil {
		io.WriteString(c, strings.ToUpper(line))
	}
}

// ask says a line and gives the answer.
func ask(t *testing.T, c *conv.Conn, line string) string {
	t.Helper()
	if err := c.W.LineString(line); err != nil {
		t.Fatal(err)
	}
	answer, err := c.R.Line()
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func port(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

func TestDialStreams(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	serve(t, "unix", path, upper)
	p := port(serve(t, "tcp", "127.0.0.1:0", upper))
	for _, endpoint := range []string{
		"tcp:127.0.0.1:" + p, "tcp:127.1:" + p, "tcp:2130706433:" + p, "tcp::" + p,
		"tcp://localhost:" + p, "starttls:localhost:" + p, "unix:" + path,
	} {
		t.Run(endpoint, func(t *testing.T) {
			var d dial.Dialer
			c, err := d.Dial(t.Context(), endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := ask(t, c, "hello"); got != "HELLO" {
				t.Fatalf("got %q", got)
			}
			if _, ok := c.TLS(); ok {
				t.Fatal("TLS that nobody asked for")
			}
		})
	}
}

func TestDialTLS(t *testing.T) {
	cfg := testcert.Server(t)
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { upper(tls.Server(c, cfg)) }))
	d := dial.Dialer{TLS: &tls.Config{RootCAs: testcert.Client(t).RootCAs}}
	for _, host := range []string{"localhost", "127.0.0.1", "127.1", ""} {
		c, err := d.Dial(t.Context(), "tls:"+host+":"+p)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, c, "hello"); got != "HELLO" {
			t.Fatalf("got %q", got)
		}
		if state, ok := c.TLS(); !ok || state.Version < tls.VersionTLS12 {
			t.Fatalf("state %+v, %v", state, ok)
		}
		c.Close()
	}
	nc, err := d.DialNet(t.Context(), "tls:localhost:"+p)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, ok := nc.(*tls.Conn); !ok {
		t.Fatalf("DialNet gives a %T", nc)
	}
}

func TestDialTLSVerifies(t *testing.T) {
	cfg := testcert.Server(t)
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { upper(tls.Server(c, cfg)) }))
	var d dial.Dialer
	_, err := d.Dial(t.Context(), "tls:localhost:"+p)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("a stranger's certificate: %v", err)
	}
	d.TLS = &tls.Config{RootCAs: testcert.Client(t).RootCAs}
	d.TLS.ServerName = "elsewhere.test"
	_, err = d.DialNet(t.Context(), "tls:localhost:"+p)
	if _, ok := errors.AsType[x509.HostnameError](err); !ok {
		t.Errorf("another's certificate: %v", err)
	}
	if !strings.Contains(err.Error(), "tls:localhost:"+p) {
		t.Errorf("the error does not name the endpoint: %v", err)
	}
}

func TestDialTLSRefusesOldVersions(t *testing.T) {
	cfg := testcert.Server(t)
	cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { upper(tls.Server(c, cfg)) }))
	d := dial.Dialer{TLS: &tls.Config{RootCAs: testcert.Client(t).RootCAs}}
	if c, err := d.Dial(t.Context(), "tls:localhost:"+p); err == nil {
		c.Close()
		t.Fatal("TLS 1.1 was accepted")
	}
}

func TestDialClientCertificate(t *testing.T) {
	cfg := testcert.Server(t)
	cfg.ClientAuth = tls.RequireAnyClientCert
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { upper(tls.Server(c, cfg)) }))
	d := dial.Dialer{TLS: &tls.Config{RootCAs: testcert.Client(t).RootCAs}}
	c, err := d.Dial(t.Context(), "tls:localhost:"+p)
	if err == nil { // TLS 1.3: the refusal comes with the first read
		_, err = c.R.Line()
		c.Close()
	}
	if err == nil {
		t.Fatal("accepted without a certificate")
	}
	d.TLS.Certificates = cfg.Certificates
	if c, err = d.Dial(t.Context(), "tls:localhost:"+p); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := ask(t, c, "hello"); got != "HELLO" {
		t.Fatalf("got %q", got)
	}
}

func TestStartTLS(t *testing.T) {
	cfg := testcert.Server(t)
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		io.WriteString(c, "220 hello\r\n")
		upper(tls.Server(c, cfg))
	}))
	d := dial.Dialer{TLS: &tls.Config{RootCAs: testcert.Client(t).RootCAs}}
	endpoint := "starttls:localhost:" + p
	c, err := d.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := c.R.Reply(); err != nil || r.Code != 220 {
		t.Fatal(r, err)
	}
	if err := d.StartTLS(t.Context(), c, endpoint); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, "hello"); got != "HELLO" {
		t.Fatalf("got %q", got)
	}
	if _, ok := c.TLS(); !ok {
		t.Fatal("still in clear")
	}
}

func TestStartTLSEarly(t *testing.T) {
	hold := make(chan struct{})
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		io.WriteString(c, "220 go\r\n250 injected\r\n")
		<-hold
	}))
	defer close(hold)
	var d dial.Dialer
	endpoint := "tcp:localhost:" + p
	c, err := d.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.R.Line(); err != nil {
		t.Fatal(err)
	}
	if err := d.StartTLS(t.Context(), c, endpoint); !errors.Is(err, conv.ErrEarly) {
		t.Fatalf("got %v", err)
	}
}

func TestDialErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "tcp:127.0.0.1:" + port(l.Addr())
	l.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var d dial.Dialer
	for _, c := range []struct {
		name     string
		ctx      context.Context
		endpoint string
		want     error
	}{
		{"refused", t.Context(), closed, syscall.ECONNREFUSED},
		{"no such path", t.Context(), "unix:" + filepath.Join(servertest.Dir(t), "s"), syscall.ENOENT},
		{"cancelled", cancelled, closed, context.Canceled},
		{"cancelled with a name", cancelled, "tcp:localhost:9", context.Canceled},
	} {
		conn, err := d.Dial(c.ctx, c.endpoint)
		if conn != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		e, ok := errors.AsType[*dial.Error](err)
		if !ok || e.Endpoint != c.endpoint || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %T %v", c.name, err, err)
		}
	}
	if _, err := d.Dial(t.Context(), "udp:localhost:9"); err == nil {
		t.Error("Dial takes datagrams")
	}
	if _, err := d.DialPacket(t.Context(), "tcp:localhost:9"); err == nil {
		t.Error("DialPacket takes a stream")
	}
}

func TestDialCancelledHandshake(t *testing.T) {
	reached := make(chan struct{})
	hold := make(chan struct{})
	p := port(serve(t, "tcp", "127.0.0.1:0", func(net.Conn) { // a server that never shakes hands
		close(reached)
		<-hold
	}))
	defer close(hold)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	var d dial.Dialer
	if _, err := d.Dial(ctx, "tls:localhost:"+p); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestDialPacket(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	for _, network := range []string{"udp", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unixgram" {
				address = path
			}
			pc, err := net.ListenPacket(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer pc.Close()
			var d dial.Dialer
			c, err := d.DialPacket(t.Context(), network+":"+pc.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			n, from, err := pc.ReadFrom(buf)
			if err != nil || string(buf[:n]) != "hello" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
			if from == nil || from.String() == "" {
				t.Skip("this system gives a Unix socket no address by itself")
			}
			if _, err := pc.WriteTo([]byte("HELLO"), from); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(buf); err != nil || string(buf[:n]) != "HELLO" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
		})
	}
}

// ear counts events.
type ear map[conv.Event]int

func (e ear) Hear(u conv.Utterance) { e[u.Event]++ }

func TestDialTapAndLayers(t *testing.T) {
	cfg := testcert.Server(t)
	p := port(serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { upper(tls.Server(c, cfg)) }))
	heard, layers := ear{}, 0
	d := dial.Dialer{
		TLS:    testcert.Client(t),
		Layers: []conv.Layer{func(nc net.Conn) net.Conn { layers++; return nc }},
		Tap:    func(net.Conn) conv.Tap { return heard },
	}
	c, err := d.Dial(t.Context(), "tls:localhost:"+p)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c, "hello")
	c.Close()
	if layers != 1 || heard[conv.Opened] != 1 || heard[conv.Upgraded] != 1 || heard[conv.Said] != 2 {
		t.Errorf("%d layers, heard %v", layers, heard)
	}
}
