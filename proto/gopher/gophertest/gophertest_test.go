package gophertest_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/proto/gopher/gophertest"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(ctx context.Context, c *gopher.Client, u gopher.URL) (string, error) {
	r, err := c.Get(ctx, u)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

func TestBothSchemes(t *testing.T) {
	big := strings.Repeat("\x00\x01\x02\x03", 60_000)
	for engine, e := range engines {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%v", engine, tls), func(t *testing.T) {
				s := gophertest.New(t, map[string]string{"sub/hello.txt": "Hello!\n.\n", "big.bin": big}, gophertest.Options{TLS: tls, Engine: e()})
				c := s.Client()
				if got, err := read(t.Context(), c, s.At(gopher.Text, "/sub/hello.txt")); got != "Hello!\r\n.\r\n" || err != nil {
					t.Errorf("%q %v", got, err)
				}
				if got, err := read(t.Context(), c, s.At(gopher.Binary, "/big.bin")); got != big || err != nil {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				u := s.At(gopher.Binary, "/big.bin")
				u.Plus = "+"
				r, err := c.Get(t.Context(), u)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if b, err := io.ReadAll(r); len(b) != len(big) || err != nil || r.Size != int64(len(big)) || !r.Plus {
					t.Errorf("%d bytes of %d, %v", len(b), r.Size, err)
				}
				if _, err := read(t.Context(), c, s.At(gopher.Menu, "/nothing")); !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
				if caps, err := c.Caps(t.Context(), s.URL); err != nil || caps.Get("CapsVersion") != "1" {
					t.Errorf("%v %v", caps, err)
				}
				for item, err := range c.Menu(t.Context(), s.URL) {
					if err != nil {
						t.Fatal(err)
					}
					if to := s.URL.To(item); to.TLS != tls || to.Port != s.URL.Port {
						t.Errorf("%s leads to %s", item.Name, to)
					}
				}
			})
		}
	}
}

// A client that was not told whom to trust trusts nobody.
func TestCertificateIsVerified(t *testing.T) {
	s := gophertest.New(t, nil, gophertest.Options{TLS: true})
	_, err := read(t.Context(), &gopher.Client{}, s.URL)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	s := gophertest.New(t, map[string]string{"a.bin": strings.Repeat("\x00", 10_000)},
		gophertest.Options{Faults: []faults.Rule{{Do: faults.Reset, After: 5000, Dir: faults.Out}}})
	if got, err := read(t.Context(), s.Client(), s.At(gopher.Binary, "/a.bin")); err == nil || len(got) > 5000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// failed is a test that has.
type failed struct {
	test
	said string
}

func (t *failed) Failed() bool                    { return true }
func (t *failed) Logf(format string, args ...any) { t.said += fmt.Sprintf(format, args...) }

func TestTellsTheConversation(t *testing.T) {
	f := &failed{}
	s := gophertest.New(f, map[string]string{"hello.txt": "Hello!\n"}, gophertest.Options{})
	if _, err := read(t.Context(), s.Client(), s.At(gopher.Text, "/hello.txt")); err != nil {
		t.Fatal(err)
	}
	f.end()
	for _, want := range []string{"C: /hello.txt\n", "S: Hello!\n", "S: .\n"} {
		if !strings.Contains(f.said, want) {
			t.Errorf("%q is missing in\n%s", want, f.said)
		}
	}
}

// An http.Client opens gopher URLs as Python's urllib once did.
func TestTransport(t *testing.T) {
	s := gophertest.New(t, map[string]string{"a.gif": "GIF89a", "dog.txt": "A dog.\n", "pct%3F.txt": "x\n"}, gophertest.Options{TLS: true})
	tr := &http.Transport{}
	tr.RegisterProtocol("gophers", &gopher.Transport{Client: s.Client()})
	tr.RegisterProtocol("gopher", &gopher.Transport{})
	c := &http.Client{Transport: tr}
	get := func(method, url string) (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			return nil, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp, string(b), err
	}
	at := func(typ gopher.Type, r gopher.Request) string {
		u := s.URL
		u.Type, u.Request = typ, r
		return u.String()
	}
	for _, x := range []struct {
		url, media, want string
		status           int
	}{
		{at('g', gopher.Request{Selector: "/a.gif"}), "image/gif", "GIF89a", 200},
		{at('0', gopher.Request{Selector: "/dog.txt"}), "text/plain", "A dog.\r\n", 200},
		{at('0', gopher.Request{Selector: "/pct%3F.txt"}), "text/plain", "x\r\n", 200},
		{at('7', gopher.Request{Selector: "search:/", Search: "a dog"}), "application/gopher-menu", "0dog.txt\t/dog.txt\t127.0.0.1\t", 200},
		{at('0', gopher.Request{Selector: "/dog.txt", Plus: "!"}), "text/plain", "+INFO: 0dog.txt\t/dog.txt\t127.0.0.1\t", 200},
		{at('9', gopher.Request{Selector: "/nothing"}), "text/plain; charset=utf-8", "'/nothing' does not exist\n", 404},
	} {
		resp, body, err := get(http.MethodGet, x.url)
		if err != nil || resp.StatusCode != x.status || resp.Header.Get("Content-Type") != x.media || !strings.HasPrefix(body, x.want) {
			t.Errorf("%s: %v %q %v", x.url, resp, body, err)
		}
	}
	if _, _, err := get(http.MethodPut, s.URL.String()); err == nil {
		t.Error("PUT was taken")
	}
	for _, url := range []string{
		"gopher://127.0.0.1:1/0x%0D%0AQUIT", "gopher://127.0.0.1:1/0a%09%09+%091%0D%0A+-1%0D%0AQUIT%0D%0A", "gopher://127.0.0.1:1/8x",
	} {
		_, _, err := get(http.MethodGet, url)
		if !errors.Is(err, gopher.ErrField) && !errors.Is(err, gopher.ErrForm) && !errors.Is(err, gopher.ErrType) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// Where there is IPv6, menus and URLs carry it.
func TestIPv6(t *testing.T) {
	probe, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	probe.Close()
	s := gophertest.New(t, map[string]string{"hello.txt": "Hello!\n"}, gophertest.Options{Address: "[::1]:0"})
	n := 0
	for item, err := range s.Client().Menu(t.Context(), s.URL) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; item.Type != gopher.Text {
			continue
		}
		u, err := gopher.ParseURL(s.URL.To(item).String())
		if err != nil || u.Host != "::1" {
			t.Fatalf("%v %v", u, err)
		}
		if got, err := read(t.Context(), s.Client(), u); got != "Hello!\r\n" || err != nil {
			t.Errorf("%q %v", got, err)
		}
	}
	if n == 0 {
		t.Error("an empty menu")
	}
}
