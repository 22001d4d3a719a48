// Package treetest is the suite that every filetree.Tree passes, in the manner
// of testing/fstest: the heir of the abstract test cases that Twisted's
// FilePath and its siblings share.
package treetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/farend-go/farend/filetree"
)

// Write makes a file in one go.
func Write(ctx context.Context, t filetree.Tree, name, content string, o filetree.CreateOptions) error {
	u, err := t.Create(ctx, name, o)
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // does nothing after Commit; before it the write's error leads
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	return u.Commit()
}

// Test checks the trees that empty makes: each of them without content, and
// with the options given.
func Test(t *testing.T, empty func(t *testing.T, o filetree.Options) filetree.Tree) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, make func(filetree.Options) filetree.Tree)
	}{
		{"WholeOrNothing", wholeOrNothing},
		{"Replace", replace},
		{"Resume", resume},
		{"Conditions", conditions},
		{"Removal", removal},
		{"Directories", directories},
		{"Rename", rename},
		{"Names", names},
		{"Times", times},
		{"Limits", limits},
		{"Space", space},
		{"ReadOnly", readOnly},
		{"Concurrent", concurrent},
		{"OpenStays", openStays},
		{"FS", testFS},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, func(o filetree.Options) filetree.Tree { return empty(t, o) })
		})
	}
}

