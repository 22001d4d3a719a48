package filetree_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/filetree/treetest"
)

// A full disk is told as such, and leaves nothing behind.
func TestDirFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=65536"); err != nil {
		t.Skipf("a small disk needs mount(2): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	tree := reopen(t, dir, filetree.Options{})
	for name, write := range map[string]func(filetree.Upload) error{
		"Write": func(u filetree.Upload) error { _, err := u.Write(make([]byte, 100_000)); return err },
		"ReadFrom": func(u filetree.Upload) error {
			_, err := u.ReadFrom(strings.NewReader(strings.Repeat("x", 100_000)))
			return err
		},
	} {
		u, err := tree.Create(t.Context(), "a", filetree.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := write(u); !errors.Is(err, syscall.ENOSPC) || err.Error() != "write a: no space left on device" {
			t.Errorf("%s: %v", name, err)
		}
		if err := u.Commit(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: commit of half a file: %v", name, err)
		}
		if got := parts(t, dir); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
		if used, _ := tree.Space(); used != 0 {
			t.Errorf("%d bytes counted", used)
		}
	}
	if err := treetest.Write(t.Context(), tree, "a", "small", filetree.CreateOptions{}); err != nil {
		t.Error(err)
	}
}

// What was just read is ready; a pipe, a directory, a hidden upload and what is
// not there never are, and nothing waits for the other end of a pipe.
func TestDirReady(t *testing.T) {
	tree, dir := onDisk(t, filetree.Options{})
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "a/b"), 0o755), os.Symlink("b", filepath.Join(dir, "a/link")),
		os.WriteFile(filepath.Join(dir, "a/b/f"), []byte("content"), 0o600), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "a", ".", "none", "a/../a/b/f", "/a/b/f", ".filetree-x.part", "a/b/f\x00"} {
		if b := readReady(tree, name); b != "" {
			t.Errorf("%s: %q", name, b)
		}
	}
	for _, name := range []string{"a/b/f", "a/link/f"} {
		if b, err := fs.ReadFile(tree, name); string(b) != "content" || err != nil {
			t.Fatalf("%q, %v", b, err)
		}
		switch n, err := tree.(filetree.Ready).ReadReady(name, make([]byte, 7)); {
		case errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EINVAL):
			t.Skip("nothing is ever ready on this system: ", err)
		case n != 7 || err != nil:
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}
