package ftp_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
)

func TestFS(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"a.txt": "a", "pub/b": "bb", "pub/sub/c": "ccc"}})
	p := &ftp.Pool{Max: 16, Open: func(ctx context.Context) (*ftp.Client, error) {
		c, err := ftp.Dial(ctx, s.Endpoint("tcp"), s.Options())
		if err != nil {
			return nil, err
		}
		return c, c.Login(ctx, "anonymous", "guest", "")
	}}
	defer p.Close()
	fsys := p.FS(t.Context(), "/")
	if err := fstest.TestFS(fsys, "a.txt", "pub/b", "pub/sub/c"); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := fsys.Open("a\r\nDELE a.txt"); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}

func TestTransport(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"a b": "0123456789", "pub/t": "one\ntwo\n", "pub/;type=x": "odd", "pub/sub/c": "c"}})
	tr := &ftp.Transport{Options: s.Options()}
	defer tr.CloseIdleConnections()
	do := func(method, path, body string, headers ...string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "ftp://"+ftptest.User+":"+ftptest.Password+"@"+s.Addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		if method != "HEAD" && resp.ContentLength >= 0 && resp.ContentLength != int64(len(text)) {
			t.Errorf("%s %s: %d bytes, not %d", method, path, len(text), resp.ContentLength)
		}
		return resp.StatusCode, string(text), resp.Header
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/a%20b", "", 200, "0123456789"},
		{"GET", "/%2Fpub/sub/../t;type=a", "", 200, "one\r\ntwo\r\n"},
		{"GET", "/pub/%3Btype=x", "", 200, "odd"},
		{"GET", "/pub;type=d", "", 200, ";type=x\r\nsub\r\nt\r\n"},
		{"GET", "/none", "", 404, "No such file or directory\n"},
		{"GET", "/none/x", "", 404, "No such file or directory\n"},
		{"HEAD", "/a%20b", "", 200, ""},
		{"PUT", "/pub/new", "fresh", 201, ""},
		{"GET", "/pub/new", "", 200, "fresh"},
		{"DELETE", "/pub/new", "", 204, ""},
		{"DELETE", "/pub/new", "", 404, "No such file or directory\n"},
		{"POST", "/pub/new", "", 405, "FTP has no POST\n"},
	} {
		if status, text, _ := do(c.method, c.path, c.body); status != c.status || text != c.want {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, status, text, c.status, c.want)
		}
	}
	if status, text, h := do("GET", "/a%20b", "", "Range", "bytes=3-5"); status != 206 || text != "345" || h.Get("Content-Range") != "bytes 3-5/10" {
		t.Errorf("range: %d %q %v", status, text, h)
	}
	if _, text, _ := do("GET", "/pub", ""); !strings.Contains(text, " t\r\n") || !strings.HasPrefix(text, "-rw") {
		t.Errorf("a directory without a slash: %q", text)
	}
	for _, path := range []string{"/a%0d%0aDELE%20x", "/a;type=z", "/%00"} {
		u, err := url.Parse("ftp://" + s.Addr + path)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := tr.RoundTrip(&http.Request{Method: "GET", URL: u}); err == nil {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	u, _ := url.Parse("ftp://nobody:wrong@" + s.Addr + "/")
	resp, err := tr.RoundTrip(&http.Request{Method: "GET", URL: u})
	if err != nil || resp.StatusCode != 401 {
		t.Errorf("wrong password: %v, %v", resp, err)
	}
}
