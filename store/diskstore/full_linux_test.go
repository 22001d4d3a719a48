package diskstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/store"
)

// fullDir is the variable that makes a process the one that fills a disk: where
// to mount it.
const fullDir = "FAREND_DISKSTORE_FULL"

// A file system without room refuses an Update and leaves the engine in order,
// wherever in its files the room runs out. The file system is a small one in
// memory, in a mount namespace of a process of its own.
func TestFullFileSystem(t *testing.T) {
	if dir := os.Getenv(fullDir); dir != "" {
		fill(t, dir)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Skipf("no binary to start: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestFullFileSystem$", "-test.v")
	cmd.Env = append(os.Environ(), fullDir+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("no user namespace: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func fill(t *testing.T, dir string) {
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no file system to fill: %v", err)
	}
	for _, size := range []int{100, 60_000, small + 1} { // the index first, or the segments
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			sub := fmt.Sprint(dir, "/", size)
			e := openTest(t, sub, Options{SegmentSize: 100_000})
			var refs []store.Ref
			for {
				ref, err := fillOne(e, len(refs), size)
				if errors.Is(err, store.ErrFull) {
					break
				}
				if err != nil {
					t.Fatalf("after %d: %v", len(refs), err)
				}
				refs = append(refs, ref)
			}
			for i, ref := range refs {
				if got, err := read(e, ref); err != nil || len(got) != size || got[0] != byte(i) {
					t.Fatalf("blob %d of %d: %d bytes, %v", i, len(refs), len(got), err)
				}
			}
			if err := e.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			e = openTest(t, sub, Options{})
			for i, ref := range refs {
				if got, err := read(e, ref); err != nil || len(got) != size || got[0] != byte(i) {
					t.Fatalf("opened again, blob %d of %d: %d bytes, %v", i, len(refs), len(got), err)
				}
			}
			e.Close()
			if err := os.RemoveAll(sub); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func fillOne(e *Engine, n, size int) (store.Ref, error) {
	ctx, key := context.Background(), fmt.Appendf(nil, "%08d", n)
	w, err := e.Blobs().Create(ctx, int64(size))
	if err != nil {
		return "", err
	}
	defer w.Close()
	if _, err := w.Write(body(n, size)); err != nil {
		return "", err
	}
	ref, err := w.Finish()
	if err != nil {
		return "", err
	}
	return ref, e.Update(ctx, func(w store.Writer) error {
		return errors.Join(w.Keep(ref), w.Put(key, make([]byte, 2000)))
	})
}
