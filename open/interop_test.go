//go:build interop

package open_test

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/open"
)

func output(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "no_proxy=*")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	return string(out)
}

const pyServer = `
import http.server, ssl, sys, base64
BODY = b"<!DOCTYPE html>\r\n" + b"x" * (64 << 20)
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        want = "Basic " + base64.b64encode("jäs:kadidd!ehopper:é".encode()).decode()
        if self.path.startswith("/private") and self.headers["Authorization"] != want:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="PDQ"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(BODY if self.path == "/big" else b"in")
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
if len(sys.argv) > 1:
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(sys.argv[1])
    s.socket = c.wrap_socket(s.socket, server_side=True)
print(s.server_port)
s.serve_forever()
`

func TestTutorial53_PythonHTTPSServer(t *testing.T) {
	pair, file := pairFile(t)
	port := foreign.PythonServer(t, foreign.Python(t, 3), pyServer, file)()
	var wire atomic.Int64
	cfg := testcert.Client(t)
	cfg.RootCAs = pair.Roots
	c := build(t, counted("127.0.0.1:"+port, cfg, &wire))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/big", nil)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 300)
	_, err = io.ReadFull(resp.Body, b)
	resp.Body.Close()
	if err != nil || !strings.HasPrefix(string(b), "<!DOCTYPE html>\r\nxxx") || wire.Load() > 256<<10 {
		t.Errorf("%q, %v, %d bytes on the wire", b, err, wire.Load())
	}
}

func TestTutorial55_PythonServerAsks(t *testing.T) {
	at := "http://127.0.0.1:" + foreign.PythonServer(t, foreign.Python(t, 3), pyServer)()
	h := open.NewHTTPBasicAuthHandler(nil)
	if err := h.AddPassword("PDQ", at+"/private", "jäs", "kadidd!ehopper:é"); err != nil {
		t.Fatal(err)
	}
	if resp, body := get(t, build(t, h), at+"/private/x"); body != "in" {
		t.Errorf("%s, %q", resp.Status, body)
	}
}

const pyClient = `
import sys, urllib.request, urllib.error
kind, realm, uri, url = sys.argv[1:]
h = {"basic": urllib.request.HTTPBasicAuthHandler, "digest": urllib.request.HTTPDigestAuthHandler}[kind]()
h.add_password(realm, uri, "klem", "kadidd!ehopper")
try:
    print(urllib.request.build_opener(h).open(url).status)
except urllib.error.HTTPError as e:
    print(e.code)
`

// Where ours sends, Python's sends, except that Python's also lets a password
// for https go to http.
func TestTutorial56_SameAsPython(t *testing.T) {
	py := foreign.Python(t, 3)
	s := newSite(t, wantBasic("PDQ", "klem", "kadidd!ehopper"))
	for _, tt := range []struct{ realm, uri, path string }{
		{"PDQ", s.URL, "/login.html"}, {"PDQ", s.URL + "/a/", "/login.html"}, {"PDQ", s.URL + "/a/x.py", "/a/y.html"},
		{"PDQ", s.URL + "/a/x.py", "/a/x.py"}, {"Other", s.URL, "/x"}, {"PDQ", "http://mahler:8092/", "/x"},
		{"PDQ", s.Listener.Addr().String(), "/x"}, {"PDQ", s.URL + "/a/", "/a/b/c"},
	} {
		resp, _ := get(t, build(t, store(t, tt.realm, tt.uri)), s.URL+tt.path)
		want := strings.TrimSpace(output(t, py, "-c", pyClient, "basic", tt.realm, tt.uri, s.URL+tt.path))
		if got := strings.Fields(resp.Status)[0]; got != want {
			t.Errorf("%v: ours %s, Python's %s", tt, got, want)
		}
	}
}

// Other people's clients pass our test's Digest server as ours does, so that it
// is a judge.
func TestDigestJudgedByOthers(t *testing.T) {
	py, curl := foreign.Python(t, 3), foreign.Program(t, "$CURL", "curl")
	d, s := newDigest(t, "MD5", "auth")
	d.mu.Lock()
	d.alone = true // Python's gives up at an algorithm that it does not know
	d.mu.Unlock()
	if got := output(t, py, "-c", pyClient, "digest", "PDQ", s.URL, s.URL+"/x?y"); got != "200\n" {
		t.Errorf("Python's: %q", got)
	}
	for _, algorithm := range []string{"MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"} {
		d, s := newDigest(t, algorithm, "auth")
		d.mu.Lock()
		d.alone = true // curl takes the last one, known or not
		d.userhash = strings.HasPrefix(algorithm, "SHA-256")
		d.mu.Unlock()
		if d.algorithm == "SHA-512-256-sess" || d.algorithm == "SHA-512-256" {
			if !strings.Contains(output(t, curl, "--version"), "curl 8.") {
				continue // older ones cut a SHA-512 short, or do not know it
			}
		}
		got := output(t, curl, "-s", "-o", os.DevNull, "-w", "%{http_code}", "--digest", "-u", "klem:kadidd!ehopper", s.URL+"/x?y")
		if got != "200" {
			t.Errorf("%s: curl's: %q", algorithm, got)
		}
	}
}

