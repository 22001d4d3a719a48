package dial_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/testcert"
)

// script is a far end that checks what it reads and says what it is told, in
// pairs of hexadecimal: read, write, read, write... Then it answers upper.
func script(t *testing.T, c net.Conn, steps ...string) {
	for i := 0; i+1 < len(steps); i += 2 {
		want, err := hex.DecodeString(steps[i])
		if err != nil {
			t.Error(err)
			return
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("step %d: got %x, %v, want %x", i, got, err, want)
			return
		}
		say, err := hex.DecodeString(steps[i+1])
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := c.Write(say); err != nil {
			t.Error(err)
			return
		}
	}
	upper(c)
}

// x is a text as hexadecimal.
func x(s string) string { return hex.EncodeToString([]byte(s)) }

func through(t *testing.T, url string) *dial.Dialer {
	t.Helper()
	p, err := dial.ParseProxy(url)
	if err != nil {
		t.Fatal(err)
	}
	return &dial.Dialer{Proxy: p}
}

// The bytes are those that RFC 1928 and RFC 1929 prescribe.
func TestSOCKS5(t *testing.T) {
	const ok = "05000001" + "7f000001" + "1234"
	tests := []struct {
		name, user, endpoint string
		steps                []string
	}{
		{"a name, without a user", "", "tcp:far.example:80", []string{"050100", "0500", "05010003" + "0b" + x("far.example") + "0050", ok}},
		{"a user", "klem:a:b!@", "tcp:far.example:80", []string{"05020002", "0502", "0104" + x("klem") + "03" + x("a:b"), "0100", "05010003" + "0b" + x("far.example") + "0050", ok}},
		{"a user, not asked for", "klem:x@", "tcp:192.0.2.1:80", []string{"05020002", "0500", "05010001" + "c0000201" + "0050", ok}},
		{"IPv6, answered with a name", "", "tcp:[2001:db8::1]:443", []string{"050100", "0500", "05010004" + "20010db8000000000000000000000001" + "01bb", "05000003" + "03" + x("abc") + "0050"}},
		{"answered with IPv6", "", "tcp:far.example:smtp", []string{"050100", "0500", "05010003" + "0b" + x("far.example") + "0019", "05000004" + strings.Repeat("00", 16) + "0050"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) { script(t, c, tt.steps...) })
			user := strings.Replace(tt.user, "a:b!@", "a%3Ab@", 1)
			c, err := through(t, "socks5h://"+user+addr.String()).Dial(t.Context(), tt.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := ask(t, c, "hello"); got != "HELLO" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSOCKS5LooksUpHere(t *testing.T) {
	addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		script(t, c, "050100", "0500", "05010001"+"7f000001"+"0050", "05000001"+"000000000000")
	})
	// A short form of 127.0.0.1 that only a look-up understands.
	c, err := through(t, "socks5://"+addr.String()).Dial(t.Context(), "tcp:127.1:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := ask(t, c, "hello"); got != "HELLO" {
		t.Errorf("got %q", got)
	}
}

// What the far end says at once comes after the reply, in one segment.
func TestProxyFarEndSpeaksFirst(t *testing.T) {
	socks := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		script(t, c, "050100", "0500", "05010003"+"01"+x("h")+"0019", "05000001"+"000000000000"+x("220 ready\r\n"))
	})
	connect := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		script(t, c, x("CONNECT h:25 HTTP/1.1\r\nHost: h:25\r\n\r\n"), x("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n220 ready\r\n"))
	})
	for _, url := range []string{"socks5h://" + socks.String(), connect.String()} {
		c, err := through(t, url).Dial(t.Context(), "tcp:h:25")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if line, err := c.R.Line(); string(line) != "220 ready" || err != nil {
			t.Errorf("%s: %q, %v", url, line, err)
		}
		if got := ask(t, c, "hello"); got != "HELLO" {
			t.Errorf("got %q", got)
		}
	}
}

func TestSOCKS5Refusals(t *testing.T) {
	ask := "05010003" + "01" + x("h") + "0050"
	tests := []struct {
		user  string
		steps []string
		want  error
		text  string
	}{
		{"", []string{"050100", "0500", ask, "0505000100000000" + "0000"}, syscall.ECONNREFUSED, "connection refused"},
		{"", []string{"050100", "0500", ask, "0503000100000000" + "0000"}, syscall.ENETUNREACH, "network unreachable"},
		{"", []string{"050100", "0500", ask, "0504000100000000" + "0000"}, syscall.EHOSTUNREACH, "host unreachable"},
		{"", []string{"050100", "0500", ask, "0502000100000000" + "0000"}, syscall.EACCES, "rules"},
		{"", []string{"050100", "0500", ask, "0599000100000000" + "0000"}, dial.SOCKSReply(0x99), "answers 153"},
		{"", []string{"050100", "0500", ask, "05000009"}, nil, "address of type 9"},
		{"", []string{"050100", "05ff"}, dial.ErrProxyAuth, "refuses"},
		{"", []string{"050100", "0502"}, nil, "not offered"},
		{"", []string{"050100", x("HT")}, nil, "no SOCKS5 proxy"},
		{"u:p@", []string{"05020002", "0502", "0101" + x("u") + "01" + x("p"), "0101"}, dial.ErrProxyAuth, "refuses"},
		{"", []string{"050100", "05"}, io.ErrUnexpectedEOF, "unexpected EOF"},
	}
	for _, tt := range tests {
		addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
			script(t, c, tt.steps...)
		})
		if len(tt.steps[len(tt.steps)-1]) == 2 { // a half answer: then the end
			addr = serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
				io.ReadFull(c, make([]byte, 3))
				c.Write([]byte{5})
			})
		}
		_, err := through(t, "socks5h://"+tt.user+addr.String()).Dial(t.Context(), "tcp:h:80")
		if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v, want %q", tt.steps, err, tt.text)
		}
		if tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%v: %v is not %v", tt.steps, err, tt.want)
		}
		if p := (*dial.ProxyError)(nil); !errors.As(err, &p) {
			t.Errorf("%v: %v is no ProxyError", tt.steps, err)
		}
	}
}

