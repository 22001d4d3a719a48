package filetree_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/filetree/treetest"
)

// onDisk is a tree in a new directory.
func onDisk(t *testing.T, o filetree.Options) (tree filetree.Tree, dir string) {
	t.Helper()
	dir = t.TempDir()
	return reopen(t, dir, o), dir
}

func reopen(t *testing.T, dir string, o filetree.Options) filetree.Tree {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	tree, err := filetree.Dir(root, o)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestDir(t *testing.T) {
	treetest.Test(t, func(t *testing.T, o filetree.Options) filetree.Tree {
		tree, _ := onDisk(t, o)
		return tree
	})
}

func TestMemory(t *testing.T) {
	treetest.Test(t, func(_ *testing.T, o filetree.Options) filetree.Tree { return filetree.Memory(o) })
}

func TestFS(t *testing.T) {
	files := fstest.MapFS{
		"a.txt": {Data: []byte("a")}, "d/e/b.txt": {Data: []byte("b")}, "pipe": {Mode: fs.ModeNamedPipe},
	}
	tree := filetree.FS(files)
	if err := fstest.TestFS(tree, "a.txt", "d/e/b.txt"); err != nil {
		t.Error(err)
	}
	treetest.Unwritable(t, tree)
	if _, err := tree.Open("pipe"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a pipe: %v", err)
	}
	for _, name := range treetest.Hostile() {
		if f, err := tree.Open(name); err == nil {
			f.Close()
			t.Errorf("open %q", name)
		}
	}
	if used, limit := tree.Space(); used != -1 || limit != 0 {
		t.Errorf("space %d %d", used, limit)
	}
}

func TestSampleIsATree(t *testing.T) {
	for _, o := range []filetree.Options{{}, {ReadOnly: true}} {
		tree, err := filetree.Sample(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(tree, "README.txt", "pictures/dot.gif"); err != nil {
			t.Error(err)
		}
		if o.ReadOnly {
			treetest.Unwritable(t, tree)
		} else if err := treetest.Write(t.Context(), tree, "docs/x", "x", filetree.CreateOptions{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := filetree.Sample(filetree.Options{Quota: 10}); !errors.Is(err, filetree.ErrQuota) {
		t.Errorf("a sample in 10 bytes: %v", err)
	}
}

// A *os.File is what lets the kernel send it.
func TestDirGivesFiles(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := tree.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("%T", f)
	}
}

func TestDirCountsWhatIsThere(t *testing.T) {
	_, dir := onDisk(t, filetree.Options{})
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "d/e"), 0o755),
		os.WriteFile(filepath.Join(dir, "d/e/f"), []byte("12345"), 0o600),
		os.WriteFile(filepath.Join(dir, "g"), []byte("123"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	tree := reopen(t, dir, filetree.Options{Quota: 10, Entries: 5})
	if used, limit := tree.Space(); used != 8 || limit != 10 {
		t.Errorf("%d of %d", used, limit)
	}
	if err := errors.Join(tree.Mkdir("x"), tree.Mkdir("y")); !errors.Is(err, filetree.ErrQuota) {
		t.Errorf("the fifth and sixth entry: %v", err)
	}
	if used, _ := reopen(t, dir, filetree.Options{ReadOnly: true}).Space(); used != -1 {
		t.Errorf("a read-only tree counted %d", used)
	}
}

// parts lists the hidden files of a directory.
func parts(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, ".filetree-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Another that opens the directory takes away what a crash left there, not
// what somebody writes.
func TestDirLeftovers(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	if err := tree.Mkdir("d"); err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "d")
	u, err := tree.Create(t.Context(), "d/a", filetree.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if got := parts(t, sub); len(got) != 1 {
		t.Fatalf("%q", got)
	}
	left := filepath.Join(sub, ".filetree-LEFT.part")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := parts(t, sub)
	second := reopen(t, dir, filetree.Options{})
	if _, err := os.Stat(left); err == nil && locks {
		t.Errorf("%q stayed, of %q", left, old)
	}
	if used, _ := second.Space(); used != 0 {
		t.Errorf("%d bytes counted", used)
	}
	if err := tree.Remove("d"); !errors.Is(err, filetree.ErrNotEmpty) {
		t.Errorf("a directory with an upload in it was removed: %v", err)
	}
	if err := u.Commit(); err != nil {
		t.Errorf("the upload was taken away: %v", err)
	}
}

// Whatever fails, no hidden file stays.
func TestDirLeavesNothing(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{Quota: 5})
	err := treetest.Write(t.Context(), tree, "a", "123456", filetree.CreateOptions{})
	if !errors.Is(err, filetree.ErrQuota) {
		t.Error(err)
	}
	u, err := tree.Create(t.Context(), "a", filetree.CreateOptions{IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if err := treetest.Write(t.Context(), tree, "a", "", filetree.CreateOptions{Offset: 3}); !errors.Is(err, filetree.ErrOffset) {
		t.Error(err)
	}
	if got := parts(t, dir); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

// FuzzNames holds a tree on disk against one in memory: whatever a name is,
// both take it or both refuse it, and nothing appears outside.
func FuzzNames(f *testing.F) {
	for _, name := range append(treetest.Hostile(), "a", "a/b", "CON", "d/x", "d/../x") {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		outer := t.TempDir()
		inner := filepath.Join(outer, "in")
		if err := os.Mkdir(inner, 0o700); err != nil {
			t.Fatal(err)
		}
		disk, mem := reopen(t, inner, filetree.Options{}), filetree.Memory(filetree.Options{})
		for _, tree := range []filetree.Tree{disk, mem} {
			if err := tree.Mkdir("d"); err != nil {
				t.Fatal(err)
			}
		}
		diskErr := treetest.Write(t.Context(), disk, name, "x", filetree.CreateOptions{})
		memErr := treetest.Write(t.Context(), mem, name, "x", filetree.CreateOptions{})
		if (diskErr == nil) != (memErr == nil) && !strings.ContainsAny(name, `\:`) && os.PathSeparator == '/' {
			t.Errorf("%q: on disk %v, in memory %v", name, diskErr, memErr)
		}
		entries, err := os.ReadDir(outer)
		if err != nil || len(entries) != 1 {
			t.Errorf("%q got out: %v %v", name, entries, err)
		}
		if diskErr == nil {
			b, err := fs.ReadFile(disk, name)
			if err != nil || string(b) != "x" {
				t.Errorf("%q: %q %v", name, b, err)
			}
		}
	})
}