const pyCookies = `
import http.cookiejar, sys
kind = {"netscape": http.cookiejar.MozillaCookieJar, "lwp": http.cookiejar.LWPCookieJar}[sys.argv[1]]
j = kind(sys.argv[2])
j.load(ignore_discard=True, ignore_expires=True)
for c in sorted(j, key=lambda c: (c.domain.lstrip("."), c.path, c.name)):
    print(c.domain, c.path, c.name, c.value, c.secure, bool(c.expires))
j.save(sys.argv[3], ignore_discard=True, ignore_expires=True)
`

func TestCookieFilesReadByOthers(t *testing.T) {
	py, curl := foreign.Python(t, 3), foreign.Program(t, "$CURL", "curl")
	const want = `127.0.0.1 / ip 4 False True
.example.com / wide 2 True True
www.example.com /a host 1 False True
www.example.com /s session "3 3" False False
`
	for name, format := range map[string]open.CookieFormat{"netscape": open.Netscape, "lwp": open.LWP} {
		dir := t.TempDir()
		ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
		j := full(t)
		if err := j.Save(ours, format, true); err != nil {
			t.Fatal(err)
		}
		if got := output(t, py, "-c", pyCookies, name, ours, theirs); got != want {
			t.Errorf("%s: Python reads\n%s", name, got)
		}
		again := open.NewCookieJar()
		if err := again.Load(theirs); err != nil {
			t.Fatal(err)
		}
		if got, all := strings.Join(names(again.All()), "\n"), strings.Join(names(j.All()), "\n"); got != all {
			t.Errorf("%s: from Python's file\n%s\nwant\n%s", name, got, all)
		}
	}
	// curl sends from our file what our jar sends, and we read what curl writes.
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "new", Value: "8", MaxAge: 60, HttpOnly: true})
		io.WriteString(w, r.Header.Get("Cookie"))
	})
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	j := full(t)
	if err := j.Save(ours, open.Netscape, true); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	u, _ := url.Parse("http://www.example.com:" + port + "/a/x")
	sent := output(t, curl, "-s", "-b", ours, "-c", theirs, "--resolve", "www.example.com:"+port+":127.0.0.1", u.String())
	var own []string
	for _, c := range j.Cookies(u) {
		own = append(own, c.String())
	}
	if want := strings.Join(own, "; "); sent != want || sent == "" {
		t.Errorf("curl sends %q, we %q", sent, want)
	}
	again := open.NewCookieJar()
	if err := again.Load(theirs); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(again.All()), ","); !strings.Contains(got, " new=8") || !strings.Contains(got, "example.com/ wide=2") {
		t.Errorf("from curl's file: %s", got)
	}
}

func TestTutorial54_SameBytesAsPython(t *testing.T) {
	py := foreign.Python(t, 3)
	for _, body := range []string{"\x93\xfa\x96\x7b\r\n", "日本\r\n", "\x1f\x8b\x08\x00\x00\x00\x00\x00"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(body, "\x1f") {
				w.Header().Set("Content-Encoding", "gzip")
			}
			io.WriteString(w, body)
		}))
		want := output(t, py, "-c", "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())", s.URL)
		if _, got := get(t, build(t), s.URL); got != want || got != body {
			t.Errorf("ours %q, Python's %q", got, want)
		}
		s.Close()
	}
}

func TestTutorial60_PythonSelfSigned(t *testing.T) {
	pair, file := pairFile(t)
	at := "https://127.0.0.1:" + foreign.PythonServer(t, foreign.Python(t, 3), pyServer, file)()
	if err := fetchErr(t, build(t), at); !strings.Contains(err.Error(), "certificate") {
		t.Errorf("self-signed: %v", err)
	}
	cfg := testcert.Client(t)
	cfg.RootCAs = pair.Roots
	if _, body := get(t, build(t, open.HTTPSHandler{TLS: cfg}), at); body != "in" {
		t.Errorf("with its root: %q", body)
	}
}

// pairFile is a certificate, and a file with it and its key.
func pairFile(t *testing.T) (*testcert.Pair, string) {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "pair.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pair.PEM...)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return pair, name
}
