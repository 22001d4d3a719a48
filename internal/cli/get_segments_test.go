package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// large is more than a piece is worth, and does not repeat.
func large(seed byte) string {
	b := make([]byte, 5_000_000)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return string(b)
}

// gate holds the first answer until there is a second one: on a fast way all
// would have come before anybody asks for a piece.
type gate struct {
	answers atomic.Int32
	second  chan struct{}
}

func newGate() *gate { return &gate{second: make(chan struct{})} }

// wait returns when there is a second answer, or none for long.
func (g *gate) wait() {
	select {
	case <-g.second:
	case <-time.After(20 * time.Second):
	}
}

// conn is h.Layer: it holds the first data connection.
func (g *gate) conn(_, data net.Conn) net.Conn {
	switch g.answers.Add(1) {
	case 1:
		return gatedConn{data, g}
	case 2:
		close(g.second)
	}
	return data
}

type gatedConn struct {
	net.Conn
	g *gate
}

func (c gatedConn) Write(p []byte) (int, error) {
	c.g.wait()
	return c.Conn.Write(p)
}

// serve has h answer; second is called before the second answer begins.
func (g *gate) serve(h http.Handler, second func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch g.answers.Add(1) {
		case 1:
			w = &gatedWriter{ResponseWriter: w, g: g}
		case 2:
			second()
			close(g.second)
		}
		h.ServeHTTP(w, r)
	}
}

// gatedWriter sends the head, and holds the body.
type gatedWriter struct {
	http.ResponseWriter
	g    *gate
	open bool
}

func (w *gatedWriter) Write(p []byte) (int, error) {
	if !w.open {
		w.open = true
		if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
			return 0, err
		}
		w.g.wait()
	}
	return w.ResponseWriter.Write(p)
}

// segmented runs farend get --segments 4 into a file.
func segmented(t *testing.T, file, url string, more ...string) (code int, said string) {
	t.Helper()
	code, out, said := mainOf(t, append([]string{"get", "-v", "--segments", "4", "-o", file, url}, more...)...)
	if out != "" {
		t.Errorf("on standard output: %q", out)
	}
	return code, said
}

func TestGetInSegments(t *testing.T) {
	body := large(1)
	ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": body}, Handler: func(h *ftp.Handler) { h.Layer = newGate().conn }})
	_, tree := site(t, map[string]string{"f": body})
	httpd := httptest.NewServer(newGate().serve(&web.FileServer{Files: tree}, func() {}))
	defer httpd.Close()
	for url, piece := range map[string]string{ftpAt(ftpd) + "/f": "> REST ", httpd.URL + "/f": "> Range: bytes="} {
		file := filepath.Join(t.TempDir(), "f")
		code, said := segmented(t, file, url)
		if code != 0 || !strings.Contains(said, piece) {
			t.Errorf("%s: status %d, %d times %s", url, code, strings.Count(said, piece), piece)
		}
		wrote(t, file, body)
		if left, _ := filepath.Glob(file + ".part*"); len(left) > 0 {
			t.Errorf("%q is left", left)
		}
	}
	dir := t.TempDir()
	got(t, "-q", "-r", "--segments", "3", "-o", dir, ftpAt(ftpd)+"/")
	wrote(t, filepath.Join(dir, "f"), body)
	if code, _, said := mainOf(t, "get", "--segments", "0", httpd.URL); code != 2 || !strings.Contains(said, "--segments 0") {
		t.Errorf("no segment: status %d, %s", code, said)
	}
}

