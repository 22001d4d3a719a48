package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/web"
)

// FuzzRanges: what is read is written so that it reads the same, and any value
// gets an answer that is a part of the file.
func FuzzRanges(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-5,3-", "bytes=1-2, 4-5,", "bytes=9-1", "lines=1-2", "bytes 0-1/2", "bytes */5", "bytes 3-4/*"} {
		f.Add(s)
	}
	s := &web.FileServer{Files: web.ReadOnly(fstest.MapFS{"f": {Data: []byte(digits)}})}
	f.Fuzz(func(t *testing.T, value string) {
		if rs, err := web.ParseRanges(value); err == nil {
			again, err := web.ParseRanges(rs.String())
			if err != nil || again.String() != rs.String() {
				t.Errorf("%q: %v, then %v, %v", value, rs, again, err)
			}
		}
		if c, err := web.ParseContentRange(value); err == nil {
			if again, err := web.ParseContentRange(c.String()); err != nil || again != c {
				t.Errorf("%q: %v, then %v, %v", value, c, again, err)
			}
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/f", nil)
		r.Header["Range"] = []string{value}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		resp := w.Result()
		if resp.StatusCode != 206 || strings.HasPrefix(resp.Header.Get("Content-Type"), "multipart/") {
			return
		}
		c, err := web.ParseContentRange(resp.Header.Get("Content-Range"))
		if err != nil || w.Body.String() != digits[c.First:c.Last+1] {
			t.Errorf("%q: %v, %v, %q", value, c, err, w.Body)
		}
	})
}

// FuzzConditions: tags are read as they are written, and any condition is
// answered by one of the statuses that there are for it.
func FuzzConditions(f *testing.F) {
	for _, s := range []string{`"x"`, `W/"x"`, `*`, `"a", "b"`, `"`, `W/`, "Mon, 04 May 2020 03:02:01 GMT", `"a"b`, "\"\x80\""} {
		f.Add(s, uint8(0))
	}
	s := &web.FileServer{Files: web.ReadOnly(fstest.MapFS{"f": {Data: []byte(digits), ModTime: written}})}
	names := []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"}
	f.Fuzz(func(t *testing.T, value string, which uint8) {
		if tag, rest, ok := web.ParseETag(value); ok {
			again, left, ok := web.ParseETag(tag.String() + rest)
			if !ok || again != tag || left != rest {
				t.Errorf("%q: %v %q, then %v %q", value, tag, rest, again, left)
			}
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/f", nil)
		r.Header[names[int(which)%len(names)]] = []string{value}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 304, 412:
		default:
			t.Errorf("%q: %d", value, w.Code)
		}
	})
}

// FuzzParams: no credentials let anybody in who has no password, and what is
// read once has each name once.
func FuzzParams(f *testing.F) {
	f.Add(`username="Mufasa", realm="r", nonce="x", uri="/x", qop=auth, nc=00000001, cnonce="c", response="y"`)
	f.Add(`a=b,,c="d\"e" ,f=g=h`)
	f.Add(`a="`)
	a := newAuth()
	f.Fuzz(func(t *testing.T, value string) {
		if p, ok := web.ParseParams(value); ok {
			for name := range p {
				if name != strings.ToLower(name) || name == "" {
					t.Errorf("%q: the name %q", value, name)
				}
			}
		}
		for _, scheme := range []string{"Digest ", "Basic ", ""} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/x", nil)
			r.Header["Authorization"] = []string{scheme + value}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%q: %d", value, w.Code)
			}
		}
	})
}

// FuzzPaths: nothing leaves the tree, and every redirection stays on this
// server and comes to an end.
func FuzzPaths(f *testing.F) {
	for _, s := range []string{"/", "/f", "/d", "/d/", "//x", "/../f", "/d/./", "/%2e%2e/f", "/\\\\x", "/d/..//"} {
		f.Add(s)
	}
	s := &web.FileServer{Files: web.ReadOnly(fstest.MapFS{"f": {Data: []byte(digits)}, "d/g": {Data: []byte("g")}})}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse("http://h" + path)
		if err != nil || u.Host != "h" {
			t.Skip("no URL")
		}
		for range 3 {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.URL = u
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusMovedPermanently {
				if w.Code != 200 && w.Code != 404 {
					t.Errorf("%q: %d", path, w.Code)
				}
				return
			}
			if u, err = u.Parse(w.Header().Get("Location")); err != nil || u.Host != "h" || u.Scheme != "http" {
				t.Fatalf("%q: to %q, %v", path, w.Header().Get("Location"), err)
			}
		}
		t.Errorf("%q: redirected again and again", path)
	})
}

// heard collects what an ear hears.
type heard struct{ strings.Builder }

func (h *heard) Hear(u conv.Utterance) {
	_, _ = h.Write(u.Bytes)
	if u.Secret && u.Hidden == 0 {
		_, _ = io.WriteString(h, "(nothing)")
	}
}

// Credentials are hidden, in whatever pieces they come.
func TestVeil(t *testing.T) {
	const text = "GET /a HTTP/1.1\r\nHost: h\r\nauthorization: Basic c2VjcmV0\r\nX: y\r\nProxy-Authorization: secret\r\nCookie: secret\r\n\r\n" +
		"PUT /b HTTP/1.1\r\nAuthorization:secret\r\nContent-Length: 1\r\n\r\nx"
	const want = "GET /a HTTP/1.1\r\nHost: h\r\nauthorization:***\r\nX: y\r\nProxy-Authorization:***\r\nCookie:***\r\n\r\n" +
		"PUT /b HTTP/1.1\r\nAuthorization:***\r\nContent-Length: 1\r\n\r\nx"
	for size := 1; size <= len(text); size++ {
		var h heard
		v := web.Veil(&h)
		for at := 0; at < len(text); at += size {
			v.Hear(conv.Utterance{Bytes: []byte(text[at:min(at+size, len(text))])})
		}
		got := h.String()
		for strings.Contains(got, "******") {
			got = strings.ReplaceAll(got, "******", "***")
		}
		if got != want {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
	const frames = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x02\x04\x00\x00\x00\x00\x00ab\x00\x00\x06\x01\x00\x00\x00\x00\x01secret\x00\x00\x03\x00\x01\x00\x00\x00\x01abc\x00\x00\x06\x09\x00\x00\x00\x00\x01secret"
	for size := 1; size <= len(frames); size++ {
		var h heard
		v := web.Veil(&h)
		for at := 0; at < len(frames); at += size {
			v.Hear(conv.Utterance{Bytes: []byte(frames[at:min(at+size, len(frames))])})
		}
		if got := h.String(); strings.Contains(got, "secret") || strings.ContainsAny(got, "tr") || !strings.Contains(got, "abc") || !strings.HasSuffix(got, "***") {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
	const binary = "PRI * HTTP/2.1\r\n\r\nAuthorization: secret\r\n"
	var h heard
	web.Veil(&h).Hear(conv.Utterance{Bytes: []byte(binary)})
	if strings.Contains(h.String(), "secret") {
		t.Errorf("%q", h.String())
	}
}
