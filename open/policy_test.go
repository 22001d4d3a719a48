package open_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/open"
)

func fetchErr(t *testing.T, c *http.Client, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		resp.Body.Close()
		err = fmt.Errorf("the answer is %s", resp.Status)
	}
	return err
}

func TestRedirects(t *testing.T) {
	var to string
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := build(t)
	for target, want := range map[string]error{
		"file://" + secret: open.ErrRedirectScheme,
		"data:,x":          open.ErrRedirectScheme,
		"FILE://" + secret: open.ErrRedirectScheme,
		"/again":           open.ErrTooManyRedirects,
	} {
		to = target
		if err := fetchErr(t, c, s.URL); !errors.Is(err, want) {
			t.Errorf("to %s: %v", target, err)
		}
	}
	to = "http://localhost.invalid/"
	if err := fetchErr(t, build(t, open.HTTPRedirectHandler{SameHost: true}), s.URL); !errors.Is(err, open.ErrRedirectHost) {
		t.Errorf("to another host: %v", err)
	}
	if resp, _ := get(t, build(t, open.HTTPRedirectHandler{Max: -1}), s.URL); resp.StatusCode != http.StatusFound {
		t.Errorf("none followed: %s", resp.Status)
	}
	to, s.seen = "/again", nil
	fetchErr(t, build(t, open.HTTPRedirectHandler{Max: 2}), s.URL)
	if len(s.seen) != 3 {
		t.Errorf("two followed: %d requests", len(s.seen))
	}
}

func pack(t *testing.T, coding, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "bare":
		w, _ = flate.NewWriter(&b, 9)
	default:
		return []byte(text)
	}
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	text := strings.Repeat("farend ", 1000)
	for _, coding := range []string{"gzip", "deflate", "bare", "identity"} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/empty" {
				w.Header().Set("Content-Encoding", strings.Replace(coding, "bare", "deflate", 1))
				return
			}
			w.Header().Set("Content-Encoding", strings.Replace(coding, "bare", "deflate", 1))
			w.Write(pack(t, coding, text))
		})
		c := build(t, open.DecodeHandler{})
		if resp, body := get(t, c, s.URL); body != text || resp.Header.Get("Content-Encoding") != "" && coding != "identity" {
			t.Errorf("%s: %d bytes, %v", coding, len(body), resp.Header)
		}
		if _, body := get(t, c, s.URL+"/empty"); body != "" {
			t.Errorf("%s: an empty body is %q", coding, body)
		}
	}
}

func TestDecodeHasACap(t *testing.T) {
	bomb := pack(t, "gzip", strings.Repeat("\x00", 8<<20))
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/twice" {
			w.Header().Set("Content-Encoding", "gzip, gzip")
		}
		w.Write(bomb)
	})
	for _, h := range []open.DecodeHandler{{Size: 1 << 20}, {Ratio: 10}} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		resp, err := build(t, h).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if !errors.Is(err, open.ErrInflated) || n > 2<<20 {
			t.Errorf("%+v: %d bytes, %v", h, n, err)
		}
	}
	if _, body := get(t, build(t, open.DecodeHandler{}), s.URL); len(body) != 8<<20 {
		t.Errorf("what deflate can do is refused at %d bytes", len(body))
	}
	if err := fetchErr(t, build(t, open.DecodeHandler{}), s.URL+"/twice"); !strings.Contains(err.Error(), "packed 2 times") {
		t.Errorf("packed twice: %v", err)
	}
}

// failing fails so often, then answers 200.
type failing struct {
	errs []error
	code []int
	head http.Header
	n    int
	at   []time.Time
	body []string
}

func (f *failing) RoundTrip(req *http.Request) (*http.Response, error) {
	i := f.n
	f.n++
	f.at = append(f.at, time.Now())
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		f.body = append(f.body, string(b))
	}
	code := 200
	if i < len(f.errs) {
		return nil, f.errs[i]
	}
	if i < len(f.code) {
		code = f.code[i]
	}
	return &http.Response{StatusCode: code, Header: f.head, Body: http.NoBody, Request: req}, nil
}

