//go:build interop

package web_test

import (
	"bytes"
	"cmp"
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
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// program finds a program, by a variable of the environment or by name, or
// skips.
func program(t *testing.T, variable string, names ...string) string {
	t.Helper()
	for _, name := range append([]string{os.Getenv(variable)}, names...) {
		path, err := exec.LookPath(name)
		if err == nil && strings.HasPrefix(variable, "PY") { // it may be the stand-in of a version manager
			err = exec.CommandContext(t.Context(), path, "-c", "").Run()
		}
		if err == nil {
			return path
		}
	}
	t.Skipf("neither $%s nor %s is there", variable, names[0])
	return ""
}

// output runs a program in a directory that is its home too.
func output(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "NO_PROXY=*", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is output for what must succeed.
func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := output(t, dir, name, args...)
	if err != nil {
		t.Errorf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
	}
	return out
}

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

// foreign has programs that others wrote at a server of ours: with a tree on
// disk, a login for writing, on both engines, in clear and over TLS.
func foreign(t *testing.T, f func(t *testing.T, r *running, root string)) {
	for name, engine := range engines {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tls=%v", name, secure), func(t *testing.T) {
				root, s := onDisk(t, filetree.Options{}, map[string]string{
					"blob": string(large()), "small": digits, "d/a.html": "<p>page</p>", "d/e/f.txt": "deep", "page.html": "<h1>A page</h1><p>with text",
				})
				a := newAuth()
				a.Realm, a.Need, a.Next = "interop", web.Writes, s
				a.Password = func(user string) (string, bool) { return "secret", user == "ann" }
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
	curl := program(t, "CURL", "curl")
	foreign(t, func(t *testing.T, r *running, root string) {
		dir := t.TempDir()
		c := func(args ...string) string { return must(t, dir, curl, append([]string{"-sSkf"}, args...)...) }
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
		if out, err := output(t, dir, curl, "-sSk", "-w", "%{http_code}", "-o", os.DevNull, "-T", "blob", r.URL+"/up"); !strings.HasSuffix(out, "401") {
			t.Errorf("without a login: %v, %s", err, out)
		}
		if got := c("-L", "--path-as-is", "-w", "%{url_effective}", "-o", os.DevNull, r.URL+"/d/../d"); !strings.HasSuffix(got, "/d/") {
			t.Errorf("-L: %s", got)
		}
	})
}

func TestWgetAtOurServer(t *testing.T) {
	wget := program(t, "WGET", "wget")
	foreign(t, func(t *testing.T, r *running, _ string) {
		dir := t.TempDir()
		w := func(args ...string) {
			must(t, dir, wget, append([]string{"-nv", "--no-check-certificate", "--tries=1"}, args...)...)
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
	lynx := program(t, "LYNX", "lynx")
	foreign(t, func(t *testing.T, r *running, _ string) {
		if strings.HasPrefix(r.URL, "https") {
			t.Skip("lynx asks a person about certificates")
		}
		dir := t.TempDir()
		if got := must(t, dir, lynx, "-dump", r.URL+"/page.html"); !strings.Contains(got, "A page") || strings.Contains(got, "<h1>") {
			t.Errorf("%s", got)
		}
		if got := must(t, dir, lynx, "-dump", "-listonly", r.URL+"/d"); !strings.Contains(got, r.URL+"/d/a.html") {
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
	for variable, c := range map[string]struct {
		names  []string
		script string
	}{"PY3": {[]string{"python3"}, python3}, "PY2": {[]string{"python2.7", "python2"}, python2}} {
		t.Run(variable, func(t *testing.T) {
			py := program(t, variable, c.names...)
			foreign(t, func(t *testing.T, r *running, _ string) {
				if strings.HasPrefix(r.URL, "https") {
					t.Skip("the scripts speak in clear")
				}
				if got := must(t, t.TempDir(), py, "-c", c.script, r.URL); strings.TrimSpace(got) != "well" {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

// waitFor returns when somebody listens there.
func waitFor(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// start runs a server that others wrote until the test ends.
func start(t *testing.T, address, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("%s: %v\n%s", name, err, out.String())
		}
	})
	waitFor(t, address)
}

// freeAddress is one where nobody listens, a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
	servers := map[string]func(t *testing.T, address string){
		"nginx": func(t *testing.T, address string) {
			nginx := program(t, "NGINX", "nginx", "/usr/sbin/nginx")
			dir := t.TempDir()
			conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events {} http { access_log off; sendfile on; "+
				"client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s; server { listen %[2]s; root %[3]s; } }", dir, address, root)
			if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
				t.Fatal(err)
			}
			start(t, address, nginx, "-c", filepath.Join(dir, "conf"), "-e", filepath.Join(dir, "log"))
		},
		"http.server": func(t *testing.T, address string) {
			_, port, _ := net.SplitHostPort(address)
			start(t, address, program(t, "PY3", "python3"), "-m", "http.server", "--bind", "127.0.0.1", "--directory", root, cmp.Or(port, "0"))
		},
	}
	for name, run := range servers {
		t.Run(name, func(t *testing.T) {
			address := freeAddress(t)
			run(t, address)
			layer := faults.Layer(faults.Rule{Do: faults.Reset, Dir: faults.In, After: 1_000_000, Times: 2})
			transport := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
				nc, err := new(net.Dialer).DialContext(ctx, network, to)
				if err != nil {
					return nil, err
				}
				return conv.Layer(layer)(nc), nil
			}}
			defer transport.CloseIdleConnections()
			d := web.Download{Client: &http.Client{Transport: transport}, URL: "http://" + address + "/blob", Pause: -1}
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
