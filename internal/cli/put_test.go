package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/proto/web"
)

// kept reads a file of a server's tree.
func kept(t *testing.T, tree filetree.Tree, name, want string) {
	t.Helper()
	f, err := tree.Open(name)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != want {
		t.Errorf("%s: %d bytes (want %d), %v", name, len(b), len(want), err)
	}
}

// put runs farend put with something on its standard input.
func put(t *testing.T, stdin string, args ...string) (code int, said string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(t.Context(), append([]string{"put"}, args...), strings.NewReader(stdin), &out, &err, nil)
	return code, err.String()
}

// sources is a directory with files to send.
func sources(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPutByFTP(t *testing.T) {
	body := text()
	dir := sources(t, map[string]string{"a": body, "b": "b"})
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"in/half": body[:1000], "in/whole": body, "in/long": body + "x"}})
	at := ftpAt(s)
	for _, c := range []struct {
		stdin, args string
		code        int
		name, want  string
	}{
		{"", a + " " + at + "/up", 0, "up", body},
		{"", a + " " + at + "/in/", 0, "in/a", body},
		{"", a + " " + b + " " + at + "/in/", 0, "in/b", "b"},
		{"typed", "- " + at + "/typed", 0, "typed", "typed"},
		{"", "-C - " + a + " " + at + "/in/half", 0, "in/half", body},
		{"", "-C - " + a + " " + at + "/in/whole", 0, "in/whole", body},
		{"", "-C - " + a + " " + at + "/in/fresh", 0, "in/fresh", body},
		{"", "-C - " + a + " " + at + "/in/long", 36, "in/long", body + "x"},
		{"", b + " " + at + "/no/such/b", 25, "", ""},
		{"", "--create-dirs " + b + " " + at + "/no/such/b", 0, "no/such/b", "b"},
		{"", "-k --ssl-reqd " + a + " " + at + "/tls", 0, "tls", body},
		{"", dir + "/none " + at + "/x", 26, "", ""},
		{"", dir + " " + at + "/x", 26, "", ""},
		{"", a + " -u nobody:x ftp://" + s.Addr + "/x", 67, "", ""},
		{"", a + " ftp://127.0.0.1:1/x", 7, "", ""},
		{"", a + " gopher://127.0.0.1:1/x", 2, "", ""},
		{"", "- " + at + "/in/", 2, "", ""},
		{"", a + " " + b + " " + at + "/in", 2, "", ""},
		{"", a, 2, "", ""},
	} {
		code, said := put(t, c.stdin, strings.Fields(c.args)...)
		if code != c.code || c.code != 0 && (!strings.HasPrefix(said, "farend: put") || strings.Count(said, "\n") != 1) {
			t.Errorf("farend put %s: status %d, %q", c.args, code, said)
		}
		if c.name != "" {
			kept(t, s.Tree, c.name, c.want)
		}
	}
}

func TestPutByHTTP(t *testing.T) {
	body := text() + text() + text() + text() // enough to wait for 100 Continue
	dir := sources(t, map[string]string{"a": body})
	a := filepath.Join(dir, "a")
	tree := filetree.Memory(filetree.Options{})
	s := httptest.NewServer(&web.Auth{
		Realm: "r", Next: &web.FileServer{Files: files.Web(tree, true)}, Logins: logins("ann", "swordfish"),
	})
	defer s.Close()
	for _, c := range []struct {
		stdin, args string
		code        int
		name, want  string
	}{
		{"", "-u ann:swordfish " + a + " " + s.URL + "/up", 0, "up", body},
		{"typed", "-u ann:swordfish - " + s.URL + "/typed", 0, "typed", "typed"},
		{"", "-u ann:swordfish " + a + " " + s.URL + "/", 0, "a", body},
		{"", "-u ann:wrong " + a + " " + s.URL + "/no", 25, "", ""},
		{"", a + " " + s.URL + "/no", 25, "", ""},
		{"", "-f " + a + " " + s.URL + "/no", 22, "", ""},
		{"", "-C - " + a + " " + s.URL + "/no", 36, "", ""},
	} {
		code, said := put(t, c.stdin, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("farend put %s: status %d, %q", c.args, code, said)
		}
		if c.name != "" {
			kept(t, tree, c.name, c.want)
		}
	}
	if _, err := tree.Stat("no"); err == nil {
		t.Error("what was refused is there")
	}
}