func want(t *testing.T, tree filetree.Tree, name, content string) {
	t.Helper()
	got, err := fs.ReadFile(tree, name)
	if err != nil || string(got) != content {
		t.Errorf("%s: %.60q, %v; want %.60q", name, got, err, content)
	}
	ready, ok := tree.(filetree.Ready)
	if !ok {
		return
	}
	for _, room := range []int{len(content), len(content) + 10} { // it may say no
		buf := make([]byte, room)
		if n, err := ready.ReadReady(name, buf); err == nil && string(buf[:n]) != content {
			t.Errorf("%s is ready: %.60q; want %.60q", name, buf[:n], content)
		}
	}
	if content != "" {
		if n, err := ready.ReadReady(name, make([]byte, len(content)-1)); err == nil {
			t.Errorf("%s: %d bytes are ready, and it has %d", name, n, len(content))
		}
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
	if p, ok := errors.AsType[*fs.PathError](got); ok && strings.Contains(p.Path, ".filetree-") {
		t.Errorf("%s: %v names a hidden file", what, got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, tree filetree.Tree, dir string) []string {
	t.Helper()
	entries, err := tree.ReadDir(dir)
	must(t, err)
	out := []string{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		out = append(out, name)
	}
	return out
}

func wantList(t *testing.T, tree filetree.Tree, dir string, names ...string) {
	t.Helper()
	if got := list(t, tree, dir); !slices.Equal(got, names) {
		t.Errorf("%s: %q, want %q", dir, got, names)
	}
}

func wholeOrNothing(t *testing.T, make func(filetree.Options) filetree.Tree) {
	for _, durable := range []bool{false, true} {
		tree := make(filetree.Options{Durable: durable})
		u, err := tree.Create(t.Context(), "a", filetree.CreateOptions{})
		must(t, err)
		_, err = io.WriteString(u, "half")
		must(t, err)
		_, err = tree.Open("a")
		wantErr(t, "open before commit", err, fs.ErrNotExist)
		wantList(t, tree, ".")
		n, err := u.ReadFrom(strings.NewReader(" and half"))
		if n != 9 || err != nil || u.Size() != 13 {
			t.Errorf("ReadFrom: %d %v, size %d", n, err, u.Size())
		}
		must(t, u.Commit())
		must(t, u.Abort())
		wantErr(t, "second commit", u.Commit(), fs.ErrClosed)
		_, err = u.Write([]byte("x"))
		wantErr(t, "write after commit", err, fs.ErrClosed)
		want(t, tree, "a", "half and half")

		u, err = tree.Create(t.Context(), "b", filetree.CreateOptions{})
		must(t, err)
		_, err = io.WriteString(u, "nothing")
		must(t, err)
		must(t, u.Abort())
		must(t, u.Abort())
		wantErr(t, "commit after abort", u.Commit(), fs.ErrClosed)
		wantList(t, tree, ".", "a")
	}
}

func replace(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	must(t, Write(t.Context(), tree, "a", "old", filetree.CreateOptions{Mode: 0o600}))
	u, err := tree.Create(t.Context(), "a", filetree.CreateOptions{})
	must(t, err)
	defer u.Abort() //nolint:errcheck // does nothing after Commit
	_, err = io.WriteString(u, "new")
	must(t, err)
	want(t, tree, "a", "old")
	must(t, u.Commit())
	want(t, tree, "a", "new")
	info, err := tree.Stat("a")
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v of a replaced file, want that of the old one", info.Mode())
	}
}

func resume(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	must(t, Write(t.Context(), tree, "a", "0123456789", filetree.CreateOptions{}))
	must(t, Write(t.Context(), tree, "a", "xyz", filetree.CreateOptions{Offset: 4}))
	want(t, tree, "a", "0123xyz")
	must(t, Write(t.Context(), tree, "a", "!", filetree.CreateOptions{Append: true}))
	want(t, tree, "a", "0123xyz!")
	must(t, Write(t.Context(), tree, "b", "new", filetree.CreateOptions{Append: true}))
	want(t, tree, "b", "new")
	wantErr(t, "offset beyond", Write(t.Context(), tree, "a", "", filetree.CreateOptions{Offset: 9}), filetree.ErrOffset)
	wantErr(t, "offset of nothing", Write(t.Context(), tree, "c", "", filetree.CreateOptions{Offset: 1}), filetree.ErrOffset)
	wantErr(t, "offset below 0", Write(t.Context(), tree, "a", "", filetree.CreateOptions{Offset: -1}), fs.ErrInvalid)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, "ended context", Write(ended, tree, "a", "", filetree.CreateOptions{Append: true}), context.Canceled)
	want(t, tree, "a", "0123xyz!")
	wantList(t, tree, ".", "a", "b")
}

func conditions(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	o := filetree.CreateOptions{IfAbsent: true}
	first, err := tree.Create(t.Context(), "a", o)
	must(t, err)
	must(t, Write(t.Context(), tree, "a", "second", o))
	wantErr(t, "absent at commit", first.Commit(), fs.ErrExist)
	wantErr(t, "absent at create", Write(t.Context(), tree, "a", "", o), fs.ErrExist)
	want(t, tree, "a", "second")

	info, err := tree.Stat("a")
	must(t, err)
	o = filetree.CreateOptions{IfMatch: info}
	late, err := tree.Create(t.Context(), "a", o)
	must(t, err)
	must(t, Write(t.Context(), tree, "a", "third!", o))
	wantErr(t, "match at commit", late.Commit(), filetree.ErrChanged)
	wantErr(t, "match at create", Write(t.Context(), tree, "a", "", o), filetree.ErrChanged)
	wantErr(t, "match of nothing", Write(t.Context(), tree, "b", "", o), filetree.ErrChanged)
	want(t, tree, "a", "third!")
	wantList(t, tree, ".", "a")
}

// removal takes away what is still what was seen, and nothing else.
func removal(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	see := func(name string) fs.FileInfo {
		info, err := tree.Stat(name)
		must(t, err)
		return info
	}
	must(t, Write(t.Context(), tree, "f", "same", filetree.CreateOptions{}))
	must(t, tree.Mkdir("d"))
	first := see("f")
	for range 50 { // each is another file, however soon it comes
		must(t, tree.Remove("f"))
		must(t, Write(t.Context(), tree, "f", "same", filetree.CreateOptions{}))
		wantErr(t, "another of the same size", tree.RemoveIf("f", first), filetree.ErrChanged)
		first = see("f")
	}
	must(t, tree.Chtimes("f", time.Unix(1e9, 0)))
	wantErr(t, "another time", tree.RemoveIf("f", first), filetree.ErrChanged)
	wantErr(t, "of a directory", tree.RemoveIf("f", see("d")), filetree.ErrChanged)
	last := see("f")
	must(t, tree.RemoveIf("f", last))
	wantErr(t, "once more", tree.RemoveIf("f", last), filetree.ErrChanged)
	must(t, tree.RemoveIf("d", see("d")))
	wantList(t, tree, ".")
}

func directories(t *testing.T, make func(filetree.Options) filetree.Tree) {
	for _, durable := range []bool{false, true} {
		tree := make(filetree.Options{Durable: durable})
		must(t, tree.Mkdir("d"))
		wantErr(t, "mkdir again", tree.Mkdir("d"), fs.ErrExist)
		wantErr(t, "mkdir below nothing", tree.Mkdir("x/y"), fs.ErrNotExist)
		must(t, Write(t.Context(), tree, "d/f", "1", filetree.CreateOptions{}))
		wantErr(t, "mkdir over a file", tree.Mkdir("d/f"), fs.ErrExist)
		wantErr(t, "mkdir below a file", tree.Mkdir("d/f/g"), fs.ErrNotExist)
		wantErr(t, "create over a directory", Write(t.Context(), tree, "d", "", filetree.CreateOptions{}), fs.ErrExist)
		wantErr(t, "create below a file", Write(t.Context(), tree, "d/f/g", "", filetree.CreateOptions{}), fs.ErrNotExist)
		wantErr(t, "create below nothing", Write(t.Context(), tree, "x/y", "", filetree.CreateOptions{}), fs.ErrNotExist)
		_, err := tree.ReadDir("d/f")
		wantErr(t, "list a file", err, fs.ErrNotExist)
		_, err = tree.Stat("d/f/g")
		wantErr(t, "stat below a file", err, fs.ErrNotExist)
		wantErr(t, "remove a full directory", tree.Remove("d"), filetree.ErrNotEmpty)
		must(t, filetree.MkdirAll(tree, "d/e/f/g"))
		must(t, filetree.MkdirAll(tree, "d/e/f/g"))
		wantErr(t, "mkdir all over a file", filetree.MkdirAll(tree, "d/f/x/y"), fs.ErrExist)
		wantList(t, tree, "d", "e/", "f")
		must(t, tree.Remove("d/f"))
		wantErr(t, "remove nothing", tree.Remove("d/f"), fs.ErrNotExist)
		must(t, filetree.RemoveAll(tree, "d"))
		must(t, filetree.RemoveAll(tree, "d"))
		wantList(t, tree, ".")
	}
}

func rename(t *testing.T, make func(filetree.Options) filetree.Tree) {
	for _, durable := range []bool{false, true} {
		tree := make(filetree.Options{Durable: durable})
		must(t, filetree.MkdirAll(tree, "d/e"))
		must(t, Write(t.Context(), tree, "a", "A", filetree.CreateOptions{}))
		must(t, Write(t.Context(), tree, "b", "B", filetree.CreateOptions{}))
		must(t, tree.Rename("a", "a"))
		must(t, tree.Rename("a", "d/a"))
		must(t, tree.Rename("d/a", "b"))
		want(t, tree, "b", "A")
		wantErr(t, "rename nothing", tree.Rename("a", "c"), fs.ErrNotExist)
		wantErr(t, "rename below nothing", tree.Rename("b", "x/b"), fs.ErrNotExist)
		wantErr(t, "rename over a directory", tree.Rename("b", "d"), fs.ErrExist)
		wantErr(t, "rename a directory over a file", tree.Rename("d", "b"), fs.ErrExist)
		wantErr(t, "rename a directory over another", tree.Rename("d/e", "d"), fs.ErrExist)
		if err := tree.Rename("d", "d/e/d"); err == nil {
			t.Error("a directory went into itself")
		}
		must(t, tree.Rename("d", "z"))
		wantList(t, tree, ".", "b", "z/")
		wantList(t, tree, "z", "e/")
	}
}

// Hostile are names that lead nowhere good.
func Hostile() []string {
	return []string{
		"", "/", "/a", "a/", "..", "../a", "a/..", "a/../b", "./a", "a//b", "a/.", "a\x00b", "\x00",
		"\xff", "a/\xc3\x28", strings.Repeat("n", 256), strings.Repeat("d/", 3000) + "f",
		".filetree-X.part", "a/.filetree-ABC.part", ".filetree-X.part/b",
	}
}

func names(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	must(t, tree.Mkdir("a"))
	for _, name := range Hostile() {
		if f, err := tree.Open(name); err == nil {
			f.Close()
			t.Errorf("open %.40q", name)
		}
		_, statErr := tree.Stat(name)
		_, listErr := tree.ReadDir(name)
		for _, err := range []error{
			statErr, listErr, Write(t.Context(), tree, name, "", filetree.CreateOptions{}), tree.Mkdir(name), tree.Remove(name),
			tree.Rename(name, "x"), tree.Rename("a", name), tree.Chtimes(name, time.Now()), filetree.MkdirAll(tree, name),
		} {
			if err == nil {
				t.Errorf("%.40q was taken", name)
			}
		}
	}
	wantErr(t, "remove the top", tree.Remove("."), fs.ErrPermission)
	wantErr(t, "rename the top", tree.Rename(".", "x"), fs.ErrPermission)
	wantErr(t, "rename to the top", tree.Rename("a", "."), fs.ErrPermission)
	wantErr(t, "create the top", Write(t.Context(), tree, ".", "", filetree.CreateOptions{}), fs.ErrPermission)
	wantList(t, tree, ".", "a/")
	for _, name := range []string{"CON", "aux.txt", "a:b", `a\b`, "...", " ", "-r", "~", "$HOME", "*", "\u00e4", "tab\there", "nl\nhere", strings.Repeat("n", 255)} {
		err := Write(t.Context(), tree, name, name, filetree.CreateOptions{})
		if err != nil {
			if !errors.Is(err, fs.ErrInvalid) { // a system that has no such names says so
				t.Errorf("%q: %v", name, err)
			}
			continue
		}
		want(t, tree, name, name)
		must(t, tree.Remove(name))
	}
	must(t, Write(t.Context(), tree, "Case", "1", filetree.CreateOptions{}))
	if _, err := tree.Stat("case"); err == nil {
		t.Log("this disk does not tell capitals from small letters")
	}
}

func times(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	when := time.Date(1993, 3, 1, 12, 0, 0, 0, time.UTC)
	must(t, Write(t.Context(), tree, "a", "1", filetree.CreateOptions{ModTime: when}))
	must(t, tree.Mkdir("d"))
	must(t, tree.Chtimes("d", when.Add(time.Hour)))
	for name, want := range map[string]time.Time{"a": when, "d": when.Add(time.Hour)} {
		info, err := tree.Stat(name)
		must(t, err)
		if !info.ModTime().Equal(want) || info.Name() != name {
			t.Errorf("%s: %v %v, want %v", name, info.Name(), info.ModTime(), want)
		}
	}
	wantErr(t, "chtimes of nothing", tree.Chtimes("x", when), fs.ErrNotExist)
}

func limits(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{Quota: 100, MaxFile: 60, Entries: 3})
	long := strings.Repeat("x", 61)
	wantErr(t, "too large", Write(t.Context(), tree, "a", long, filetree.CreateOptions{}), filetree.ErrTooLarge)
	wantErr(t, "said too large", Write(t.Context(), tree, "a", "", filetree.CreateOptions{Size: 61}), filetree.ErrTooLarge)
	must(t, Write(t.Context(), tree, "a", long[:60], filetree.CreateOptions{Size: 60}))
	wantErr(t, "over quota", Write(t.Context(), tree, "b", long[:41], filetree.CreateOptions{}), filetree.ErrQuota)
	wantErr(t, "said over quota", Write(t.Context(), tree, "b", "", filetree.CreateOptions{Size: 41}), filetree.ErrQuota)
	u, err := tree.Create(t.Context(), "b", filetree.CreateOptions{})
	must(t, err)
	n, err := u.ReadFrom(strings.NewReader(long[:40]))
	if n != 40 || err != nil {
		t.Errorf("what fits exactly: %d %v", n, err)
	}
	_, err = u.ReadFrom(strings.NewReader("x"))
	wantErr(t, "one byte more", err, filetree.ErrQuota)
	wantErr(t, "commit after that", u.Commit(), filetree.ErrQuota)
	u, err = tree.Create(t.Context(), "b", filetree.CreateOptions{})
	must(t, err)
	_, err = u.ReadFrom(strings.NewReader(long[:60]))
	wantErr(t, "read from too much", err, filetree.ErrQuota)
	must(t, u.Abort())
	must(t, Write(t.Context(), tree, "b", long[:40], filetree.CreateOptions{}))
	must(t, tree.Remove("a"))
	must(t, Write(t.Context(), tree, "c", long[:60], filetree.CreateOptions{}))
	must(t, tree.Mkdir("d"))
	wantErr(t, "too many", tree.Mkdir("e"), filetree.ErrQuota)
	wantErr(t, "too many", Write(t.Context(), tree, "e", "", filetree.CreateOptions{}), filetree.ErrQuota)
	wantList(t, tree, ".", "b", "c", "d/")
}

