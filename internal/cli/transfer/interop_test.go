//go:build interop

package transfer_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/cli/transfer"
	"github.com/farend-go/farend/internal/foreign"
)

// tree makes files that are hard on mirrors, all binary and of the year 2020.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, size := range map[string]int{"a.bin": 1_500_000, "large.bin": 6_000_000, "d/e/f.bin": 70_000, "sp ace/ü #?%41;x.bin": 300, "one": 1, "d/plain": 5000} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * i >> 5)
		}
		for _, err := range []error{
			os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, content, 0o644),
			os.Chtimes(name, time.Time{}, time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for d := dir; d != "/" && d != "."; d = filepath.Dir(d) { // for servers that are another user
		_ = os.Chmod(d, 0o755)
	}
	return dir
}

// snapshot is what lies below a directory: names, times and contents.
func snapshot(t *testing.T, dir string, times bool) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(p)))
		line := fmt.Sprintf("%s %d %x", p, len(content), content[:min(len(content), 16)])
		if info, err := d.Info(); times && err == nil {
			line += info.ModTime().UTC().Format(" 2006-01-02 15:04:05")
		}
		all = append(all, line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// mirrors compares what comes, twice, with what is there.
func mirrors(t *testing.T, source, from string, timed bool) {
	t.Helper()
	u, err := transfer.ParseURL(from)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, action := range []string{transfer.ActionGet, transfer.ActionSkip} {
		c, err := transfer.New(transfer.Options{Parallel: 3, Retries: 1}, []*url.URL{u})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Mirror(t.Context(), u, dir, transfer.Mirror{}, func(r transfer.Result) {
			if r.Err != nil || r.Action != action {
				t.Errorf("%s: %s %s, want %s: %v", from, r.Action, r.File, action, r.Err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if want, got := snapshot(t, source, timed), snapshot(t, dir, timed); !slices.Equal(want, got) {
			t.Errorf("%s:\n got %s\nwant %s", from, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// asCurl compares bytes and exit status with curl's.
func asCurl(t *testing.T, urls ...string) {
	t.Helper()
	curl := foreign.Program(t, "curl")
	for _, text := range urls {
		cmd := exec.CommandContext(t.Context(), curl, "-sSf", "--max-time", "30", text)
		want, err := cmd.Output()
		code := 0
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // it comes bare
			code = exit.ExitCode()
		}
		u, err := transfer.ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		c, err := transfer.New(transfer.Options{Out: &got, Fail: true}, []*url.URL{u})
		if err != nil {
			t.Fatal(err)
		}
		c.Get(t.Context(), []transfer.Job{{URL: u}}, func(_ int, r transfer.Result) {
			if transfer.Code(r.Err) != code {
				t.Errorf("%s: %v is %d, curl's is %d", text, r.Err, transfer.Code(r.Err), code)
			}
		})
		c.Close()
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d bytes, curl has %d", text, got.Len(), len(want))
		}
	}
}

// inPieces fetches a file in pieces; parts tells
// whether the server gives any.
func inPieces(t *testing.T, source, at string, parts bool) {
	t.Helper()
	u, err := transfer.ParseURL(at + "/large.bin")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(source, "large.bin"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var talk []string
	file := filepath.Join(t.TempDir(), "f")
	c, err := transfer.New(transfer.Options{Segments: 4, Talk: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		talk = append(talk, line)
	}}, []*url.URL{u})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Get(t.Context(), []transfer.Job{{URL: u, File: file}}, func(_ int, r transfer.Result) {
		if r.Err != nil || r.Tries != 1 || r.Bytes != int64(len(want)) {
			t.Errorf("%s: %d bytes, %d tries, %v", u, r.Bytes, r.Tries, r.Err)
		}
	})
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes of %d, %v", u, len(got), len(want), err)
	}
	mu.Lock()
	defer mu.Unlock()
	pieces := 0
	for _, line := range talk {
		if strings.HasPrefix(line, "< 206") || strings.HasPrefix(line, "< HTTP/1.1 206") || strings.HasPrefix(line, "< 350") {
			pieces++
		}
	}
	if (pieces > 0) != parts { // how many depends on how fast the first one is
		t.Errorf("%s: %d pieces: %q", u, pieces, talk)
	}
}

func TestNginxAndPython(t *testing.T) {
	source := tree(t)
	t.Run("nginx", func(t *testing.T) {
		nginx, work := foreign.Program(t, "nginx"), t.TempDir()
		config := filepath.Join(work, "conf")
		const text = `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/err; events {}
http { access_log off; client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
server { listen 127.0.0.1:%[2]s; root %[3]s; autoindex on; limit_rate_after 1m; limit_rate 10m; location /json/ { alias %[3]s/; autoindex_format json; } } }`
		port := foreign.Serve(t, func(port string) *exec.Cmd {
			if err := os.WriteFile(config, fmt.Appendf(nil, text, work, port, source), 0o644); err != nil {
				t.Fatal(err)
			}
			return exec.Command(nginx, "-c", config, "-e", filepath.Join(work, "err"))
		})
		at := "http://127.0.0.1:" + port
		mirrors(t, source, at+"/", true)
		mirrors(t, source, at+"/json/", true)
		asCurl(t, at+"/a.bin", at+"/d/", at+"/none", at+"/d")
		inPieces(t, source, at, true)
	})
	t.Run("Python", func(t *testing.T) {
		python := foreign.Python(t, 3)
		port := foreign.Serve(t, func(port string) *exec.Cmd {
			return exec.Command(python, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", source)
		})
		at := "http://127.0.0.1:" + port
		mirrors(t, source, at+"/", true)
		asCurl(t, at+"/a.bin", at+"/d/", at+"/none")
		inPieces(t, source, at, false) // it knows no ranges
	})
}

func TestVsftpd(t *testing.T) {
	vsftpd, source := foreign.Program(t, "vsftpd"), tree(t)
	foreign.NeedRoot(t)
	config, empty := filepath.Join(t.TempDir(), "conf"), t.TempDir()
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		text := fmt.Sprintf("listen=YES\nlisten_address=127.0.0.1\nlisten_port=%s\nbackground=NO\nanonymous_enable=YES\nanon_root=%s\nno_anon_password=YES\n"+
			"secure_chroot_dir=%s\nseccomp_sandbox=NO\npasv_address=127.0.0.1\nuse_localtime=NO\nanon_max_rate=20000000\n", port, source, empty)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(vsftpd, config)
	})
	at := "ftp://127.0.0.1:" + port
	mirrors(t, source, at+"/", true) // it has no MLSD: the times come by MDTM
	asCurl(t, at+"/a.bin", at+"/d/", at+"/none", at+"/none/x")
	inPieces(t, source, at, true)
}

func TestGophernicus(t *testing.T) {
	gophernicus, socat, source := foreign.Program(t, "gophernicus"), foreign.Program(t, "socat"), tree(t)
	if err := os.RemoveAll(filepath.Join(source, "sp ace")); err != nil { // it writes such names in a way of its own
		t.Fatal(err)
	}
	port := foreign.Serve(t, func(port string) *exec.Cmd {
		return exec.Command(socat, "TCP-LISTEN:"+port+",bind=127.0.0.1,reuseaddr,fork",
			"EXEC:"+gophernicus+" -h localhost -p "+port+" -r "+source+" -nm -nx -nq -nr,nofork")
	})
	at := "gopher://127.0.0.1:" + port
	asCurl(t, at+"/9/a.bin", at+"/9/one")
	u, err := transfer.ParseURL(at + "/")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c, err := transfer.New(transfer.Options{Parallel: 2}, []*url.URL{u})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Mirror(t.Context(), u, dir, transfer.Mirror{}, func(r transfer.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File, r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want, got := snapshot(t, source, false), snapshot(t, dir, false)
	if !slices.Equal(want, got) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}
