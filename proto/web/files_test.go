package web_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// ask has a handler answer, without a network.
func ask(t *testing.T, h http.Handler, method, path string, header []string, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// written is when the files of the tests were.
var written = time.Date(2020, 5, 4, 3, 2, 1, 500_000_000, time.UTC)

// onDisk is a directory with files, and a server of it.
func onDisk(t *testing.T, o filetree.Options, contents map[string]string) (dir string, s *web.FileServer) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range contents {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	tree, err := filetree.Dir(root, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, &web.FileServer{Files: files.Web(tree, !o.ReadOnly)}
}

const digits = "0123456789"

func TestConditions(t *testing.T) {
	_, s := onDisk(t, filetree.Options{}, map[string]string{"f": digits})
	tag := ask(t, s, "HEAD", "/f", nil, "").Header.Get("Etag")
	if !strings.HasPrefix(tag, `"`) {
		t.Fatalf("the tag is %q, not a strong one", tag)
	}
	const before, at, after = "Mon, 04 May 2020 03:02:00 GMT", "Mon, 04 May 2020 03:02:01 GMT", "Mon, 04 May 2020 03:02:02 GMT"
	for _, c := range []struct {
		header string // lines, divided by |
		want   int
	}{
		{"", 200},
		{"If-None-Match: " + tag, 304},
		{"If-None-Match: W/" + tag, 304},
		{"If-None-Match: *", 304},
		{`If-None-Match: "x", ` + tag + `, "y"`, 304},
		{`If-None-Match: "x"|If-None-Match: ` + tag, 304},
		{`If-None-Match: "x"`, 200},
		{`If-None-Match: x`, 200},
		{`If-None-Match: "x`, 200},
		{"If-Modified-Since: " + at, 304},
		{"If-Modified-Since: " + after, 304},
		{"If-Modified-Since: " + before, 200},
		{"If-Modified-Since: yesterday", 200},
		{"If-Modified-Since: Monday, 04-May-20 03:02:01 GMT", 304}, // RFC 850
		{"If-Modified-Since: Mon May  4 03:02:01 2020", 304},       // asctime
		{`If-None-Match: "x"|If-Modified-Since: ` + at, 200},       // the tag leads
		{"If-None-Match: " + tag + "|If-Modified-Since: " + before, 304},
		{"If-Match: " + tag, 200},
		{"If-Match: *", 200},
		{"If-Match: W/" + tag, 412}, // strong comparison
		{`If-Match: "x"`, 412},
		{`If-Match: "x", ` + tag, 200},
		{"If-Match: nonsense", 412},
		{"If-Unmodified-Since: " + at, 200},
		{"If-Unmodified-Since: " + before, 412},
		{"If-Match: " + tag + "|If-Unmodified-Since: " + before, 200}, // the tag leads
		{"If-Match: " + tag + "|If-None-Match: " + tag, 304},
		{"Range: bytes=2-4", 206},
		{"Range: bytes=2-4|If-Range: " + tag, 206},
		{"Range: bytes=2-4|If-Range: W/" + tag, 200},
		{`Range: bytes=2-4|If-Range: "x"`, 200},
		{"Range: bytes=2-4|If-Range: " + at, 206},
		{"Range: bytes=2-4|If-Range: " + after, 200}, // exactly, not later
		{"Range: bytes=2-4|If-Range: nonsense", 200},
		{"Range: bytes=2-4|If-None-Match: " + tag, 304},
		{"If-Range: " + tag, 200},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			want := c.want
			if method == "HEAD" && want == 206 { // RFC 9110 section 14.2: only GET has ranges
				want = 200
			}
			var header []string
			if c.header != "" {
				header = strings.Split(c.header, "|")
			}
			r := ask(t, s, method, "/f", header, "")
			if r.StatusCode != want {
				t.Errorf("%s, %s: %d, want %d", method, c.header, r.StatusCode, want)
			}
			if want == 304 && (r.Header.Get("Etag") != tag || bodyOf(t, r) != "" || r.Header.Get("Content-Type") != "") {
				t.Errorf("%s, %s: %v", method, c.header, r.Header)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	big := strings.Repeat(digits, 10_000)
	_, disk := onDisk(t, filetree.Options{}, map[string]string{"f": digits, "big": big, "none": ""})
	tree := filetree.Memory(filetree.Options{})
	if err := filetree.Copy(t.Context(), tree, fstest.MapFS{"f": {Data: []byte(digits)}, "big": {Data: []byte(big)}, "none": {}}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*web.FileServer{"disk": disk, "memory": {Files: files.Web(tree, true)}} {
		for _, c := range []struct {
			file, ranges, contentRange, want string
		}{
			{"f", "bytes=0-0", "bytes 0-0/10", "0"},
			{"f", "bytes=3-", "bytes 3-9/10", "3456789"},
			{"f", "bytes=-3", "bytes 7-9/10", "789"},
			{"f", "bytes=-30", "bytes 0-9/10", digits},
			{"f", "bytes=0-99999999999999999999999", "bytes 0-9/10", digits},
			{"f", "BYTES=1-2", "bytes 1-2/10", "12"},
			{"f", "bytes= 1-2 ,", "bytes 1-2/10", "12"},
			{"f", "bytes=50-60,1-2", "bytes 1-2/10", "12"},
			{"f", "bytes=10-", "bytes */10", "416"},
			{"f", "bytes=-0", "bytes */10", "416"},
			{"f", "bytes=99999999999999999999999-", "bytes */10", "416"},
			{"none", "bytes=0-", "bytes */0", "416"},
			{"none", "bytes=-1", "bytes */0", "416"},
			// whole, because it is no range, or more than there is
			{"f", "bytes=4-2", "", digits},
			{"f", "bytes=", "", digits},
			{"f", "bytes=-", "", digits},
			{"f", "bytes=a-b", "", digits},
			{"f", "bytes=+1-2", "", digits},
			{"f", "bytes=1-2-3", "", digits},
			{"f", "lines=1-2", "", digits},
			{"f", "1-2", "", digits},
			{"f", "bytes=0-9,0-9", "", digits},
			{"f", "bytes=" + strings.Repeat("1-1,", 65), "", digits},
			{"big", "bytes=99990-", "bytes 99990-99999/100000", digits},
			{"big", "bytes=70000-70004", "bytes 70000-70004/100000", "01234"},
			{"big", "bytes=-1", "bytes 99999-99999/100000", "9"},
		} {
			r := ask(t, s, "GET", "/"+c.file, []string{"Range: " + c.ranges}, "")
			got := bodyOf(t, r)
			status := http.StatusPartialContent
			switch {
			case c.want == "416":
				status, got = http.StatusRequestedRangeNotSatisfiable, "416"
			case c.contentRange == "":
				status = http.StatusOK
			}
			if r.StatusCode != status || got != c.want || r.Header.Get("Content-Range") != c.contentRange {
				t.Errorf("%s: %s of %s: %s, %q, %q", name, c.ranges, c.file, r.Status, r.Header.Get("Content-Range"), got)
			}
		}
		testParts(t, name, s, big)
	}
}

// testParts asks for several ranges at once, not in their order.
func testParts(t *testing.T, name string, s *web.FileServer, big string) {
	t.Helper()
	r := ask(t, s, "GET", "/big", []string{"Range: bytes=70000-70002,5-6,99999-"}, "")
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/byteranges" || r.StatusCode != 206 || r.Header.Get("Content-Range") != "" {
		t.Fatalf("%s: %s, %v, %v", name, r.Status, r.Header, err)
	}
	body := bodyOf(t, r)
	if fmt.Sprint(len(body)) != r.Header.Get("Content-Length") {
		t.Errorf("%s: %d bytes, announced %s", name, len(body), r.Header.Get("Content-Length"))
	}
	parts := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range []web.ContentRange{{First: 70000, Last: 70002, Size: 100000}, {First: 5, Last: 6, Size: 100000}, {First: 99999, Last: 99999, Size: 100000}} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil || string(b) != big[want.First:want.Last+1] || p.Header.Get("Content-Range") != want.String() || p.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: part %v: %q, %v, %v", name, want, b, p.Header, err)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("%s: after the last part %v", name, err)
	}
}

func TestPaths(t *testing.T) {
	dir, s := onDisk(t, filetree.Options{ReadOnly: true}, map[string]string{
		"a.txt": "a", "d/b.html": "b", "i/index.html": "index", "sp ace/q?#%.txt": "odd", "d:1": "colon", "README": "r",
	})
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(outside) })
	if err := os.Symlink("../outside", filepath.Join(dir, "link")); err != nil {
		t.Logf("no symbolic links here: %v", err)
	}
	for _, c := range []struct {
		path   string
		status int
		want   string // the body, the place, or the type
	}{
		{"/a.txt", 200, "text/plain; charset=utf-8"},
		{"/README", 200, "text/plain; charset=utf-8"},
		{"/d:1", 200, "application/octet-stream"},
		{"/d/b.html", 200, "text/html; charset=utf-8"},
		{"/sp%20ace/q%3F%23%25.txt", 200, "text/plain; charset=utf-8"},
		{"/d", 301, "/d/"},
		{"/d?x=1", 301, "/d/?x=1"},
		{"/sp%20ace", 301, "/sp%20ace/"},
		{"/d/./b.html", 301, "/d/b.html"},
		{"//a.txt", 301, "/a.txt"},
		{"//evil.example/", 301, "/evil.example/"},
		{"/d/../../../etc/passwd", 301, "/etc/passwd"},
		{"/d/..%2f..%2foutside", 301, "/outside"},
		{"/a.txt/", 404, ""},
		{"/none", 404, ""},
		{"/link", 404, ""},
		{"/a.txt%00", 404, ""},
		{"/" + strings.Repeat("x", 300), 404, ""},
		{"/i/", 200, "text/html; charset=utf-8"},
		{"/d/", 200, "text/html; charset=utf-8"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		var err error
		if r.URL, err = url.Parse("http://h" + c.path); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		resp := w.Result()
		got := resp.Header.Get("Content-Type")
		switch c.status {
		case 301:
			got = resp.Header.Get("Location")
		case 404:
			got = ""
		}
		if resp.StatusCode != c.status || got != c.want || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s, %q, want %d, %q; %v", c.path, resp.Status, got, c.status, c.want, resp.Header)
		}
		if body := bodyOf(t, resp); strings.Contains(body, "secret") {
			t.Errorf("%s: %q", c.path, body)
		}
	}
	if got := bodyOf(t, ask(t, s, "GET", "/i/", nil, "")); got != "index" {
		t.Errorf("index: %q", got)
	}
}

func TestListing(t *testing.T) {
	_, s := onDisk(t, filetree.Options{}, map[string]string{"d/b<&>\".txt": "b", "d/z/x": "x", "d/a:1": "a", "i/index.html": "i"})
	html := bodyOf(t, ask(t, s, "GET", "/d/", nil, ""))
	for _, want := range []string{
		"<a href=\"../\">../</a>\n<a href=\"z/\">z/</a>", "<a href=\"./a:1\">a:1</a>",
		"<a href=\"b%3C&amp;%3E%22.txt\">b&lt;&amp;&gt;&#34;.txt</a>", "04-May-2020 03:02                   1\n",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	for _, c := range []struct {
		query, accept string
		json          bool
	}{
		{"", "", false},
		{"", "*/*", false},
		{"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
		{"", "application/json", true},
		{"", "application/json;q=0.5, text/html;q=0.4", true},
		{"", "application/*;q=0.9, */*;q=0.1", true},
		{"", "application/json;q=0", false},
		{"?format=json", "text/html", true},
		{"?format=html", "application/json", false},
	} {
		r := ask(t, s, "GET", "/d/"+c.query, []string{"Accept: " + c.accept}, "")
		if got := r.Header.Get("Content-Type") == "application/json"; got != c.json || r.Header.Get("Vary") != "Accept" {
			t.Errorf("%q, %q: %v", c.query, c.accept, r.Header)
		}
		if !c.json {
			continue
		}
		var entries []web.Entry
		if err := json.Unmarshal([]byte(bodyOf(t, r)), &entries); err != nil || len(entries) != 3 {
			t.Fatalf("%v, %v", entries, err)
		}
		if e := entries[0]; e.Name != "z" || e.Type != "directory" || e.Size != nil {
			t.Errorf("%+v", e)
		}
		if e := entries[1]; e.Name != "a:1" || e.Type != "file" || *e.Size != 1 || e.MTime != "Mon, 04 May 2020 03:02:01 GMT" {
			t.Errorf("%+v", e)
		}
	}
	if r := ask(t, s, "GET", "/i/?format=json", nil, ""); r.Header.Get("Content-Type") != "application/json" {
		t.Error("asked for a listing, and got index.html")
	}
	if r := ask(t, s, "HEAD", "/d/", nil, ""); r.StatusCode != 200 || bodyOf(t, r) != "" {
		t.Errorf("HEAD: %v", r.Status)
	}
}

func TestVariants(t *testing.T) {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "body {}")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir, s := onDisk(t, filetree.Options{}, map[string]string{
		"a.css": "body {}", "a.css.gz": packed.String(), "a.css.br": "brotli", "b.css": "b", "c.png": "png", "c.png.gz": "x", "old.css": "new", "old.css.gz": "old",
	})
	earlier := written.Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "old.css.gz"), earlier, earlier); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, accept, encoding, vary string }{
		{"/a.css", "", "", "Accept-Encoding"},
		{"/a.css", "gzip", "gzip", "Accept-Encoding"},
		{"/a.css", "x-gzip", "gzip", "Accept-Encoding"},
		{"/a.css", "gzip, deflate, br, zstd", "br", "Accept-Encoding"},
		{"/a.css", "br;q=0.5, gzip;q=0.8", "gzip", "Accept-Encoding"},
		{"/a.css", "*", "br", "Accept-Encoding"},
		{"/a.css", "*, br;q=0", "gzip", "Accept-Encoding"},
		{"/a.css", "identity, gzip;q=0.5", "", "Accept-Encoding"},
		{"/a.css", "br;q=0, gzip;q=0", "", "Accept-Encoding"},
		{"/a.css", "zstd", "", "Accept-Encoding"},
		{"/a.css", "br;q=2, gzip;q=x", "", "Accept-Encoding"},
		{"/b.css", "gzip", "", ""},
		{"/c.png", "gzip", "", ""},
		{"/old.css", "gzip", "", ""},
	} {
		var header []string
		if c.accept != "" {
			header = []string{"Accept-Encoding: " + c.accept}
		}
		r := ask(t, s, "GET", c.path, header, "")
		if got := r.Header.Get("Content-Encoding"); got != c.encoding || r.Header.Get("Vary") != c.vary || strings.HasSuffix(c.path, "css") && r.Header.Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%s, %q: %v", c.path, c.accept, r.Header)
		}
	}
	plain, gz := ask(t, s, "GET", "/a.css", nil, ""), ask(t, s, "GET", "/a.css", []string{"Accept-Encoding: gzip"}, "")
	if plain.Header.Get("Etag") == gz.Header.Get("Etag") {
		t.Error("both forms have one tag")
	}
	again := ask(t, s, "GET", "/a.css", []string{"Accept-Encoding: gzip", "If-None-Match: " + gz.Header.Get("Etag")}, "")
	if again.StatusCode != 304 || again.Header.Get("Vary") == "" {
		t.Errorf("%s, %v", again.Status, again.Header)
	}
}

