//go:build unix

package filetree_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/filetree/treetest"
)

// locks tells whether this system has flock.
const locks = true

func names(t *testing.T, tree filetree.Tree, dir string) []string {
	t.Helper()
	entries, err := tree.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestDirLinks(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	outside := filepath.Join(t.TempDir(), "secret")
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	if err := errors.Join(os.WriteFile(outside, []byte("secret"), 0o600), os.Mkdir(filepath.Join(dir, "d"), 0o755),
		os.WriteFile(filepath.Join(dir, "d/f"), []byte("inside"), 0o600)); err != nil {
		t.Fatal(err)
	}
	link(outside, "absolute")
	link("../"+filepath.Base(filepath.Dir(outside)), "relative")
	link("..", "up")
	link("/", "root")
	link("nowhere", "dangling")
	link("loop", "loop")
	link("d/f", "file")
	link("d", "dir")
	link("../d/../d/f", "d/around")
	if got, want := names(t, tree, "."), []string{"d", "dir", "file"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := fstest.TestFS(tree, "d/f", "d/around"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"absolute", "relative/secret", "up/x", "root/etc/passwd", "dangling", "relative", "root", "up"} {
		if b, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if _, err := tree.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %s: %v", name, err)
		}
		if b := readReady(tree, name); b != "" {
			t.Errorf("%s is ready: %q", name, b)
		}
		if err := tree.Remove(name); err == nil {
			t.Errorf("%s was removed", name)
		}
		if err := tree.Rename("d/f", name+"/x"); err == nil {
			t.Errorf("moved to %s/x", name)
		}
		if err := treetest.Write(t.Context(), tree, name+"/x", "x", filetree.CreateOptions{}); err == nil {
			t.Errorf("%s/x was written", name)
		}
	}
	if err := treetest.Write(t.Context(), tree, "absolute", "new", filetree.CreateOptions{}); err != nil {
		t.Errorf("a name that is free, as far as the tree goes: %v", err)
	}
	if b, err := os.ReadFile(outside); string(b) != "secret" || err != nil {
		t.Errorf("written through a link: %q %v", b, err)
	}
	if _, err := tree.Open("loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
}

// readReady is what is ready of a file: nothing, where it cannot be told.
func readReady(tree filetree.Tree, name string) string {
	ready, ok := tree.(filetree.Ready)
	if !ok {
		return ""
	}
	buf := make([]byte, 100)
	n, _ := ready.ReadReady(name, buf) // no is an answer
	return string(buf[:n])
}

// A directory that becomes a link at any moment still leads nowhere.
func TestDirRace(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "f"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, link := filepath.Join(dir, "d"), filepath.Join(dir, "l")
	if err := errors.Join(os.Mkdir(d, 0o755), os.Symlink(out, link), os.WriteFile(filepath.Join(d, "f"), []byte("inside"), 0o600)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tmp := filepath.Join(dir, "t")
		for {
			select {
			case <-done:
				return
			default: // exchanges both names, over and over
				_ = os.Rename(d, tmp)
				_ = os.Rename(link, d)
				_ = os.Rename(d, link)
				_ = os.Rename(tmp, d)
			}
		}
	})
	for range 2000 {
		if b, err := fs.ReadFile(tree, "d/f"); err == nil && string(b) != "inside" {
			t.Errorf("read %q", b)
		}
		if b := readReady(tree, "d/f"); b != "" && b != "inside" {
			t.Errorf("ready: %q", b)
		}
		_ = treetest.Write(t.Context(), tree, "d/new", "x", filetree.CreateOptions{})
	}
	close(done)
	wg.Wait()
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 1 {
		t.Errorf("something got out: %v %v", entries, err)
	}
}

func TestDirHidesWhatIsNoFile(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	if l, err := net.Listen("unix", filepath.Join(dir, "sock")); err == nil {
		defer l.Close()
	}
	latin := filepath.Join(dir, "caf\xe9")
	if err := os.WriteFile(latin, nil, 0o600); err != nil {
		t.Logf("this disk takes UTF-8 only: %v", err)
	}
	if got := names(t, tree, "."); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"pipe", "sock"} { // an open that waits would hang here
		if f, err := tree.Open(name); err == nil {
			f.Close()
			t.Errorf("%s was opened", name)
		}
		if err := tree.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("remove %s: %v", name, err)
		}
	}
}

// What the system says stays in the error.
func TestDirKeepsErrno(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	tree, dir := onDisk(t, filetree.Options{})
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	err := treetest.Write(t.Context(), tree, "a", "", filetree.CreateOptions{})
	if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), ".filetree") {
		t.Error(err)
	}
}

// A reader that fails is no fault of the disk: what came may still be kept.
func TestReadFromTellsWhoFailed(t *testing.T) {
	tree, _ := onDisk(t, filetree.Options{})
	u, err := tree.Create(t.Context(), "a", filetree.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	n, err := u.ReadFrom(io.MultiReader(strings.NewReader("came"), failing{}))
	if n != 4 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d %v", n, err)
	}
	if err := u.Commit(); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