// connectProxy is an HTTP proxy of net/http's making, which wants a user.
func connectProxy(t *testing.T, want string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Proxy-Authorization"); got != want {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer near.Close()
		fmt.Fprint(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(far, near)
			far.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(near, far)
		near.Close()
		<-done
	})
}

func serveHTTP(t *testing.T, h http.Handler, tls bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if tls {
			s.TLSConfig = testcert.Server(t)
			s.ServeTLS(l, "", "")
		} else {
			s.Serve(l)
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return l.Addr().String()
}

func TestConnectProxy(t *testing.T) {
	far := serve(t, "tcp", "127.0.0.1:0", upper)
	const basic = "Basic a2xlbTprYWRpZGQhZWhvcHBlcg==" // klem:kadidd!ehopper
	for _, scheme := range []string{"http", "https"} {
		addr := serveHTTP(t, connectProxy(t, basic), scheme == "https")
		d := through(t, scheme+"://klem:kadidd!ehopper@"+addr)
		d.TLS = testcert.Client(t)
		c, err := d.Dial(t.Context(), "tcp:"+far.String())
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, c, "hello"); got != "HELLO" {
			t.Errorf("got %q", got)
		}
		c.Close()

		d.Proxy.User = ""
		_, err = d.Dial(t.Context(), "tcp:"+far.String())
		if !errors.Is(err, dial.ErrProxyAuth) || !errors.Is(err, dial.HTTPReply(407)) {
			t.Errorf("without a user: %v", err)
		}
	}
}

func TestConnectProxyTLSToTheFarEnd(t *testing.T) {
	proxy := serveHTTP(t, connectProxy(t, ""), false)
	far := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "far") }), true)
	d := through(t, proxy)
	d.TLS = testcert.Client(t)
	nc, err := d.DialNet(t.Context(), "tls:"+far)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprint(nc, "GET / HTTP/1.0\r\n\r\n")
	if all, err := io.ReadAll(nc); err != nil || !strings.HasSuffix(string(all), "far") {
		t.Errorf("%q, %v", all, err)
	}
}

func TestConnectProxyRefusals(t *testing.T) {
	for answer, text := range map[string]string{
		"HTTP/1.1 502 Bad Gateway\r\n\r\n":                           "answers 502 Bad Gateway",
		"HTTP/1.1 101 Switching\r\n\r\n":                             "answers 101",
		"SSH-2.0-x\r\n\r\n":                                          "no HTTP proxy",
		"HTTP/1.1 200 OK\r\n":                                        "unexpected EOF",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 16<<10):       "does not end",
		"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n": "answers 407",
	} {
		addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
				t.Error(err)
			}
			io.WriteString(c, answer)
		})
		_, err := through(t, addr.String()).Dial(t.Context(), "tcp:h:80")
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%.40q: %v, want %q", answer, err, text)
		}
	}
}

func TestProxyThatIsSilentIsLeft(t *testing.T) {
	heard := make(chan struct{})
	addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		io.ReadFull(c, make([]byte, 3))
		close(heard)
		io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-heard
		cancel()
	}()
	if _, err := through(t, "socks5h://"+addr.String()).Dial(ctx, "tcp:h:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProxyURLs(t *testing.T) {
	for in, want := range map[string]string{
		"proxy.example":         "http://proxy.example:80",
		"proxy.example:3128":    "http://proxy.example:3128",
		"https://u:p@[::1]/":    "https://[::1]:443",
		"SOCKS5://h":            "socks5://h:1080",
		"socks5h://h:9":         "socks5h://h:9",
		"http://:secret@h:0":    "",
		"http://h:70000":        "",
		"ftp://h":               "",
		"":                      "",
		"http://h/path":         "",
		"http://u:secret@h:x":   "",
		"http://u:secret@127.1": "",
		"http://a%3Ab:secret@h": "",
		"http://u:secret@h/?q":  "",
		"socks5://" + strings.Repeat("u", 256) + ":secret@h": "",
	} {
		p, err := dial.ParseProxy(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q passed as %v", in, p)
		case want == "" && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v", in, err)
		case want != "" && (err != nil || p.String() != want):
			t.Errorf("%q: %v, %v, want %s", in, p, err, want)
		}
	}
	for _, endpoint := range []string{"tcp::80", "tcp:h:nosuchservice", "tcp:[fe80::1%25lo]:80", "tcp:" + strings.Repeat("h", 256) + ":80"} {
		addr := serve(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
			c.Write([]byte{5, 0})
			io.Copy(io.Discard, c)
		})
		if _, err := through(t, "socks5h://"+addr.String()).Dial(t.Context(), endpoint); err == nil {
			t.Errorf("%s passed", endpoint)
		}
	}
}