func TestMirrorUp(t *testing.T) {
	tosend := map[string]string{"a": text(), "d/e/b": "b", "ü #?%41": "c", "empty": ""}
	ftpd := ftptest.New(t, ftptest.Options{})
	webTree := filetree.Memory(filetree.Options{})
	httpd := httptest.NewServer(&web.FileServer{Files: files.Web(webTree, true)})
	defer httpd.Close()
	for url, tree := range map[string]filetree.Tree{ftpAt(ftpd) + "/new/dir/": ftpd.Tree, httpd.URL + "/new/dir/": webTree} {
		dir := sources(t, tosend)
		for i, want := range []string{"4 files moved", "0 files moved, 0 B, 4 the same already"} {
			if code, said := put(t, "", "-r", dir, url); code != 0 || !strings.HasPrefix(said, want) {
				t.Errorf("%s, time %d: status %d, %q", url, i+1, code, said)
			}
		}
		for name, content := range tosend {
			kept(t, tree, "new/dir/"+name, content)
		}
		if err := os.RemoveAll(filepath.Join(dir, "d")); err != nil {
			t.Fatal(err)
		}
		if code, said := put(t, "", "-r", "--delete", dir, url); code != 0 || !strings.Contains(said, "1 deleted") {
			t.Errorf("%s: status %d, %q", url, code, said)
		}
		if _, err := tree.Stat("new/dir/d/e/b"); err == nil {
			t.Errorf("%s: what is not here is still there", url)
		}
	}
}

// TestMirrorUpIntoItself sends a tree into a server of that very tree: it ends,
// and says why.
func TestMirrorUpIntoItself(t *testing.T) {
	dir := sources(t, map[string]string{"d/a": "x"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := filetree.Dir(root, filetree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := ftptest.New(t, ftptest.Options{Tree: tree})
	if code, said := put(t, "", "-r", dir, ftpAt(s)+"/copy/"); code == 0 || !strings.Contains(said, "deeper than") {
		t.Errorf("status %d, %q", code, said)
	}
}

// TestInterruptedGetGoesOn ends a download by a signal, and gives the same
// command again.
func TestInterruptedGetGoesOn(t *testing.T) {
	body := text()
	var asked atomic.Int32
	half := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v"`)
		if asked.Add(1) > 1 {
			http.ServeContent(w, r, "", testTime, strings.NewReader(body))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		io.WriteString(w, body[:200_000])
		w.(http.Flusher).Flush()
		close(half)
		<-r.Context().Done()
	}))
	defer s.Close()
	signals := make(chan os.Signal, 1)
	to := filepath.Join(t.TempDir(), "f")
	go func() {
		<-half
		waitFor(t.Context(), to+".part")
		signals <- syscall.SIGINT
	}()
	var out, said bytes.Buffer
	code := Main(WithSignals(t.Context(), signals), []string{"get", "-o", to, s.URL}, nil, &out, &said, nil)
	if code != 130 || strings.Contains(said.String(), "farend: ") {
		t.Errorf("interrupted: status %d, %q", code, said.String())
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a half file has the name of a whole one")
	}
	info, err := os.Stat(to + ".part")
	if err != nil {
		t.Fatal(err)
	}
	code, json, err2 := mainOf(t, "get", "--json", "-o", to, s.URL)
	if want := fmt.Sprintf(`"resumed":%d,`, info.Size()); code != 0 || !strings.Contains(json, want) {
		t.Errorf("again: status %d, %s %s; want %s", code, json, err2, want)
	}
	wrote(t, to, body)
}

var testTime = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

// waitFor waits until something of a file has come, or the test has ended.
func waitFor(ctx context.Context, name string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
