//go:build interop

package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// large is what does not fit in any buffer.
func large() []byte {
	b := make([]byte, 3_000_000)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}

func isFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, want %d, %v", path, len(got), len(want), err)
	}
}

// atBoth has programs that others wrote at a server of ours: with a tree on
// disk, a login for writing, on both engines, in clear and over TLS.
func atBoth(t *testing.T, f func(t *testing.T, r *running, root string)) {
	for name, engine := range engines {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%v", name, secure), func(t *testing.T) {
				root, s := onDisk(t, filetree.Options{}, map[string]string{
					"blob": string(large()), "small": digits, "d/a.html": "<p>page</p>", "d/e/f.txt": "deep", "page.html": "<h1>A page</h1><p>with text",
				})
				a := newAuth()
				a.Realm, a.Need, a.Next = "interop", web.Writes, s
				a.Logins = logins(map[string]string{"ann": "secret"})
				srv := &server.Server{Handler: &web.Handler{HTTP: a}, Engine: engine()}
				if secure {
					srv.TLS = tlsConfig(t)
				}
				f(t, serve(t, srv), root)
			})
		}
	}
}

func TestCurlAtOurServer(t *testing.T) {
	curl := foreign.Program(t, "$CURL", "curl")
	atBoth(t, func(t *testing.T, r *running, root string) {
		dir := t.TempDir()
		c := func(args ...string) string { return foreign.Run(t, dir, curl, append([]string{"-sSkf"}, args...)...) }
		if got := c(r.URL + "/small"); got != digits {
			t.Errorf("%q", got)
		}
		if got := c("-r", "2-4", r.URL+"/small"); got != "234" {
			t.Errorf("-r: %q", got)
		}
		if got := c("-r", "0-1,8-9", r.URL+"/small"); strings.Count(got, "Content-Range: bytes") != 2 {
			t.Errorf("-r of two: %q", got)
		}
		c("-o", "blob", r.URL+"/blob")
		isFile(t, filepath.Join(dir, "blob"), large())
		if err := os.WriteFile(filepath.Join(dir, "part"), large()[:1_234_567], 0o644); err != nil {
			t.Fatal(err)
		}
		c("-C", "-", "-o", "part", r.URL+"/blob")
		isFile(t, filepath.Join(dir, "part"), large())
		for _, version := range []string{"--http1.0", "--http1.1", "--http2"} {
			if got := c(version, "-w", "%{http_code} %{http_version}", "-o", os.DevNull, r.URL+"/blob"); !strings.HasPrefix(got, "200 ") {
				t.Errorf("%s: %s", version, got)
			}
		}
		c("-R", "-o", "dated", r.URL+"/small")
		if got := c("-z", "dated", "-w", "%{http_code}", r.URL+"/small"); got != "304" {
			t.Errorf("-z: %q", got)
		}
		if got := c("--etag-save", "tag", "-o", "e", r.URL+"/small") + c("--etag-compare", "tag", "-w", "%{http_code}", r.URL+"/small"); got != "304" {
			t.Errorf("--etag-compare: %q", got)
		}
		for _, way := range [][]string{{"--digest"}, {"--basic"}, {"--anyauth"}} {
			c(append(way, "-u", "ann:secret", "-T", "blob", r.URL+"/up")...)
			isFile(t, filepath.Join(root, "up"), large())
			c(append(way, "-u", "ann:secret", "-X", "DELETE", r.URL+"/up")...)
			if _, err := os.Stat(filepath.Join(root, "up")); err == nil {
				t.Errorf("%v: it is still there", way)
			}
		}
		if out, err := foreign.Try(t, dir, "", curl, "-sSk", "-w", "%{http_code}", "-o", os.DevNull, "-T", "blob", r.URL+"/up"); !strings.HasSuffix(out, "401") {
			t.Errorf("without a login: %v, %s", err, out)
		}
		if got := c("-L", "--path-as-is", "-w", "%{url_effective}", "-o", os.DevNull, r.URL+"/d/../d"); !strings.HasSuffix(got, "/d/") {
			t.Errorf("-L: %s", got)
		}
	})
}

