package open_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/open"
)

// note is a layer that writes down when it was passed.
func note(log *[]string, name string, order int) open.Handler {
	return open.Layer{Order: order, Wrap: func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			*log = append(*log, name)
			return next.RoundTrip(req)
		})
	}}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestTutorial52_HandlersInOrder(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {})
	var log []string
	c := build(t, note(&log, "last", open.OrderProxy+1), note(&log, "a", 0), note(&log, "b", 0), note(&log, "first", 1))
	get(t, c, s.URL)
	if want := []string{"first", "a", "b", "last"}; !slices.Equal(log, want) {
		t.Errorf("got %q", log)
	}
}

// counted counts the bytes that the client takes from the wire.
func counted(to string, cfg *tls.Config, n *atomic.Int64) open.Handler {
	return open.TransportHandler{Base: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, to)
			return countedConn{c, n}, err
		},
		TLSClientConfig: cfg,
	}}
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestTutorial53_Reads300Bytes(t *testing.T) {
	const size = 64 << 20
	page := "<!DOCTYPE html>\r\n" + strings.Repeat("x", 1<<20)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for sent := 0; sent < size; sent += len(page) {
			if _, err := io.WriteString(w, page); err != nil {
				return
			}
		}
	}))
	s.TLS = testcert.Server(t)
	s.StartTLS()
	defer s.Close()
	var wire atomic.Int64
	c := build(t, counted(s.Listener.Addr().String(), testcert.Client(t), &wire))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/", nil)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 300)
	_, err = io.ReadFull(resp.Body, b)
	resp.Body.Close()
	if err != nil || !strings.HasPrefix(page, string(b)) {
		t.Errorf("%q, %v", b, err)
	}
	if n := wire.Load(); n < 300 || n > 256<<10 {
		t.Errorf("%d bytes came for 300", n)
	}
}

func TestTutorial54_RawBytes(t *testing.T) {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "grüße\r\n")
	z.Close()
	for _, body := range []string{"\x93\xfa\x96\x7b\r\n", "日本\r\n", packed.String()} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("it asks for %q", r.Header.Get("Accept-Encoding"))
			}
			if strings.HasPrefix(body, "\x1f\x8b") {
				w.Header().Set("Content-Encoding", "gzip")
			}
			io.WriteString(w, body)
		})
		if _, got := get(t, build(t), s.URL); got != body {
			t.Errorf("got %q, want %q", got, body)
		}
	}
}

func TestTutorial59_InstallOpener(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Opener")) })
	named := func(name string) *http.Client {
		return build(t, open.Layer{Wrap: func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				req = req.Clone(req.Context())
				req.Header.Set("X-Opener", name)
				return next.RoundTrip(req)
			})
		}})
	}
	ask := func() string {
		resp, err := open.URL(t.Context(), s.URL)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	one, two := named("one"), named("two")
	original := open.InstallOpener(one)
	defer open.InstallOpener(original)
	if got := ask(); got != "one" {
		t.Errorf("got %q", got)
	}
	if previous := open.InstallOpener(two); previous != one {
		t.Error("the previous opener is not what was installed")
	}
	if got := ask(); got != "two" {
		t.Errorf("got %q", got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				open.InstallOpener(one)
				if got := ask(); got != "one" && got != "two" {
					t.Errorf("got %q", got)
				}
				open.InstallOpener(two)
			}
		})
	}
	all.Wait()
}

func TestTutorial60_Certificates(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.TLS = testcert.Server(t)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	_, err := build(t).Do(req)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a self-signed certificate: %v", err)
	}
	if _, body := get(t, build(t, open.HTTPSHandler{TLS: testcert.Client(t)}), s.URL); body != "HTTP/2.0" {
		t.Errorf("with its root: %q", body)
	}
}

func TestErrorsKeepWhatIsInside(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := build(t)
	do := func(ctx context.Context, url string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		err, want error
	}{
		{do(t.Context(), "http://"+l.Addr().String()), syscall.ECONNREFUSED},
		{do(gone, "http://"+l.Addr().String()), context.Canceled},
		{do(gone, "file:///"), context.Canceled},
	} {
		if !errors.Is(tt.err, tt.want) || strings.Contains(tt.err.Error(), "\n") {
			t.Errorf("%v is not %v", tt.err, tt.want)
		}
	}
	for _, url := range []string{"nosuch://x/", "http://", "://", "http://u:secret@127.0.0.1:1/"} {
		if err := do(t.Context(), url); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestNewKnowsSchemes(t *testing.T) {
	echo := open.Scheme{Name: "echo", RoundTripper: roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(req.URL.Host)), Request: req}, nil
	})}
	c := open.New(nil, echo, open.Data())
	if _, body := get(t, c, "echo://word/"); body != "word" {
		t.Errorf("got %q", body)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "file:///etc/passwd", nil)
	if resp, err := c.Do(req); err == nil {
		resp.Body.Close()
		t.Error("New knows file: unasked")
	}
	c = open.New(&http.Transport{}, echo, open.Scheme{Name: "echo", RoundTripper: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported })})
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, "echo://word/", nil)
	if _, err := c.Do(req); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the last scheme of a name does not count: %v", err)
	}
}