// A small file that is kept in memory is the disk's, whatever changes there.
func TestCache(t *testing.T) {
	dir, s := onDisk(t, filetree.Options{}, map[string]string{"f": digits})
	path := filepath.Join(dir, "f")
	for i := range 20 {
		content := strings.Repeat(fmt.Sprintf("%010d", i), 1+i%2*7000) // small, and not
		switch i % 3 {
		case 0: // in place
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		case 1: // in its place
			if err := os.WriteFile(path+"~", []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+"~", path); err != nil {
				t.Fatal(err)
			}
		default:
			if r := ask(t, s, "PUT", "/f", nil, content); r.StatusCode != 204 {
				t.Fatal(r.Status)
			}
		}
		at := written.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := bodyOf(t, ask(t, s, "GET", "/f", nil, "")); got != content {
				t.Fatalf("%d: %d bytes, %.20q, want %d, %.20q", i, len(got), got, len(content), content)
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r := ask(t, s, "GET", "/f", nil, ""); r.StatusCode != 404 {
		t.Error(r.Status)
	}
}

// More files than the cache has room for.
func TestCacheIsBounded(t *testing.T) {
	contents := map[string]string{}
	for i := range 100 {
		contents[fmt.Sprint(i)] = strings.Repeat(fmt.Sprintf("%03d", i), 300)
	}
	_, s := onDisk(t, filetree.Options{}, contents)
	for _, limit := range []int64{-1, 1, 5000, 0} {
		s := &web.FileServer{Files: s.Files, Cache: limit}
		for range 3 {
			for name, content := range contents {
				if got := bodyOf(t, ask(t, s, "GET", "/"+name, nil, "")); got != content {
					t.Fatalf("cache of %d: %s is %q", limit, name, got)
				}
			}
		}
	}
}

// Any fs.FS is served, also where files have neither time nor inode.
func TestAnyFS(t *testing.T) {
	s := &web.FileServer{Files: web.ReadOnly(fstest.MapFS{"f": {Data: []byte(digits)}, "g": {Data: []byte("other")}, "big": {Data: make([]byte, 100_000)}})}
	f, g := ask(t, s, "GET", "/f", nil, ""), ask(t, s, "GET", "/g", nil, "")
	if f.Header.Get("Etag") == "" || f.Header.Get("Etag") == g.Header.Get("Etag") || f.Header.Get("Last-Modified") != "" {
		t.Errorf("%v, %v", f.Header, g.Header)
	}
	if r := ask(t, s, "GET", "/big", []string{"Range: bytes=0-9"}, ""); r.StatusCode != 206 || r.Header.Get("Etag") != "" {
		t.Errorf("%s, %v", r.Status, r.Header)
	}
	for _, method := range []string{"PUT", "DELETE", "POST", "TRACE", "CONNECT", "PATCH", "PROPFIND"} {
		if r := ask(t, s, method, "/f", nil, "x"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %s, %v", method, r.Status, r.Header)
		}
	}
	if r := ask(t, s, "OPTIONS", "/f", nil, ""); r.StatusCode != 204 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("OPTIONS: %s, %v", r.Status, r.Header)
	}
}

// Files of every size arrive whole, with sendfile and without it.
func TestEngines(t *testing.T) {
	contents := map[string]string{}
	for _, size := range []int{0, 1, 511, 512, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 3<<20 + 7} {
		contents[fmt.Sprint(size)] = strings.Repeat(digits, size/10+1)[:size]
	}
	_, s := onDisk(t, filetree.Options{ReadOnly: true}, contents)
	for name, engine := range engines {
		for _, how := range []string{"clear", "tls", "tap"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				h := func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Long", r.URL.RawQuery)
					s.ServeHTTP(w, r)
				}
				srv := &server.Server{Handler: &web.Handler{HTTP: http.HandlerFunc(h)}, Engine: engine()}
				switch how {
				case "tls":
					srv.TLS = tlsConfig(t)
				case "tap":
					srv.Tap = func(*server.Talk) conv.Tap {
						return transcript.NewRecorder(io.Discard, transcript.Text, transcript.ServerSide, "")
					}
				}
				r := serve(t, srv)
				for file, content := range contents {
					if resp, got := r.get(t, "/"+file); got != content || resp.ContentLength != int64(len(content)) {
						t.Errorf("%s: %d bytes, announced %d", file, len(got), resp.ContentLength)
					}
				}
				testHeads(t, r, contents["65537"])
				r.stop()
				total := uint64(0)
				for _, content := range contents {
					total += uint64(len(content))
				}
				if out := r.Counters().Out; out < total {
					t.Errorf("counted %d bytes, %d were files", out, total)
				}
			})
		}
	}
}

// testHeads asks for a file behind a long header, and for parts of it with
// something between them.
func testHeads(t *testing.T, r *running, content string) {
	t.Helper()
	long := strings.Repeat("l", 9000)
	resp, got := r.get(t, "/65537?"+long)
	if got != content || resp.Header.Get("X-Long") != long {
		t.Errorf("behind a long header: %d bytes, %d of the field", len(got), len(resp.Header.Get("X-Long")))
	}
	resp, got = r.do(t, http.MethodGet, "/65537", []string{"Range: bytes=60000-,5-8,0-4"}, "")
	if resp.StatusCode != http.StatusPartialContent || int64(len(got)) != resp.ContentLength {
		t.Fatalf("%s: %d bytes, announced %d", resp.Status, len(got), resp.ContentLength)
	}
	for _, want := range []string{content[60000:], content[5:9], content[:5]} {
		_, rest, ok := strings.Cut(got, "\r\n\r\n"+want+"\r\n--")
		if !ok {
			t.Fatalf("a part of %d bytes is not there", len(want))
		}
		got = rest
	}
}