// TestCurlsDigest has curl log in by each algorithm, twice on one connection: by
// the second request the nonce is in use.
func TestCurlsDigest(t *testing.T) {
	curl := foreign.Program(t, "$CURL", "curl")
	for _, c := range []struct {
		algorithms []string
		authInt    int64
		young      string // what older versions of curl cannot do
	}{
		{[]string{"MD5"}, 0, ""},
		{[]string{"MD5-sess"}, 0, ""},
		{[]string{"SHA-256"}, 0, ""},
		{[]string{"SHA-256-sess"}, 0, ""},
		{[]string{"SHA-512-256"}, 0, "8.10"},
		{[]string{"SHA-512-256-sess"}, 0, "8.10"},
		{[]string{"SHA-256", "MD5"}, 1000, ""},
	} {
		a := newAuth()
		a.Realm, a.Algorithms, a.AuthInt = "interop", c.algorithms, c.authInt
		a.Logins = logins(map[string]string{"ann": "secret", "jäger": "grün"})
		r := serve(t, &server.Server{Handler: &web.Handler{HTTP: a}})
		for user, password := range map[string]string{"ann": "secret", "jäger": "grün"} {
			out, err := foreign.Try(t, t.TempDir(), "", curl, "-sSf", "--digest", "-u", user+":"+password, r.URL+"/x", r.URL+"/y?z=1")
			if c.young != "" && err != nil {
				t.Logf("%v: this curl does not know it: %s", c.algorithms, out)
				continue
			}
			if err != nil || out != user+user {
				t.Errorf("%v: %v, %s", c.algorithms, err, out)
			}
		}
		if out, err := foreign.Try(t, t.TempDir(), "", curl, "-sS", "--digest", "-u", "ann:wrong", "-o", os.DevNull, "-w", "%{http_code}", r.URL+"/x"); err != nil || out != "401" {
			t.Errorf("%v: a wrong password: %v, %s", c.algorithms, err, out)
		}
	}
}

func TestWgetAtOurServer(t *testing.T) {
	wget := foreign.Program(t, "$WGET", "wget")
	atBoth(t, func(t *testing.T, r *running, _ string) {
		dir := t.TempDir()
		w := func(args ...string) {
			foreign.Run(t, dir, wget, append([]string{"-nv", "--no-check-certificate", "--tries=1"}, args...)...)
		}
		if err := os.WriteFile(filepath.Join(dir, "blob"), large()[:1_234_567], 0o644); err != nil {
			t.Fatal(err)
		}
		w("-c", r.URL+"/blob")
		isFile(t, filepath.Join(dir, "blob"), large())
		w("-m", "-nH", "-P", "mirror", r.URL+"/")
		isFile(t, filepath.Join(dir, "mirror", "blob"), large())
		isFile(t, filepath.Join(dir, "mirror", "d", "e", "f.txt"), []byte("deep"))
		info, err := os.Stat(filepath.Join(dir, "mirror", "small"))
		if err != nil || !info.ModTime().Equal(written.Truncate(time.Second)) {
			t.Errorf("the time of what was mirrored: %v, %v", info, err)
		}
		w("--user=ann", "--password=secret", "--method=PUT", "--body-file=blob", "-O", os.DevNull, r.URL+"/up")
		w("-O", "again", r.URL+"/up")
		isFile(t, filepath.Join(dir, "again"), large())
	})
}

func TestLynxAtOurServer(t *testing.T) {
	lynx := foreign.Program(t, "$LYNX", "lynx")
	atBoth(t, func(t *testing.T, r *running, _ string) {
		if strings.HasPrefix(r.URL, "https") {
			t.Skip("lynx asks a person about certificates")
		}
		dir := t.TempDir()
		if got := foreign.Run(t, dir, lynx, "-dump", r.URL+"/page.html"); !strings.Contains(got, "A page") || strings.Contains(got, "<h1>") {
			t.Errorf("%s", got)
		}
		if got := foreign.Run(t, dir, lynx, "-dump", "-listonly", r.URL+"/d"); !strings.Contains(got, r.URL+"/d/a.html") {
			t.Errorf("%s", got)
		}
	})
}

const python3 = `
import sys, http.client, urllib.request, urllib.error, json
url = sys.argv[1]
host = url.split('/')[2]
c = http.client.HTTPConnection(host, timeout=30)
for method, path, status in [('GET', '/small', 200), ('HEAD', '/blob', 200), ('GET', '/none', 404), ('GET', '/d', 301), ('OPTIONS', '/', 204), ('PUT', '/x', 401)]:
    c.request(method, path)
    r = c.getresponse(); body = r.read()
    assert r.status == status, (method, path, r.status)
    assert path != '/small' or body == b'0123456789', body
c.request('GET', '/small', headers={'Range': 'bytes=-3'})
r = c.getresponse(); assert (r.status, r.read(), r.getheader('Content-Range')) == (206, b'789', 'bytes 7-9/10')
entries = json.load(urllib.request.urlopen(urllib.request.Request(url + '/d/', headers={'Accept': 'application/json'})))
assert [e['name'] for e in entries] == ['e', 'a.html'], entries
m = urllib.request.HTTPPasswordMgrWithDefaultRealm()
m.add_password('interop', url, 'ann', 'secret')
data = bytes(range(256)) * 1000
for handler in (urllib.request.HTTPBasicAuthHandler(m), urllib.request.HTTPDigestAuthHandler(m)):
    o = urllib.request.build_opener(handler)
    for body in data, b'':
        o.open(urllib.request.Request(url + '/py', data=body, method='PUT')).read()
        assert urllib.request.urlopen(url + '/py').read() == body
print('well')
`