func space(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{Quota: 1000})
	used := func(want int64) {
		t.Helper()
		if got, limit := tree.Space(); got != want || limit != 1000 {
			t.Errorf("%d of %d bytes used, want %d", got, limit, want)
		}
	}
	used(0)
	must(t, Write(t.Context(), tree, "a", "12345", filetree.CreateOptions{}))
	used(5)
	must(t, Write(t.Context(), tree, "a", "123", filetree.CreateOptions{}))
	used(3)
	must(t, Write(t.Context(), tree, "a", "45", filetree.CreateOptions{Append: true}))
	used(5)
	must(t, Write(t.Context(), tree, "b", "1234567", filetree.CreateOptions{}))
	used(12)
	u, err := tree.Create(t.Context(), "c", filetree.CreateOptions{})
	must(t, err)
	_, err = io.WriteString(u, "123")
	must(t, err)
	used(15)
	must(t, u.Abort())
	used(12)
	must(t, tree.Rename("a", "b"))
	used(5)
	must(t, tree.Remove("b"))
	used(0)
}

func readOnly(t *testing.T, make func(filetree.Options) filetree.Tree) {
	Unwritable(t, make(filetree.Options{ReadOnly: true}))
}

// Unwritable checks that nothing in a tree can be changed.
func Unwritable(t *testing.T, tree filetree.Tree) {
	t.Helper()
	for what, err := range map[string]error{
		"create": Write(t.Context(), tree, "x", "", filetree.CreateOptions{}), "mkdir": tree.Mkdir("x"), "remove": tree.Remove("x"),
		"rename": tree.Rename("x", "y"), "chtimes": tree.Chtimes("x", time.Now()), "chtimes of the top": tree.Chtimes(".", time.Now()),
	} {
		wantErr(t, what, err, fs.ErrPermission)
	}
}

