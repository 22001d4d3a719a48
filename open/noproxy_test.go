package open

import (
	"net/url"
	"testing"
)

func TestNoProxy(t *testing.T) {
	for list, hosts := range map[string]map[string]bool{
		"example.org":                   {"example.org": true, "www.example.org": true, "notexample.org": false, "EXAMPLE.ORG.": true},
		".example.org, *.net":           {"example.org": true, "a.b.net": true, "net.com": false},
		"example.org:8080":              {"example.org": false, "example.org:8080": true},
		"example.org:80":                {"example.org": true},
		"[2001:db8::1],2001:db8:1::/48": {"[2001:db8::1]": true, "[2001:db8:1::7]": true, "[2001:db8:2::1]": false},
		"10.0.0.0/8":                    {"10.1.2.3": true, "11.1.2.3": false, "[::ffff:10.1.2.3]": true, "10.example": false},
		"":                              {"example.org": false},
		" , ,.":                         {"example.org": false},
	} {
		for host, want := range hosts {
			if got := bypass(list, &url.URL{Scheme: "http", Host: host}); got != want {
				t.Errorf("%q, %s: %t", list, host, got)
			}
		}
	}
}

func FuzzSpace(f *testing.F) {
	f.Add("http://h:80/a/../b", "/a/x")
	f.Add("mahler:8092", "/%2e%2e/x")
	f.Fuzz(func(t *testing.T, uri, path string) {
		s, err := storedSpace(uri)
		if err != nil {
			return
		}
		if !s.covers(s) {
			t.Errorf("%q does not cover itself", uri)
		}
		at, err := parseSpace("http://other.invalid:1" + path)
		if err == nil && s.origin.host != "other.invalid" && s.covers(at) {
			t.Errorf("%q covers %q", uri, path)
		}
		if again := cleanPath(s.path); again != s.path {
			t.Errorf("%q: %q is not clean", uri, s.path)
		}
	})
}

func FuzzData(f *testing.F) {
	f.Add("text/plain;base64,aGVsbG8=")
	f.Add(";charset=utf-8,%C3%A4")
	f.Fuzz(func(t *testing.T, s string) {
		mediaType, body, err := parseData(s)
		if err == nil && (mediaType == "" || len(body) > len(s) || header(mediaType) != nil) {
			t.Errorf("%q: %q, %q", s, mediaType, body)
		}
	})
}

func FuzzRange(f *testing.F) {
	f.Add("bytes=1-2", int64(10))
	f.Fuzz(func(t *testing.T, field string, size int64) {
		if size < 0 {
			return
		}
		from, to, ok := parseRange(field, size)
		if ok && from <= to && (from < 0 || to >= size) {
			t.Errorf("%q of %d: %d-%d", field, size, from, to)
		}
	})
}