const python2 = `
import sys, httplib, urllib2
url = sys.argv[1]
host = url.split('/')[2]
c = httplib.HTTPConnection(host, timeout=30)
for method, path, status in [('GET', '/small', 200), ('HEAD', '/blob', 200), ('GET', '/none', 404), ('GET', '/d', 301)]:
    c.request(method, path)
    r = c.getresponse(); body = r.read()
    assert r.status == status, (method, path, r.status)
    assert path != '/small' or body == '0123456789', body
assert urllib2.urlopen(url + '/d').geturl() == url + '/d/'
m = urllib2.HTTPPasswordMgrWithDefaultRealm()
m.add_password('interop', url, 'ann', 'secret')
for handler in (urllib2.HTTPBasicAuthHandler(m), urllib2.HTTPDigestAuthHandler(m)):
    o = urllib2.build_opener(handler)
    r = urllib2.Request(url + '/py2', data='some text')
    r.get_method = lambda: 'PUT'
    o.open(r).read()
    assert urllib2.urlopen(url + '/py2').read() == 'some text'
print('well')
`

// The tutorial's row of HTTP, with the modules that it names.
func TestTutorial71_PythonAtOurServer(t *testing.T) {
	for major, script := range map[int]string{3: python3, 2: python2} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			py := foreign.Python(t, major)
			atBoth(t, func(t *testing.T, r *running, _ string) {
				if strings.HasPrefix(r.URL, "https") {
					t.Skip("the scripts speak in clear")
				}
				if got := foreign.Run(t, t.TempDir(), py, "-c", script, r.URL); strings.TrimSpace(got) != "well" {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

// Our download at servers that others wrote, over connections that break: nginx
// goes on by ranges; Python's has none, and no strong validator but a time.
func TestTutorial71_OurDownloadAtOthers(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "blob"), large(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(root, "blob"), written, written); err != nil {
		t.Fatal(err)
	}
	servers := map[string]func(t *testing.T, port string) *exec.Cmd{
		"nginx": func(t *testing.T, port string) *exec.Cmd {
			nginx := foreign.Program(t, "$NGINX", "nginx")
			dir := t.TempDir()
			conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events {} http { access_log off; sendfile on; "+
				"client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s; server { listen 127.0.0.1:%[2]s; root %[3]s; } }", dir, port, root)
			if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
				t.Fatal(err)
			}
			return exec.Command(nginx, "-c", filepath.Join(dir, "conf"), "-e", filepath.Join(dir, "log"))
		},
		"http.server": func(t *testing.T, port string) *exec.Cmd {
			return exec.Command(foreign.Python(t, 3), "-m", "http.server", "--bind", "127.0.0.1", "--directory", root, port)
		},
	}
	for name, command := range servers {
		t.Run(name, func(t *testing.T) {
			port := foreign.Serve(t, func(port string) *exec.Cmd { return command(t, port) })
			layer := faults.Layer(faults.Rule{Do: faults.Reset, Dir: faults.In, After: 1_000_000, Times: 2})
			transport := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
				nc, err := new(net.Dialer).DialContext(ctx, network, to)
				if err != nil {
					return nil, err
				}
				return conv.Layer(layer)(nc), nil
			}}
			defer transport.CloseIdleConnections()
			d := web.Download{Client: &http.Client{Transport: transport}, URL: "http://127.0.0.1:" + port + "/blob", Pause: -1}
			body, got, err := download(t.Context(), d)
			if err != nil || got != string(large()) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			d.From, d.Validator = 2_999_990, body.Validator
			body, got, err = download(t.Context(), d)
			if want := string(large()[body.From:]); err != nil || got != want || name == "nginx" && body.From == 0 {
				t.Errorf("the rest: %d bytes from %d, %v", len(got), body.From, err)
			}
			d.URL += "/none"
			if _, _, err := download(t.Context(), d); !errors.Is(err, web.Status(404)) {
				t.Errorf("what there is not: %v", err)
			}
		})
	}
}
