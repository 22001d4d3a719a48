package transfer

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// fileURL is that of a path.
func fileURL(name string) *url.URL {
	p := filepath.ToSlash(name)
	if p[0] != '/' { // C:/x
		p = "/" + p
	}
	return &url.URL{Scheme: "file", Path: p}
}

// brings mirrors a URL and gives what was done, sorted.
func brings(t *testing.T, u *url.URL, dir string, how Mirror) ([]string, error) {
	t.Helper()
	c, err := New(Options{Parallel: 2}, []*url.URL{u})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var done []string
	err = c.Mirror(t.Context(), u, dir, how, func(r Result) {
		line := r.Action + " " + r.File
		if r.Err != nil {
			line += ": " + r.Err.Error()
		}
		done = append(done, line)
	})
	slices.Sort(done)
	return done, err
}

func TestMirrorOfThisDisk(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new", "target")
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, text := range map[string]string{"a b#?%41": "one", "d/e/f": "two"} {
		name = filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, name, text)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(from, "d"), filepath.Join(from, "link")); err != nil {
		t.Log("no symbolic links here: ", err)
	}
	u := fileURL(from)
	for _, c := range []struct {
		how    Mirror
		change func() error
		want   []string
	}{
		{Mirror{DryRun: true}, nil, []string{"get a b#?%41", "get d/e/f"}},
		{Mirror{}, nil, []string{"get a b#?%41", "get d/e/f"}},
		{Mirror{}, nil, []string{"skip a b#?%41", "skip d/e/f"}},
		{Mirror{Verify: true}, func() error { // of the same size and time
			name := filepath.Join(to, "d", "e", "f")
			write(t, name, "TWO")
			return os.Chtimes(name, when, when)
		}, []string{"get d/e/f", "skip a b#?%41"}},
		{Mirror{Delete: true}, func() error { return os.RemoveAll(filepath.Join(from, "d")) }, []string{"delete d", "skip a b#?%41"}},
	} {
		if c.change != nil {
			if err := c.change(); err != nil {
				t.Fatal(err)
			}
		}
		if done, err := brings(t, u, to, c.how); err != nil || !slices.Equal(done, c.want) {
			t.Errorf("%+v: %q, %v, want %q", c.how, done, err, c.want)
		}
	}
	if got := treeOf(t, to); !slices.Equal(got, []string{"a b#?%41"}) {
		t.Errorf("%q", got)
	}
	if info, err := os.Stat(filepath.Join(to, "a b#?%41")); err != nil || !info.ModTime().Equal(when) {
		t.Errorf("%v, %v", info, err)
	}
}

// TestAMirrorIsNotItsOwnSource asks for what would never end, and for what
// there is not.
func TestAMirrorIsNotItsOwnSource(t *testing.T) {
	from := t.TempDir()
	write(t, filepath.Join(from, "f"), "x")
	for _, inside := range []string{from, filepath.Join(from, "new", "deep"), filepath.Join(from, "x", "..")} {
		if done, err := brings(t, fileURL(from), inside, Mirror{}); Code(err) != CodeUsage || len(done) > 0 {
			t.Errorf("%s: %q, %v", inside, done, err)
		}
	}
	beside := from + "-beside"
	t.Cleanup(func() { os.RemoveAll(beside) })
	if done, err := brings(t, fileURL(from), beside, Mirror{}); err != nil || !slices.Equal(done, []string{"get f"}) {
		t.Errorf("beside: %q, %v", done, err)
	}
	for _, bad := range []string{filepath.Join(from, "none"), filepath.Join(from, "f")} {
		if _, err := brings(t, fileURL(bad), t.TempDir(), Mirror{}); Code(err) != CodeNoFile {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := brings(t, &url.URL{Scheme: "file", Host: "elsewhere.test", Path: "/x"}, t.TempDir(), Mirror{}); Code(err) != CodeUsage {
		t.Errorf("another host: %v", err)
	}
}
