package cli

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/proto/gopher/gophertest"
	"github.com/farend-go/farend/proto/web"
)

// text is 300,000 bytes that do not repeat soon, and that nobody takes for lines.
func text() string {
	var b strings.Builder
	for i := 0; b.Len() < 300_000; i++ {
		fmt.Fprintf(&b, "%d\x00", i)
	}
	return b.String()[:300_000]
}

// ftpAt is the URL of an FTP server with a login.
func ftpAt(s *ftptest.Server) string {
	return "ftp://" + ftptest.User + ":" + ftptest.Password + "@" + s.Addr
}

// site serves files by HTTP.
func site(t *testing.T, files map[string]string) (*httptest.Server, filetree.Tree) {
	t.Helper()
	tree := filetree.Memory(filetree.Options{})
	for name, content := range files {
		if err := ftptest.Put(tree, name, content); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(&web.FileServer{Files: tree})
	t.Cleanup(s.Close)
	return s, tree
}

// logins let in one user.
func logins(user, password string) *auth.Authenticator {
	return &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{user: auth.Clear(password)}}, Delay: -1}
}

// got runs farend get and wants it to succeed.
func got(t *testing.T, args ...string) string {
	t.Helper()
	code, out, said := mainOf(t, append([]string{"get"}, args...)...)
	if code != 0 {
		t.Errorf("farend get %s: status %d, %s", strings.Join(args, " "), code, said)
	}
	return out
}

func wrote(t *testing.T, name, want string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || string(b) != want {
		t.Errorf("%s: %d bytes (want %d), %v", name, len(b), len(want), err)
	}
}

func TestGetFromEveryScheme(t *testing.T) {
	body, dir := text(), t.TempDir()
	files := map[string]string{"a.bin": body, "d/b.txt": "b\r\n"}
	ftpd, gopherd := ftptest.New(t, ftptest.Options{Files: files}), gophertest.New(t, files, gophertest.Options{})
	httpd, _ := site(t, files)
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		ftpAt(ftpd) + "/a.bin", httpd.URL + "/a.bin", strings.TrimPrefix(httpd.URL, "http://") + "/a.bin",
		gopherd.At('9', "/a.bin").String(), "file://" + filepath.ToSlash(file),
	} {
		if out := got(t, url); out != body {
			t.Errorf("%s: %d bytes", url, len(out))
		}
		to := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256([]byte(url))))
		got(t, "-o", to, url)
		wrote(t, to, body)
		if out := got(t, "--range", "10-19", url); out != body[10:20] {
			t.Errorf("%s: a range: %q", url, out)
		}
	}
	if out := got(t, "data:,a%20b"); out != "a b" {
		t.Errorf("data: %q", out)
	}
	for url, want := range map[string]string{
		ftpAt(ftpd) + "/": "a.bin", "file://" + filepath.ToSlash(dir): "f\n", httpd.URL + "/": `href="a.bin"`, gopherd.At('1', "/").String(): "\t/a.bin\t",
	} {
		if out := got(t, url); !strings.Contains(out, want) {
			t.Errorf("%s lists %q", url, out)
		}
	}
	if out := got(t, "--ssl-reqd", "-k", "-u", ftptest.User+":"+ftptest.Password, "ftp://"+ftpd.Addr+"/d/b.txt"); out != "b\r\n" {
		t.Errorf("over TLS: %q", out)
	}
}