func concurrent(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	const writers, size = 8, 50_000
	var wg sync.WaitGroup
	stop, halt := context.WithCancel(t.Context())
	for i := range writers {
		wg.Go(func() {
			for range 5 {
				content := strings.Repeat(string(rune('a'+i)), size)
				if err := Write(t.Context(), tree, "one", content, filetree.CreateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop.Done():
				return
			default:
			}
			b, err := fs.ReadFile(tree, "one")
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil || len(b) != size || len(bytes.Trim(b, string(b[:1]))) != 0 {
				t.Errorf("a mixed file of %d bytes, %v", len(b), err)
				return
			}
			for _, name := range list(t, tree, ".") {
				if name != "one" {
					t.Errorf("listed %q", name)
					return
				}
			}
		}
	})
	wg.Wait()
	halt()
	readers.Wait()
	if used, _ := tree.Space(); used != size {
		t.Errorf("%d bytes used, want %d", used, size)
	}
}

func openStays(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	must(t, Write(t.Context(), tree, "a", "old content", filetree.CreateOptions{}))
	f, err := tree.Open("a")
	must(t, err)
	defer f.Close()
	must(t, Write(t.Context(), tree, "a", "new", filetree.CreateOptions{}))
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "old content" {
		t.Errorf("what was open became %q, %v", got, err)
	}
	want(t, tree, "a", "new")
}

func testFS(t *testing.T, make func(filetree.Options) filetree.Tree) {
	tree := make(filetree.Options{})
	files := []string{}
	for d := range 3 {
		dir := fmt.Sprintf("dir%d/sub", d)
		must(t, filetree.MkdirAll(tree, dir))
		for i := range 3 {
			name := fmt.Sprintf("%s/file %d", dir, i)
			must(t, Write(t.Context(), tree, name, strings.Repeat(name, i*100), filetree.CreateOptions{}))
			files = append(files, name)
		}
	}
	u, err := tree.Create(t.Context(), "dir0/half", filetree.CreateOptions{}) // must not be seen
	must(t, err)
	defer u.Abort() //nolint:errcheck // does nothing after Commit
	if err := fstest.TestFS(tree, files...); err != nil {
		t.Error(err)
	}
	wantList(t, tree, "dir0", "sub/")
	copied := filetree.Memory(filetree.Options{})
	must(t, filetree.Copy(t.Context(), copied, tree))
	if err := fstest.TestFS(copied, files...); err != nil {
		t.Error(err)
	}
}
