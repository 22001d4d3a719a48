package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inTheWay is what stands where files go: of n files, f00 to f08.
func inTheWay(t *testing.T, dir string, content func(name string) string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("f00"), "something longer than what comes: "+strings.Repeat("x", 5000))
	write(t, at("f01"), content("f01"))
	write(t, at("f02"), strings.Repeat("y", len(content("f02"))))
	write(t, at("f03.part"), content("f03")[:1000])
	write(t, at("f03.part.json"), `{"url":"U/f03","size":`+fmt.Sprint(len(content("f03")))+`,"etag":"\"f03\""}`)
	write(t, at("f04.part"), "nobody knows of what")
	write(t, at("f05"), "old")
	write(t, at("f05.part.json"), `{"url":"`) // of a part that is gone
	if err := os.Mkdir(at("f06"), 0o755); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" { // where links are for administrators
		write(t, at("target"), "old")
		if err := errors.Join(os.Symlink("target", at("f07")), os.Symlink("nowhere", at("f08"))); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Unix(1e9, 0)
	if err := errors.Join(os.Chmod(at("f01"), 0o600), os.Chtimes(at("f01"), then, then)); err != nil {
		t.Fatal(err)
	}
}

// TestFilesInTheWay gets few files and many, of which some are here, in parts,
// as links and as directories: what comes is whole, and leaves no part.
func TestFilesInTheWay(t *testing.T) {
	content := func(name string) string { return strings.Repeat("this is "+name+". ", 300) }
	changed := time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.URL.Path, "/")
		w.Header().Set("Etag", `"`+name+`"`)
		http.ServeContent(w, r, "", changed, strings.NewReader(content(name)))
	}))
	defer srv.Close()
	for _, n := range []int{9, many + 10} {
		for _, remote := range []bool{false, true} {
			t.Run(fmt.Sprint(n, remote), func(t *testing.T) {
				dir := t.TempDir()
				inTheWay(t, dir, content)
				note := filepath.Join(dir, "f03.part.json")
				text, _ := os.ReadFile(note)
				write(t, note, strings.Replace(string(text), "U/", srv.URL+"/", 1))
				results := gotFiles(t, srv.URL, dir, n, Options{Parallel: 8, RemoteTime: remote})
				for i, r := range results {
					name := fmt.Sprintf("f%02d", i)
					if name == "f06" {
						if Code(r.Err) != CodeWrite {
							t.Errorf("%s, a directory: %v", name, r.Err)
						}
						continue
					}
					got, err := os.ReadFile(filepath.Join(dir, name))
					if err = errors.Join(r.Err, err); err != nil || string(got) != content(name) {
						t.Errorf("%s: %.40q, %v", name, got, err)
					}
					info, err := os.Stat(filepath.Join(dir, name))
					if err != nil || remote != info.ModTime().Equal(changed) || info.ModTime().Equal(time.Unix(1e9, 0)) {
						t.Errorf("%s is of %v, %v", name, info.ModTime(), err)
					}
				}
				if results[3].Resumed != 1000 {
					t.Errorf("f03 went on at %d", results[3].Resumed)
				}
				asLeft(t, dir)
			})
		}
	}
}

func gotFiles(t *testing.T, from, dir string, n int, o Options) []Result {
	t.Helper()
	jobs, urls := make([]Job, n), make([]*url.URL, n)
	for i := range jobs {
		u, err := url.Parse(fmt.Sprintf("%s/f%02d", from, i))
		if err != nil {
			t.Fatal(err)
		}
		jobs[i], urls[i] = Job{URL: u, Named: true, File: dir}, u
	}
	c, err := New(o, urls)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	results := make([]Result, n)
	c.Get(t.Context(), jobs, func(i int, r Result) { results[i] = r })
	return results
}

// asLeft looks at what inTheWay has made, when files have come.
func asLeft(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part*")); len(left) > 0 {
		t.Errorf("%q is left behind", left)
	}
	if runtime.GOOS == "windows" {
		return
	}
	mode := func(name string) fs.FileMode {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if mode("f01") != 0o600 {
		t.Errorf("what was here already is %v", mode("f01"))
	}
	if mode("f07")&fs.ModeSymlink == 0 || mode("f08")&fs.ModeSymlink != 0 {
		t.Errorf("a link was not written through, or one that leads nowhere was: %v, %v", mode("f07"), mode("f08"))
	}
}

