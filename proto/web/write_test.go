package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

func TestWrites(t *testing.T) {
	memory := func() filetree.Tree { return filetree.Memory(filetree.Options{Quota: 1000, MaxFile: 500}) }
	disk := func() filetree.Tree {
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		tree, err := filetree.Dir(root, filetree.Options{Quota: 1000, MaxFile: 500})
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	for name, tree := range map[string]filetree.Tree{"memory": memory(), "disk": disk()} {
		s := &web.FileServer{Files: files.Web(tree, true)}
		tag := "" // of /f, as it was last told
		for i, c := range []struct {
			method, path, header, body string
			want                       int
			is                         string // what GET gives then; "-": nothing
		}{
			{"PUT", "/f", "", "one", 201, "one"},
			{"PUT", "/f", "", "two", 204, "two"},
			{"PUT", "/f", "If-None-Match: *", "no", 412, "two"},
			{"PUT", "/f", "If-Match: TAG", "three", 204, "three"},
			{"PUT", "/f", `If-Match: "x"`, "no", 412, "three"},
			{"PUT", "/f", "If-Match: W/TAG", "no", 412, "three"},
			{"PUT", "/f", "If-Match: nonsense", "no", 400, "three"},
			{"PUT", "/f", "If-None-Match: nonsense", "no", 400, "three"},
			{"PUT", "/f", "If-Unmodified-Since: Mon, 04 May 2020 03:02:00 GMT", "no", 412, "three"},
			{"PUT", "/f", "Content-Range: bytes 0-1/5", "no", 400, "three"},
			{"PUT", "/f", "Content-Encoding: gzip", "no", 415, "three"},
			{"PUT", "/new", "If-Match: *", "no", 412, "-"},
			{"PUT", "/new", "If-None-Match: *", "new", 201, "new"},
			{"PUT", "/a/b/c", "", "deep", 201, "deep"},
			{"PUT", "/a/b", "", "no", 409, ""},
			{"PUT", "/a/", "", "no", 409, ""},
			{"PUT", "/f/x", "", "no", 409, "-"},
			{"PUT", "/a/../f", "", "no", 400, ""},
			{"PUT", "/large", "", strings.Repeat("x", 501), 413, "-"},
			{"PUT", "/g", "", strings.Repeat("x", 490), 201, ""},
			{"PUT", "/h", "", strings.Repeat("x", 490), 201, ""},
			{"PUT", "/i", "", strings.Repeat("x", 490), 507, "-"},
			{"DELETE", "/a", "", "", 409, ""},
			{"DELETE", "/a/b/c", "", "", 204, "-"},
			{"DELETE", "/a/b/", "", "", 204, ""},
			{"DELETE", "/a/b", "", "", 404, "-"},
			{"DELETE", "/f", `If-Match: "x"`, "", 412, "three"},
			{"DELETE", "/f", "If-Match: TAG", "", 204, "-"},
			{"DELETE", "/f", "", "", 404, "-"},
			{"DELETE", "/", "", "", 403, ""},
			{"POST", "/new", "", "no", 405, "new"},
			{"TRACE", "/new", "", "", 405, "new"},
		} {
			var header []string
			if c.header != "" {
				header = []string{strings.ReplaceAll(c.header, "TAG", tag)}
			}
			r := ask(t, s, c.method, c.path, header, c.body)
			if r.StatusCode != c.want {
				t.Errorf("%s %d: %s %s, %v: %s, want %d", name, i, c.method, c.path, header, r.Status, c.want)
			}
			now := ask(t, s, "GET", c.path, nil, "")
			switch got := bodyOf(t, now); {
			case c.is == "":
			case c.is == "-" && now.StatusCode != 404, c.is != "-" && got != c.is:
				t.Errorf("%s %d: %s %s, %v: now %s %q, want %q", name, i, c.method, c.path, header, now.Status, got, c.is)
			}
			if c.method == "PUT" && c.want < 300 && (r.Header.Get("Etag") == "" || r.Header.Get("Etag") != now.Header.Get("Etag")) {
				t.Errorf("%s %d: told the tag %q, it is %q", name, i, r.Header.Get("Etag"), now.Header.Get("Etag"))
			}
			if c.path == "/f" && now.StatusCode == 200 {
				tag = now.Header.Get("Etag")
			}
		}
	}
}

func TestAllow(t *testing.T) {
	s := &web.FileServer{Files: files.Web(filetree.Memory(filetree.Options{}), true)}
	if r := ask(t, s, "OPTIONS", "/f", nil, ""); r.StatusCode != 204 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS, PUT, DELETE" {
		t.Errorf("%s, %v", r.Status, r.Header)
	}
}