func TestGetManyToManyPlaces(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("f%d", i)] = strings.Repeat(fmt.Sprintf("%02d", i), 1000*i)
	}
	s, _ := site(t, files)
	var want strings.Builder
	for i := range 30 {
		want.WriteString(files[fmt.Sprintf("f%d", i)])
	}
	if out := got(t, "-j", "7", s.URL+"/f[0-29]"); out != want.String() {
		t.Errorf("in their order: %d bytes, want %d", len(out), want.Len())
	}
	dir := t.TempDir()
	got(t, "-O", "--output-dir", dir, s.URL+"/f[3-5]")
	got(t, "-o", dir+"/#1-x", s.URL+"/f{6,7}")
	got(t, "-o", dir+"/one", "-o", dir+"/two", s.URL+"/f8", s.URL+"/f9")
	got(t, "-o", dir+"/sub/", "--create-dirs", s.URL+"/f10")
	list := filepath.Join(t.TempDir(), "urls")
	if err := os.WriteFile(list, []byte("# some\n"+s.URL+"/f11\n\n"+s.URL+"/f12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got(t, "-O", "--output-dir", dir, "--urls-from", list)
	for name, from := range map[string]string{
		"f3": "f3", "f4": "f4", "f5": "f5", "6-x": "f6", "7-x": "f7", "one": "f8", "two": "f9", "sub/f10": "f10", "f11": "f11", "f12": "f12",
	} {
		wrote(t, filepath.Join(dir, name), files[from])
	}
	if left, _ := filepath.Glob(dir + "/*.part*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestGetGoesOn breaks transfers off, and continues them in the ways there are.
func TestGetGoesOn(t *testing.T) {
	body := text()
	cut, err := faults.Parse("ftp RETR after=100000 do=reset times=1")
	if err != nil {
		t.Fatal(err)
	}
	ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"a": body}, Faults: []faults.Rule{cut}})
	httpd, _ := site(t, map[string]string{"a": body})
	dir := t.TempDir()
	to := filepath.Join(dir, "again")
	out := got(t, "--json", "-o", to, ftpAt(ftpd)+"/a")
	var ev event
	if err := json.Unmarshal([]byte(out), &ev); err != nil || ev.Tries != 2 || ev.Exit != 0 || ev.File != to {
		t.Errorf("%s, %v", out, err)
	}
	wrote(t, to, body)
	for _, url := range []string{ftpAt(ftpd) + "/a", httpd.URL + "/a"} {
		for _, have := range []int{0, 1, 123_456, len(body)} {
			half := filepath.Join(dir, "half")
			if err := os.WriteFile(half, []byte(body[:have]), 0o600); err != nil {
				t.Fatal(err)
			}
			got(t, "-C", "-", "-o", half, url)
			wrote(t, half, body)
		}
		if out := got(t, "-C", "299990", url); out != body[299_990:] {
			t.Errorf("-C N to standard output: %q", out)
		}
	}
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
	defer plain.Close()
	half := filepath.Join(dir, "half")
	if err := os.WriteFile(half, []byte(body[:1000]), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := mainOf(t, "get", "-C", "-", "-o", half, plain.URL); code != 36 || !strings.Contains(said, "no parts") {
		t.Errorf("no parts: status %d, %s", code, said)
	}
	wrote(t, half, body[:1000])
}

func TestGetHTTPSays(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok ", r.Header.Get("X-Mine")) })
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/hostname", http.StatusFound)
	})
	guarded := &web.Auth{Realm: "r", Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		fmt.Fprint(w, scheme)
	}), Logins: logins("ann", "pa:ss")}
	mux.Handle("/digest", guarded)
	mux.HandleFunc("/basic", func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "ann" || p != "pa:ss" {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "Basic")
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	withUser := strings.Replace(s.URL, "http://", "http://ann:pa%3Ass@", 1)
	for _, c := range []struct {
		args string
		code int
		out  string // begins with
	}{
		{s.URL + "/ok", 0, "ok"},
		{"-H X-Mine:1 " + s.URL + "/ok", 0, "ok 1"},
		{"-i " + s.URL + "/ok", 0, "HTTP/1.1 200 OK\r\n"},
		{s.URL + "/none", 0, "404 page not found"},
		{"-f " + s.URL + "/none", 22, ""},
		{s.URL + "/to", 0, "<a href"},
		{"-L " + s.URL + "/to", 0, "ok"},
		{"-L " + s.URL + "/loop", 47, ""},
		{"-L " + s.URL + "/file", 47, ""},
		{"-L --max-redirs 0 " + s.URL + "/file", 47, ""},
		{"-f " + s.URL + "/digest", 22, ""},
		{"-f -u ann:pa:ss " + s.URL + "/digest", 0, "Digest"},
		{"-f -u ann:pa:ss " + s.URL + "/basic", 0, "Basic"},
		{"-f -u ann:wrong " + s.URL + "/digest", 22, ""},
		{"-f " + withUser + "/basic", 0, "Basic"},
		{"-f " + withUser + "/digest", 0, "Digest"},
	} {
		code, out, said := mainOf(t, append([]string{"get"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.HasPrefix(out, c.out) || c.code != 0 && strings.Count(said, "\n") != 1 {
			t.Errorf("farend get %s: status %d, %q, %q", c.args, code, out, said)
		}
		if strings.Contains(said, "pa:ss") || strings.Contains(said, "pa%3Ass") {
			t.Errorf("farend get %s tells the password: %s", c.args, said)
		}
	}
}

// TestGetExitStatus has everything go wrong that has a number.
func TestGetExitStatus(t *testing.T) {
	ftpd := ftptest.New(t, ftptest.Options{Files: map[string]string{"a": text()}})
	gopherd := gophertest.New(t, map[string]string{"a": "a"}, gophertest.Options{})
	tlsd := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsd.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsd.StartTLS()
	defer tlsd.Close()
	stall := make(chan struct{})
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "short")
		case "/stall":
			<-stall
		case "/empty":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
		}
	}))
	defer odd.Close()
	defer close(stall)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	at := ftpAt(ftpd)
	for _, c := range []struct {
		args string
		code int
	}{
		{"nosuch://h/", 2}, {"http://", 2}, {"--range x " + at + "/a", 2}, {"-C x " + at + "/a", 2}, {"-j 0 " + at + "/a", 2},
		{"http://nosuch.invalid/", 6},
		{"http://" + nobody + "/", 7}, {"ftp://" + nobody + "/x", 7}, {"gopher://" + nobody + "/1/", 7},
		{at + "/none/a", 9}, {"-r " + at + "/none/ -o " + dir + "/none", 9},
		{"--retry 0 " + odd.URL + "/short", 18},
		{"-f -k " + tlsd.URL, 22},
		{"-o " + dir + "/none/x " + at + "/a", 23}, {"-O " + at + "/", 23},
		{"-m 0.05 " + odd.URL + "/stall", 28},
		{"-C 999999999 " + at + "/a", 36}, {"file:///no/such/file", 37},
		{"--retry 0 " + odd.URL + "/empty", 52},
		{tlsd.URL, 60},
		{"-u " + ftptest.User + ":wrong ftp://" + ftpd.Addr + "/a", 67},
		{at + "/none", 78}, {gopherd.At('0', "/none").String(), 78},
		{"--cacert " + dir + "/none " + tlsd.URL, 77},
		{at + "/a http://nosuch.invalid/ " + at + "/none", 6}, // that of the first failure
	} {
		code, _, said := mainOf(t, append([]string{"get"}, strings.Fields(c.args)...)...)
		lines := strings.Count(said, "\n")
		if code != c.code || lines < 1 || lines > 2 || !strings.HasPrefix(said, "farend: ") {
			t.Errorf("farend get %s: status %d, want %d; %q", c.args, code, c.code, said)
		}
	}
}

