package filetree_test

import (
	"errors"
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