// Of many who put a file where there was none, one does; of many who change
// what they have read, one does.
func TestRaces(t *testing.T) {
	s := &web.FileServer{Files: files.Web(filetree.Memory(filetree.Options{}), true)}
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: s}})
	for _, condition := range []string{"If-None-Match: *", "If-Match: TAG"} {
		resp, _ := r.do(t, "HEAD", "/f", nil, "")
		header := []string{strings.ReplaceAll(condition, "TAG", resp.Header.Get("Etag"))}
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 20 {
			wg.Go(func() {
				resp, _ := r.do(t, "PUT", "/f", header, strings.Repeat(condition, 1000))
				mu.Lock()
				got[resp.StatusCode]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if got[201]+got[204] != 1 || got[412] != 19 {
			t.Errorf("%s: %v", condition, got)
		}
	}
}

// Of many who remove what they have read, while others put something new, each
// removes what it read and nothing else: every version goes exactly once.
func TestRacesOfRemoval(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	disk, err := filetree.Dir(root, filetree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tree := range map[string]filetree.Tree{"memory": filetree.Memory(filetree.Options{}), "disk": disk} {
		r := serve(t, &server.Server{Handler: &web.Handler{HTTP: &web.FileServer{Files: files.Web(tree, true)}}})
		var mu sync.Mutex
		made, removed := 0, map[string]int{}
		var all sync.WaitGroup
		for who := range 8 {
			all.Go(func() {
				for i := range 50 {
					content := fmt.Sprintf("%d %02d", who, i) // all of one size
					if resp, _ := r.do(t, "PUT", "/f", []string{"If-None-Match: *"}, content); resp.StatusCode == 201 {
						mu.Lock()
						made++
						mu.Unlock()
					}
					resp, read := r.do(t, "GET", "/f", nil, "")
					if resp.StatusCode != 200 {
						continue
					}
					if resp, _ := r.do(t, "DELETE", "/f", []string{"If-Match: " + resp.Header.Get("Etag")}, ""); resp.StatusCode == 204 {
						mu.Lock()
						removed[read]++
						mu.Unlock()
					}
				}
			})
		}
		all.Wait()
		left := 0
		if _, err := tree.Stat("f"); err == nil {
			left = 1
		}
		if made != len(removed)+left || made < 8 {
			t.Errorf("%s: %d made, %d removed, %d left", name, made, len(removed), left)
		}
		for content, times := range removed {
			if times != 1 {
				t.Errorf("%s: %q was removed %d times", name, content, times)
			}
		}
	}
}

// An upload that breaks off leaves nothing behind; one that is not wanted is
// refused before its content comes.
func TestUploads(t *testing.T) {
	tree := filetree.Memory(filetree.Options{})
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: &web.FileServer{Files: files.Web(tree, true)}}})
	c, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // an error, or nothing
	if _, err := tree.Stat("f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file is there: %v", err)
	}
	c2, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close()
	if _, err := io.WriteString(c2, "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nIf-Match: *\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c2), nil)
	if err != nil || resp.StatusCode != 412 {
		t.Errorf("%v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
}

// failing is a disk that fails.
type failing struct {
	web.Files
	err error
}

type failingUpload struct{ err error }

func (f failing) Create(context.Context, string, web.CreateOptions) (web.Upload, error) {
	return failingUpload{f.err}, nil
}
func (u failingUpload) Write([]byte) (int, error) { return 0, u.err }
func (u failingUpload) Commit() error             { return u.err }
func (u failingUpload) Abort() error              { return nil }

func TestFailures(t *testing.T) {
	for err, want := range map[error]int{
		syscall.ENOSPC: 507, syscall.EDQUOT: 507, fs.ErrPermission: 403, io.ErrNoProgress: 500, web.Status(418): 418,
	} {
		s := &web.FileServer{Files: failing{files.Web(filetree.Memory(filetree.Options{}), true), &fs.PathError{Op: "write", Path: "/very/secret", Err: err}}}
		r := ask(t, s, "PUT", "/f", nil, "x")
		if body := bodyOf(t, r); r.StatusCode != want || strings.Contains(body, "secret") {
			t.Errorf("%v: %s, %q", err, r.Status, body)
		}
	}
}

// What is not readable, and a directory that may not be listed, is 403.
func TestPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir, s := onDisk(t, filetree.Options{ReadOnly: true}, map[string]string{"f": "x"})
	if err := os.Chmod(filepath.Join(dir, "f"), 0); err != nil {
		t.Fatal(err)
	}
	if r := ask(t, s, "GET", "/f", nil, ""); r.StatusCode != 403 {
		t.Error(r.Status)
	}
}