func TestMirrorOfEveryScheme(t *testing.T) {
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	files := map[string]string{"pub/a.bin": text(), "pub/d/e/b": "\x00b", "pub/d/ü #?%41.x": "\x00c", "pub/empty": "", "other/o": "o"}
	ftpd, gopherd := ftptest.New(t, ftptest.Options{Files: files}), gophertest.New(t, files, gophertest.Options{})
	httpd, _ := site(t, files)
	old := fstest.MapFS{}
	for name, content := range files {
		old[name] = &fstest.MapFile{Data: []byte(content), ModTime: when}
	}
	std := httptest.NewServer(http.FileServerFS(old)) // a page of links, not called a listing
	defer std.Close()
	for _, url := range []string{ftpAt(ftpd) + "/pub/", httpd.URL + "/pub/", gopherd.At('1', "/pub").String(), std.URL + "/pub/"} {
		dir := filepath.Join(t.TempDir(), "new")
		got(t, "-r", url, "-o", dir)
		for name, content := range files {
			name, below := strings.CutPrefix(name, "pub/")
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); !below && err == nil {
				t.Errorf("%s: %s is not below", url, name)
			} else if below {
				wrote(t, filepath.Join(dir, filepath.FromSlash(name)), content)
			}
		}
		code, out, said := mainOf(t, "get", "-r", url, "-o", dir, "--delete")
		if code != 0 || out != "" || !strings.HasPrefix(said, "0 files moved") && !strings.Contains(said, "nothing is deleted") {
			t.Errorf("%s again: status %d, %q, %q", url, code, out, said)
		}
	}
}

func TestGetUsage(t *testing.T) {
	for _, args := range []string{"", "-r -O http://h/", "--delete http://h/", "-C - --range 1-2 http://h/", "-r http://h/ http://i/", "http://h/[3-1]", "-H x http://h/"} {
		code, out, said := mainOf(t, append([]string{"get"}, strings.Fields(args)...)...)
		if code != 2 || out != "" || !strings.HasPrefix(said, "farend: ") || strings.Count(said, "\n") != 1 {
			t.Errorf("farend get %s: status %d, %q", args, code, said)
		}
	}
	for _, args := range [][]string{{"get"}, {"put", "-"}} {
		for _, address := range []string{"foo://ann:a:b@c@h/", "foo://ann:a/b@h/", "ftp://ann:a%zz@h/"} {
			code, _, said := mainOf(t, append(args, address)...)
			if code != 2 || !strings.Contains(said, "://ann:xxxxx@h/: ") || strings.Contains(said, `":a`) || strings.Contains(said, "zz") {
				t.Errorf("%v %s: status %d, %q", args, address, code, said)
			}
		}
	}
	code, out, _ := mainOf(t, "get", "--help-all")
	if code != 0 || !strings.Contains(out, "--verify") || !strings.Contains(out, "FILE.part") {
		t.Errorf("status %d, %s", code, out)
	}
}
