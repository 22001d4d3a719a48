package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/farend-go/farend/store"
)

func testBlobLife(t *testing.T, e store.Engine) {
	body := pattern(1, 5000)
	w, ref, err := write(e, body)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	gone(t, e, ref) // finished, not kept
	update(t, e, func(w store.Writer) error { return w.Keep(ref) })
	if err := holds(e, ref, body); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if err := holds(e, ref, body); err != nil {
		t.Errorf("after its writer was closed: %v", err)
	}
	update(t, e, func(w store.Writer) error { return w.Drop(ref) })
	gone(t, e, ref)
	for what, f := range map[string]func(w store.Writer) error{
		"Keep": func(w store.Writer) error { return w.Keep(ref) },
		"Drop": func(w store.Writer) error { return w.Drop(ref) },
	} {
		if err := e.Update(context.Background(), f); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of a blob that is gone: %v", what, err)
		}
	}
	gone(t, e, "")
	gone(t, e, "no such blob, and no Ref either")
}

func testBlobNotKept(t *testing.T, e store.Engine) {
	w, ref, err := write(e, pattern(1, 5000))
	if err != nil {
		t.Fatal(err)
	}
	err = e.Update(context.Background(), func(w store.Writer) error { return errors.Join(w.Keep(ref), errStop) })
	if !errors.Is(err, errStop) {
		t.Errorf("Update: %v", err)
	}
	gone(t, e, ref)
	update(t, e, func(w store.Writer) error { return errors.Join(w.Keep(ref), w.Drop(ref)) })
	gone(t, e, ref)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	gone(t, e, ref)
	if err := e.Update(context.Background(), func(w store.Writer) error { return w.Keep(ref) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Keep after the writer was closed: %v", err)
	}

	half, err := e.Blobs().Create(context.Background(), -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.Write(pattern(2, 100)); err != nil {
		t.Error(err)
	}
	if err := half.Close(); err != nil {
		t.Errorf("Close without Finish: %v", err)
	}
	if _, err := half.Write([]byte("x")); err == nil {
		t.Error("a closed writer takes more")
	}
	if _, err := half.Finish(); err == nil {
		t.Error("a closed writer can be finished")
	}
}

// sizes are those where a buffer, a page or a block ends.
var sizes = []int{0, 1, 4095, 4096, 4097, 1<<15 - 1, 1 << 15, 1<<15 + 1, 1 << 16, 200_000, 1<<18 + 1, 3_000_000}

func testBlobSizes(t *testing.T, e store.Engine) {
	for i, size := range sizes {
		body := pattern(i, size)
		if err := add(context.Background(), e, fmt.Sprint(size), body, nothing); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if err := readAt(e, store.Ref(get(t, e, fmt.Sprint(size))), body); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for i, size := range sizes { // they do not write over each other
		if err := holds(e, store.Ref(get(t, e, fmt.Sprint(size))), pattern(i, size)); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// readAt reads parts of a blob.
func readAt(e store.Engine, ref store.Ref, body []byte) error {
	b, err := e.Blobs().Open(context.Background(), ref)
	if err != nil {
		return err
	}
	defer b.Close()
	if b.Size() != int64(len(body)) {
		return fmt.Errorf("a Size of %d", b.Size())
	}
	for _, part := range [][2]int{{0, 1}, {0, len(body)}, {len(body) / 2, 100}, {len(body) - 1, 1}, {32_760, 20}, {100, 70_000}} {
		off, n := part[0], part[1]
		if off < 0 || off > len(body) {
			continue
		}
		want := body[off:min(off+n, len(body))]
		got := make([]byte, n)
		k, err := b.ReadAt(got, int64(off))
		if !bytes.Equal(got[:k], want) {
			return fmt.Errorf("ReadAt(%d bytes, %d) gave %d, or other ones", n, off, k)
		}
		if k < n && err != io.EOF || k == n && err != nil && err != io.EOF {
			return fmt.Errorf("ReadAt(%d bytes, %d): %d, %w", n, off, k, err)
		}
	}
	if k, err := b.ReadAt(make([]byte, 1), int64(len(body))); k != 0 || err != io.EOF {
		return fmt.Errorf("ReadAt beyond the end: %d, %w", k, err)
	}
	return nil
}

// A blob goes with its last holder.
func testBlobHolders(t *testing.T, e store.Engine) {
	body := pattern(7, 10_000)
	w, ref, err := write(e, body)
	if err != nil {
		t.Fatal(err)
	}
	update(t, e, func(w store.Writer) error { return w.Keep(ref) })
	update(t, e, func(w store.Writer) error { return w.Drop(ref) })
	update(t, e, func(w store.Writer) error { return errors.Join(w.Keep(ref), w.Keep(ref)) }) // its writer still has it
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	update(t, e, func(w store.Writer) error { return w.Drop(ref) })
	if err := holds(e, ref, body); err != nil {
		t.Errorf("with one holder of two: %v", err)
	}
	update(t, e, func(w store.Writer) error { return errors.Join(w.Drop(ref), w.Keep(ref)) })
	if err := holds(e, ref, body); err != nil {
		t.Errorf("dropped and kept in one Update: %v", err)
	}
	err = e.Update(context.Background(), func(w store.Writer) error { return errors.Join(w.Drop(ref), errStop) })
	if !errors.Is(err, errStop) {
		t.Errorf("Update: %v", err)
	}
	if err := holds(e, ref, body); err != nil {
		t.Errorf("dropped by an Update that failed: %v", err)
	}
	err = e.Update(context.Background(), func(w store.Writer) error {
		if err := w.Drop(ref); err != nil {
			return err
		}
		return w.Drop(ref)
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("more dropped than held: %v", err)
	}
	update(t, e, func(w store.Writer) error { return w.Drop(ref) })
	gone(t, e, ref)
}

// An open reader goes on reading what was dropped.
func testBlobDroppedWhileOpen(t *testing.T, e store.Engine) {
	for i, size := range []int{5000, 1 << 20} {
		body := pattern(3, size)
		key := fmt.Sprint(i)
		if err := add(context.Background(), e, key, body, nothing); err != nil {
			t.Fatal(err)
		}
		ref := store.Ref(get(t, e, key))
		b, err := e.Blobs().Open(context.Background(), ref)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 10)
		if _, err := io.ReadFull(b, first); err != nil {
			t.Error(err)
		}
		update(t, e, func(w store.Writer) error { return w.Drop(ref) })
		gone(t, e, ref)
		rest, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(append(first, rest...), body) {
			t.Errorf("%d bytes, dropped while open: %d came, %v", size, len(rest)+10, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		gone(t, e, ref)
	}
}

// One who has opened a blob and reads no further stalls nobody.
func testSlowReader(t *testing.T, e store.Engine) {
	body := pattern(5, 2_000_000)
	if err := add(context.Background(), e, "slow", body, nothing); err != nil {
		t.Fatal(err)
	}
	b, err := e.Blobs().Open(context.Background(), store.Ref(get(t, e, "slow")))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	first := make([]byte, 1)
	if _, err := b.Read(first); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := add(context.Background(), e, fmt.Sprint(i), pattern(i, 50_000), func(w store.Writer) error {
			return w.Put([]byte("ballast"), make([]byte, store.MaxValue))
		}); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(append(first, rest...), body) {
		t.Errorf("the slow reader got %d bytes, %v", len(rest)+1, err)
	}
}