// TestOneNameTwice has two files for one name: it is one of them.
func TestOneNameTwice(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat(r.URL.Path, 100))
	}))
	defer srv.Close()
	dir := t.TempDir()
	var jobs []Job
	var urls []*url.URL
	for i := range 2 * many {
		u, err := url.Parse(fmt.Sprintf("%s/%d/f%d", srv.URL, i%2, i/2))
		if err != nil {
			t.Fatal(err)
		}
		jobs, urls = append(jobs, Job{URL: u, Named: true, File: dir}), append(urls, u)
	}
	for range 2 { // nothing is there, and something
		c, err := New(Options{Parallel: 16}, urls)
		if err != nil {
			t.Fatal(err)
		}
		c.Get(t.Context(), jobs, func(i int, r Result) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.URL, r.Err)
			}
		})
		c.Close()
		for i := range many {
			got, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("f%d", i)))
			a, b := strings.Repeat(fmt.Sprintf("/0/f%d", i), 100), strings.Repeat(fmt.Sprintf("/1/f%d", i), 100)
			if err != nil || string(got) != a && string(got) != b {
				t.Errorf("f%d: %.40q, %v", i, got, err)
			}
		}
	}
	if all, _ := os.ReadDir(dir); len(all) != many {
		t.Errorf("%d files, want %d", len(all), many)
	}
}

// looking is a body that looks around before it ends.
type looking func()

func (l looking) Read([]byte) (int, error) {
	l()
	return 0, io.EOF
}

// TestASpanIsNoPart writes a span of a file where a part of the file and its
// note are: were the run to end there, nobody would go on behind the span.
func TestASpanIsNoPart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	write(t, name+".part", "01234")
	write(t, name+".part.json", `{"url":"http://h/f","size":1000,"etag":"\"x\""}`)
	c, err := New(Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	looked := false
	end := looking(func() {
		looked = true
		if got, err := os.ReadFile(name + ".part"); string(got) != "78" {
			t.Errorf("the part is %q, %v", got, err)
		}
		if _, err := os.Lstat(name + ".part.json"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a note beside the span: %v", err)
		}
	})
	open := func(context.Context, request) (*source, error) {
		return &source{version: unknown, body: io.NopCloser(io.MultiReader(strings.NewReader("78"), end))}, nil
	}
	r := Result{URL: "http://h/f", share: c.meter.announce(-1)}
	if err := c.toFile(t.Context(), open, Job{}, true, spot{name: name}, &r); err != nil || !looked {
		t.Errorf("%v; looked: %t", err, looked)
	}
}

// TestALargeFileBecomesSmall breaks off one that goes to the disk, and has
// another version for the next try, which comes whole.
func TestALargeFileBecomesSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c, err := New(Options{Retries: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		answers := []*source{
			{version: Version{Size: noteAfter, ETag: `"1"`}, body: io.NopCloser(io.MultiReader(strings.NewReader("large"), broken{}))},
			{version: Version{Size: 5, ETag: `"2"`}, body: io.NopCloser(strings.NewReader("small"))},
		}
		open := func(context.Context, request) (s *source, _ error) {
			s, answers = answers[0], answers[1:]
			return s, nil
		}
		r := Result{URL: "http://h/f", share: c.meter.announce(-1)}
		err = c.toFile(t.Context(), open, Job{}, false, spot{name: filepath.Join(dir, "f")}, &r)
		got, missing := os.ReadFile(filepath.Join(dir, "f"))
		all, _ := os.ReadDir(dir)
		if errors.Join(err, missing) != nil || string(got) != "small" || len(all) != 1 {
			t.Errorf("%q and %d files, %v", got, len(all), errors.Join(err, missing))
		}
	})
}

// endless is a body that does not end where its server said.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), 10)), nil }

func TestMoreThanWasSaid(t *testing.T) {
	dir := t.TempDir()
	c, err := New(Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, size := range []int64{0, 995, bufferSize - 1} {
		open := func(context.Context, request) (*source, error) {
			return &source{version: Version{Size: size, ETag: `"x"`}, body: io.NopCloser(endless{})}, nil
		}
		r := Result{URL: "http://h/f", share: c.meter.announce(-1)}
		err := c.toFile(t.Context(), open, Job{}, false, spot{name: filepath.Join(dir, "f")}, &r)
		if all, _ := os.ReadDir(dir); !errors.Is(err, io.ErrUnexpectedEOF) || len(all) > 0 {
			t.Errorf("%d bytes: %v, and %d files", size, err, len(all))
		}
	}
}
