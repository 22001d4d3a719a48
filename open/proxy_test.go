package open_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/open"
)

// forwarder is an HTTP proxy that lets in whom the check lets in, and asks for
// all that challenge says. CONNECT leads to the host that it names.
func forwarder(t *testing.T, challenge string, in func(r *http.Request) bool) (*site, *[]string) {
	t.Helper()
	var log []string
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		value := r.Header.Get("Proxy-Authorization")
		word, _, _ := strings.Cut(value, " ")
		log = append(log, r.Method+" "+word)
		if !in(r) {
			w.Header().Set("Proxy-Authenticate", challenge)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			fmt.Fprintf(w, "by proxy: %s", r.RequestURI)
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(near, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(far, near)
			far.Close()
		}()
		io.Copy(near, far)
		near.Close()
		<-done
	})
	return s, &log
}

func tlsSite(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "in %q", r.Header["Proxy-Authorization"])
	}))
	s.TLS = testcert.Server(t)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestProxyAuthentication(t *testing.T) {
	basicIn := func(r *http.Request) bool { return r.Header.Get("Proxy-Authorization") == klem }
	digestIn := func(r *http.Request) bool {
		v := r.Header.Get("Proxy-Authorization")
		return strings.Contains(v, `username="klem"`) && strings.Contains(v, fmt.Sprintf("uri=%q", r.RequestURI))
	}
	for _, scheme := range []string{"Basic", "Digest"} {
		challenge, in := `Basic realm="proxy"`, basicIn
		if scheme == "Digest" {
			challenge, in = `Digest realm="proxy", nonce="n", qop="auth", algorithm=SHA-256`, digestIn
		}
		proxy, log := forwarder(t, challenge, in)
		b, d := open.NewProxyBasicAuthHandler(nil), open.NewProxyDigestAuthHandler(nil)
		if err := errors.Join(b.AddPassword("proxy", proxy.URL, "klem", "kadidd!ehopper"), d.AddPassword("proxy", proxy.URL, "klem", "kadidd!ehopper")); err != nil {
			t.Fatal(err)
		}
		c := build(t, open.HTTPSHandler{TLS: testcert.Client(t)}, open.ProxyHandler{Proxies: map[string]string{"all": proxy.URL}}, b, d)
		if _, body := get(t, c, "http://far.example/x?y"); body != "by proxy: http://far.example/x?y" {
			t.Errorf("%s: %q", scheme, body)
		}
		if _, body := get(t, c, tlsSite(t)); body != "in []" {
			t.Errorf("%s, by a tunnel: %q", scheme, body)
		}
		if len(*log) > 4 || (*log)[0] != "GET " || (*log)[1] != "GET "+scheme || (*log)[len(*log)-1] != "CONNECT "+scheme {
			t.Errorf("%s: %q", scheme, *log)
		}
		// Another realm, another proxy: nothing.
		other := open.NewProxyBasicAuthHandler(nil)
		if err := other.AddPassword("other", proxy.URL, "klem", "kadidd!ehopper"); err != nil {
			t.Fatal(err)
		}
		*log = nil
		c = build(t, open.ProxyHandler{Proxies: map[string]string{"all": proxy.URL}}, other)
		if resp, _ := get(t, c, "http://far.example/"); resp.StatusCode != 407 {
			t.Errorf("%s", resp.Status)
		}
		if err := fetchErr(t, c, "https://far.example/"); !errors.Is(err, dial.ErrProxyAuth) || strings.Contains(err.Error(), "\n") {
			t.Errorf("a tunnel refused: %v", err)
		}
		if want := []string{"GET ", "CONNECT "}; !slices.Equal(*log, want) {
			t.Errorf("got %q", *log)
		}
	}
}

func TestProxyByDialer(t *testing.T) {
	proxy, log := forwarder(t, "", func(r *http.Request) bool { return true })
	far := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "far") })
	p, err := dial.ParseProxy(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, build(t, open.DialHandler{Dialer: &dial.Dialer{Proxy: p}}), far.URL); body != "far" || len(*log) != 1 {
		t.Errorf("%q, %q", body, *log)
	}
}

func TestProxySOCKS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(done)
			return
		}
		defer c.Close()
		b := make([]byte, 64)
		io.ReadFull(c, b[:2])
		io.ReadFull(c, b[:b[1]])
		c.Write([]byte{5, 0})
		n, _ := c.Read(b)
		c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		c.Read(make([]byte, 4096))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin")
		done <- hex.EncodeToString(b[:n])
	}()
	c := build(t, open.ProxyHandler{Proxies: map[string]string{"http": "socks5h://" + l.Addr().String()}})
	_, body := get(t, c, "http://far.example/")
	if asked := <-done; body != "in" || asked != "050100030b"+hex.EncodeToString([]byte("far.example"))+"0050" {
		t.Errorf("%q, asked for %s", body, asked)
	}
	l.Close()
}

func TestProxyEnvironment(t *testing.T) {
	proxy, log := forwarder(t, "", func(r *http.Request) bool { return true })
	far := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "directly") })
	for _, tt := range []struct {
		env   map[string]string
		proxy bool
	}{
		{map[string]string{}, false},
		{map[string]string{"http_proxy": proxy.URL}, true},
		{map[string]string{"HTTP_PROXY": proxy.URL}, true},
		{map[string]string{"ALL_PROXY": proxy.URL}, true},
		{map[string]string{"https_proxy": proxy.URL}, false},
		{map[string]string{"HTTP_PROXY": proxy.URL, "REQUEST_METHOD": "GET"}, false},
		{map[string]string{"http_proxy": proxy.URL, "no_proxy": "127.0.0.1"}, false},
		{map[string]string{"http_proxy": proxy.URL, "no_proxy": "x, 127.0.0.0/8"}, false},
		{map[string]string{"http_proxy": proxy.URL, "no_proxy": "10.0.0.0/8,127.0.0.1:1,x.0.1"}, true},
		{map[string]string{"http_proxy": proxy.URL, "NO_PROXY": "*"}, false},
	} {
		for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"} {
			t.Setenv(name, tt.env[name])
		}
		*log = nil
		get(t, build(t), far.URL)
		if went := len(*log) == 1; went != tt.proxy {
			t.Errorf("%v: by the proxy %t", tt.env, went)
		}
	}
}
