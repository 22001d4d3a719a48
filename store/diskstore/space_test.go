package diskstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/farend-go/farend/store"
)

func body(n, size int) []byte { return bytes.Repeat([]byte{byte(n)}, size) }

// keep writes a blob and keeps it.
func keep(t *testing.T, e *Engine, body []byte) store.Ref {
	t.Helper()
	w, ref := finish(t, e, body)
	defer w.Close()
	if err := e.Update(t.Context(), func(w store.Writer) error { return w.Keep(ref) }); err != nil {
		t.Fatal(err)
	}
	return ref
}

func finish(t *testing.T, e *Engine, body []byte) (store.BlobWriter, store.Ref) {
	t.Helper()
	w, err := e.Blobs().Create(t.Context(), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	ref, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return w, ref
}

func drop(t *testing.T, e *Engine, refs ...store.Ref) {
	t.Helper()
	err := e.Update(t.Context(), func(w store.Writer) error {
		for _, ref := range refs {
			if err := w.Drop(ref); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(e *Engine, ref store.Ref) ([]byte, error) {
	b, err := e.Blobs().Open(context.Background(), ref)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(b)
}

// files counts the segments and their bytes.
func files(t *testing.T, dir string) (n int, size int64) {
	t.Helper()
	for _, suffix := range []string{suffixShared, suffixOwn} {
		names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			n++
			size += info.Size()
		}
	}
	return n, size
}

// Segments go when all their blobs are dropped, a large blob's at once.
func TestSpaceOfDropped(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{SegmentSize: 20_000})
	defer e.Close()
	var refs []store.Ref
	for i := range 40 {
		refs = append(refs, keep(t, e, body(i, 2000)))
	}
	large := keep(t, e, body(7, small+1))
	if n, _ := files(t, dir); n != 5 {
		t.Errorf("%d segments", n)
	}
	drop(t, e, large)
	drop(t, e, refs...)
	if n, _ := files(t, dir); n != 1 {
		t.Errorf("%d segments after all was dropped, want the active one", n)
	}
}

// What is left of mostly dropped segments is moved, and reads the same.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{SegmentSize: 20_000})
	e.compactor.stop() // the test does its work
	refs := map[int]store.Ref{}
	for i := range 100 {
		refs[i] = keep(t, e, body(i, 2000))
	}
	open, err := e.Blobs().Open(t.Context(), keep(t, e, body(200, 50_000)))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for i := range 100 {
		if i%5 > 0 {
			drop(t, e, refs[i])
			delete(refs, i)
		}
	}
	_, before := files(t, dir)
	for number, ok := e.segments.sparse(); ok; number, ok = e.segments.sparse() {
		if err := e.compact(t.Context(), number); err != nil {
			t.Fatal(err)
		}
	}
	if _, after := files(t, dir); after > before/2 {
		t.Errorf("%d bytes were compacted to %d", before, after)
	}
	for range 2 { // and once more after it was opened again
		for i, ref := range refs {
			if got, err := read(e, ref); err != nil || !bytes.Equal(got, body(i, 2000)) {
				t.Errorf("blob %d after compaction: %d bytes, %v", i, len(got), err)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		e = openTest(t, dir, Options{})
	}
	if got, err := io.ReadAll(open); err != nil || !bytes.Equal(got, body(200, 50_000)) {
		t.Errorf("a reader that was open all the time: %d bytes, %v", len(got), err)
	}
	e.Close()
}

// What nobody kept goes, at the latest when the directory is opened again.
func TestSpaceOfNotKept(t *testing.T) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	kept := keep(t, e, body(1, 3000))
	_, before := files(t, dir)
	finish(t, e, body(2, 5000)) // and its process dies here
	finish(t, e, body(3, small+1))
	if w, _ := finish(t, e, body(4, small+2)); w.Close() != nil {
		t.Error("Close")
	}
	if n, _ := files(t, dir); n != 2 {
		t.Errorf("%d segments: a large blob that is thrown away goes at once", n)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	e = openTest(t, dir, Options{})
	defer e.Close()
	if n, after := files(t, dir); n != 1 || after != before {
		t.Errorf("opened again: %d segments of %d bytes, want 1 of %d", n, after, before)
	}
	if got, err := read(e, kept); err != nil || !bytes.Equal(got, body(1, 3000)) {
		t.Errorf("what was kept: %d bytes, %v", len(got), err)
	}
}

// A flipped bit anywhere in a blob is found, and found by those alone who read
// it.
func TestDamage(t *testing.T) {
	for _, size := range []int{5000, 3*chunk + 7, small + 10} {
		for _, at := range []int64{0, int64(size) / 2, int64(size) - 1, int64(size)} {
			t.Run(fmt.Sprint(size, "/", at), func(t *testing.T) { damage(t, size, at) })
		}
	}
}

func damage(t *testing.T, size int, at int64) {
	dir := t.TempDir()
	e := openTest(t, dir, Options{})
	ref := keep(t, e, body(5, size))
	other := keep(t, e, body(6, 100))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "0000000000000001"+suffixShared)
	if size > small {
		name = filepath.Join(dir, "0000000000000001"+suffixOwn)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	f.Close()

	e = openTest(t, dir, Options{})
	defer e.Close()
	if got, err := read(e, ref); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if got, err := read(e, other); err != nil || len(got) != 100 {
		t.Errorf("the blob beside it: %d bytes, %v", len(got), err)
	}
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := read(e, ref); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("without its bytes: %v", err)
	}
}