func TestRetry(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tests := []struct {
		name, method, body string
		far                failing
		tries, code        int
	}{
		{"mends", "GET", "", failing{errs: []error{refused, io.ErrUnexpectedEOF}}, 3, 200},
		{"never mends", "GET", "", failing{errs: []error{refused, refused, refused, refused, refused}}, 4, 0},
		{"503", "GET", "", failing{code: []int{503, 429, 502}}, 4, 200},
		{"404", "GET", "", failing{code: []int{404}}, 1, 404},
		{"not idempotent", "POST", "x", failing{code: []int{503}}, 1, 503},
		{"a body again", "PUT", "body", failing{code: []int{503}}, 2, 200},
		{"a certificate", "GET", "", failing{errs: []error{x509.UnknownAuthorityError{}}}, 1, 0},
		{"too long", "GET", "", failing{code: []int{503}, head: http.Header{"Retry-After": {"3600"}}}, 1, 503},
		{"soon", "GET", "", failing{code: []int{503}, head: http.Header{"Retry-After": {"7"}}}, 2, 200},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			far := tt.far
			c := open.BuildOpener(open.RetryHandler{}, open.Layer{Wrap: func(http.RoundTripper) http.RoundTripper { return &far }})
			var body io.Reader
			if tt.body != "" {
				body = strings.NewReader(tt.body)
			}
			req, _ := http.NewRequestWithContext(t.Context(), tt.method, "http://far.example/", body)
			resp, err := c.Do(req)
			code := 0
			if err == nil {
				code = resp.StatusCode
				resp.Body.Close()
			}
			if far.n != tt.tries || code != tt.code {
				t.Errorf("%s: %d tries, %d, %v", tt.name, far.n, code, err)
			}
			for _, b := range far.body {
				if b != tt.body {
					t.Errorf("%s: sent %q", tt.name, b)
				}
			}
			if tt.name == "soon" && far.at[1].Sub(far.at[0]) != 7*time.Second {
				t.Errorf("waited %v", far.at[1].Sub(far.at[0]))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		far := failing{code: []int{503, 503}}
		c := open.BuildOpener(open.RetryHandler{First: time.Minute, Most: time.Hour}, open.Layer{Wrap: func(http.RoundTripper) http.RoundTripper { return &far }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://far.example/", nil)
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || far.n != 1 {
			t.Errorf("beyond its context: %v after %d tries", err, far.n)
		}
	})
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a b.html")
	if err := os.WriteFile(name, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := build(t)
	url := "file://" + strings.ReplaceAll(filepath.ToSlash(name), " ", "%20")
	for _, u := range []string{url, strings.Replace(url, "file://", "file://LOCALHOST", 1), strings.Replace(url, "file://", "file:", 1)} {
		resp, body := get(t, c, u)
		if body != "0123456789" || resp.ContentLength != 10 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || resp.Header.Get("Last-Modified") == "" {
			t.Errorf("%s: %q, %v", u, body, resp.Header)
		}
	}
	for field, want := range map[string]string{
		"bytes=2-4": "206 234 bytes 2-4/10", "bytes=7-": "206 789 bytes 7-9/10", "bytes=-3": "206 789 bytes 7-9/10",
		"bytes=5-99": "206 56789 bytes 5-9/10", "bytes=10-": "416  bytes */10", "bytes=-0": "416  bytes */10",
		"bytes=4-2": "200 0123456789 ", "bytes=1-2,4-5": "200 0123456789 ", "lines=1-2": "200 0123456789 ", "bytes=-99": "206 0123456789 bytes 0-9/10",
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		req.Header.Set("Range", field)
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := fmt.Sprintf("%d %s %s", resp.StatusCode, body, resp.Header.Get("Content-Range")); got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
	for u, want := range map[string]error{
		url + "x":                os.ErrNotExist,
		"file://" + dir:          open.ErrNotFile,
		"file:///dev/null":       open.ErrNotFile,
		"file://elsewhere/x":     nil,
		"file:///a%00b":          nil,
		"file:///etc%2Fpasswd":   nil,
		"file:relative":          nil,
		"file:///no/such/file/x": os.ErrNotExist,
	} {
		if err := fetchErr(t, c, u); want != nil && !errors.Is(err, want) || strings.Contains(err.Error(), "the answer") {
			t.Errorf("%s: %v", u, err)
		}
	}
	tree := open.New(nil, open.File(fstest.MapFS{"a/b.txt": {Data: []byte("in")}}))
	if _, body := get(t, tree, "file:///a/b.txt"); body != "in" {
		t.Errorf("a tree: %q", body)
	}
	if err := fetchErr(t, tree, "file:///../etc/passwd"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("out of a tree: %v", err)
	}
}

// RFC 2397 section 4 among them.
func TestData(t *testing.T) {
	c := build(t)
	for url, want := range map[string]string{
		"data:,A%20brief%20note":                         "text/plain;charset=US-ASCII|A brief note",
		"data:text/plain;charset=iso-8859-7,%be%fg%be":   "",
		"data:text/plain;charset=iso-8859-7,%be%f0":      "text/plain;charset=iso-8859-7|\xbe\xf0",
		"data:application/x,select_vcount,fcol_from?a=b": "application/x|select_vcount,fcol_from?a=b",
		"data:;charset=utf-8,%C3%A4":                     "text/plain;charset=utf-8|ä",
		"data:;base64,aGVsbG8=":                          "text/plain;charset=US-ASCII|hello",
		"data:image/gif;base64,aGVsbG8":                  "image/gif|hello",
		"data:;base64,aGV%20sbG8%3D":                     "text/plain;charset=US-ASCII|hello",
		"data:,":                                         "text/plain;charset=US-ASCII|",
		"data:text/plain":                                "",
		"data:;base64,a*b":                               "",
		"data:text/x%0D%0AX:y,z":                         "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			continue
		}
		resp, err := c.Do(req)
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Header.Get("Content-Type") + "|" + string(body); got != want {
			t.Errorf("%s: %q", url, got)
		}
	}
}