// TestGetGoesOnWithSegments cuts every connection; what has come stays, and the
// next run, with segments or without, fetches the rest.
func TestGetGoesOnWithSegments(t *testing.T) {
	body := large(2)
	for _, again := range [][]string{{"--segments", "3"}, nil} {
		var mended atomic.Bool
		ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": body}, Handler: func(h *ftp.Handler) {
			h.Layer = func(_, data net.Conn) net.Conn {
				if mended.Load() {
					return data
				}
				return &shortLived{data, 700_000}
			}
		}})
		file := filepath.Join(t.TempDir(), "f")
		url := ftpAt(ftpd) + "/f"
		if code, said := segmented(t, file, url, "--retry", "0"); code == 0 {
			t.Fatal(said)
		}
		note, err := os.ReadFile(file + ".part.json")
		if err != nil || !bytes.Contains(note, []byte(`"have":[[`)) || bytes.Contains(note, []byte(ftptest.Password)) {
			t.Errorf("%s, %v", note, err)
		}
		mended.Store(true)
		out := got(t, append([]string{"--json", "-o", file, url}, again...)...)
		wrote(t, file, body)
		if strings.Contains(out, fmt.Sprintf(`"bytes":%d`, len(body))) || !strings.Contains(out, `"resumed":`) {
			t.Errorf("it began anew: %s", out)
		}
	}
}

// shortLived is a connection that breaks after so many bytes.
type shortLived struct {
	net.Conn
	left int
}

func (c *shortLived) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p[:min(len(p), c.left)])
	if c.left -= n; err == nil && n < len(p) {
		err = errors.Join(io.ErrClosedPipe, c.Conn.Close())
	}
	return n, err
}

// TestGetInSegmentsOfAFileThatChanges: it is one version whole, or none.
func TestGetInSegmentsOfAFileThatChanges(t *testing.T) {
	before, after := large(3), large(4)
	tree := filetree.Memory(filetree.Options{})
	put := func(text string) {
		if err := ftptest.Put(tree, "f", text); err != nil {
			t.Error(err)
		}
	}
	put(before)
	s := httptest.NewServer(newGate().serve(&web.FileServer{Files: files.Web(tree, true)}, func() { put(after) }))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "f")
	code, said := segmented(t, file, s.URL+"/f")
	b, err := os.ReadFile(file)
	if code != 0 || err != nil || string(b) != before && string(b) != after {
		t.Errorf("status %d, %d bytes of neither version, %v\n%s", code, len(b), err, said)
	}
	if !strings.Contains(said, "changed meanwhile") {
		t.Errorf("nobody noticed: %s", said)
	}
}

// TestGetInSegmentsFromAFarm: no two servers behind a name have the same version
// of a file; without any retry it comes whole from one of them.
func TestGetInSegmentsFromAFarm(t *testing.T) {
	var requests atomic.Int32
	second := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if n == 2 {
			close(second)
		}
		w.Header().Set("Etag", fmt.Sprintf(`"%d"`, n))
		body := strings.NewReader(large(byte(n)))
		if n > 1 {
			http.ServeContent(w, r, "", time.Time{}, body)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(body.Len()))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-second:
		case <-r.Context().Done():
		}
		_, _ = body.WriteTo(w) // whoever has gone does not miss it
	}))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "f")
	code, said := segmented(t, file, s.URL+"/f", "--retry", "0")
	if code != 0 || !strings.Contains(said, "by one connection") {
		t.Errorf("status %d: %s", code, said)
	}
	wrote(t, file, large(byte(requests.Load())))
}

// withoutREST is a control connection whose server knows no REST.
type withoutREST struct{ net.Conn }

func (c withoutREST) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if i := bytes.Index(p[:n], []byte("REST ")); i >= 0 {
		copy(p[i:], "NOPE ")
	}
	return n, err
}

// TestGetInOneSegment: a server that gives no parts gives the whole.
func TestGetInOneSegment(t *testing.T) {
	body := large(5)
	ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": body}, Server: func(s *server.Server) {
		s.Layers = append(s.Layers, func(nc net.Conn) net.Conn { return withoutREST{nc} })
	}})
	httpd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Header().Set("Etag", `"x"`)
		_, _ = w.Write([]byte(body)) // whoever has gone does not miss it
	}))
	defer httpd.Close()
	for _, url := range []string{ftpAt(ftpd) + "/f", httpd.URL + "/f"} {
		file := filepath.Join(t.TempDir(), "f")
		if code, said := segmented(t, file, url, "--retry", "0"); code != 0 {
			t.Errorf("%s: status %d, %s", url, code, said)
		}
		wrote(t, file, body)
	}
}
