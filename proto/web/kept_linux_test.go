package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// repeated is the content of a large file.
func repeated(what string) string { return strings.Repeat(what, 100_000/len(what)) }

// openBelow are the files below a directory that this process has open
// (proc_pid_fd(5)).
func openBelow(t *testing.T, dir string) (open []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, dir+"/") { // one was the listing's own
			open = append(open, to)
		}
	}
	return open
}

// Large files that are asked for again stay open for a second, and not too many
// of them; one that was removed is not served, and gives its space back.
func TestKeptFilesAreClosed(t *testing.T) {
	contents := map[string]string{}
	for i := range 100 {
		contents[fmt.Sprint(i)] = repeated(fmt.Sprintf("%03d,", i))
	}
	dir, s := onDisk(t, filetree.Options{ReadOnly: true}, contents)
	synctest.Test(t, func(t *testing.T) {
		peer, wait := inMemory(t, &server.Server{Handler: &web.Handler{HTTP: s}})
		defer wait()
		answers := bufio.NewReader(peer)
		ask := func(name string) (int, string) {
			t.Helper()
			if _, err := io.WriteString(peer, "GET /"+name+" HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r.StatusCode, bodyOf(t, r)
		}
		for range 3 {
			for name, content := range contents {
				if status, got := ask(name); status != http.StatusOK || got != content {
					t.Fatalf("%s: %d, %.20q", name, status, got)
				}
			}
		}
		if n := len(openBelow(t, dir)); n == 0 || n > 64 {
			t.Errorf("%d files are open, want 64 at most", n)
		}
		for name := range contents {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			if status, _ := ask(name); status != http.StatusNotFound {
				t.Errorf("%s: %d after it was removed", name, status)
			}
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if open := openBelow(t, dir); len(open) > 0 {
			t.Errorf("still open: %q", open)
		}
	})
}

// Whoever asks for a file while others replace it gets all of one version.
func TestKeptFilesAreReplaced(t *testing.T) {
	dir, s := onDisk(t, filetree.Options{ReadOnly: true}, map[string]string{"f": repeated("0")})
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: s}})
	path := filepath.Join(dir, "f")
	for i := range 10 {
		version := fmt.Sprint(i)
		if err := os.WriteFile(path+"~", []byte(repeated(version)), 0o644); err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for range 5 {
					resp, got := r.get(t, "/f")
					if resp.StatusCode != http.StatusOK || got == "" || got != repeated(got[:1]) {
						t.Errorf("%s, %d bytes, %.20q", resp.Status, len(got), got)
					}
				}
			})
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Error(err)
		}
		clients.Wait()
		if _, got := r.get(t, "/f"); got != repeated(version) {
			t.Errorf("%.20q, want %s", got, version)
		}
		if _, got := r.do(t, http.MethodGet, "/f", []string{"Range: bytes=5-6,99998-"}, ""); strings.Count(got, "\r\n\r\n"+version+version+"\r\n") != 2 {
			t.Errorf("%q, want parts of %s", got, version)
		}
	}
}
