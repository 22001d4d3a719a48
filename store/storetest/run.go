package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/farend-go/farend/store"
)

// Run tests the engines that open makes: each an empty one, closed by the
// suite.
func Run(t *testing.T, open func(t *testing.T) store.Engine) {
	tests := []struct {
		name string
		test func(t *testing.T, e store.Engine)
	}{
		{"Order", testOrder},
		{"OrderInUpdate", testOrderInUpdate},
		{"Atomic", testAtomic},
		{"ReadYourWrites", testReadYourWrites},
		{"Panic", testPanic},
		{"Rev", testRev},
		{"Limits", testLimits},
		{"Copies", testCopies},
		{"BlobLife", testBlobLife},
		{"BlobNotKept", testBlobNotKept},
		{"BlobSizes", testBlobSizes},
		{"BlobHolders", testBlobHolders},
		{"BlobDroppedWhileOpen", testBlobDroppedWhileOpen},
		{"SlowReader", testSlowReader},
		{"ManyWriters", testManyWriters},
		{"ViewsAndUpdates", testViewsAndUpdates},
		{"ViewsSeeMoments", testViewsSeeMoments},
		{"Cancelled", testCancelled},
		{"CancelledInQueue", testCancelledInQueue},
		{"Watch", testWatch},
		{"WatchLosesNothing", testWatchLosesNothing},
		{"WatchPrefix", testWatchPrefix},
		{"Model", testModel},
		{"Closed", testClosed},
		{"CloseWaits", testCloseWaits},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := open(t)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			tt.test(t, e)
		})
	}
}

// errStop is what the functions of the suite fail with, when they do.
var errStop = errors.New("storetest: stop")

func update(t *testing.T, e store.Engine, f func(w store.Writer) error) {
	t.Helper()
	if err := e.Update(context.Background(), f); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t *testing.T, e store.Engine, f func(r store.Reader) error) {
	t.Helper()
	if err := e.View(context.Background(), f); err != nil {
		t.Fatalf("View: %v", err)
	}
}

func put(t *testing.T, e store.Engine, pairs ...string) {
	t.Helper()
	update(t, e, func(w store.Writer) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := w.Put([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
}

// get gives the value at key, or the error's text.
func get(t *testing.T, e store.Engine, key string) (value string) {
	t.Helper()
	view(t, e, func(r store.Reader) error {
		v, err := r.Get([]byte(key))
		value = string(v)
		if errors.Is(err, store.ErrNotFound) {
			value = "(none)"
			return nil
		}
		return err
	})
	return value
}

// list gives the pairs of a range as key=value.
func list(r store.Reader, from, to string, down bool) []string {
	bound := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	walk := r.Ascend
	if down {
		walk = r.Descend
	}
	var out []string
	for k, v := range walk(bound(from), bound(to)) {
		out = append(out, fmt.Sprintf("%s=%s", k, v))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// pattern makes a body that can be told from the bodies of other seeds, and
// its places from each other.
func pattern(seed, size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(seed*31 + i + i>>8 + i>>16)
	}
	return out
}

// write makes a blob and finishes it.
func write(e store.Engine, body []byte) (store.BlobWriter, store.Ref, error) {
	w, err := e.Blobs().Create(context.Background(), int64(len(body)))
	if err != nil {
		return nil, "", err
	}
	for part := range slices.Chunk(body, 10_000) {
		if _, err := w.Write(part); err != nil {
			return nil, "", errors.Join(err, w.Close())
		}
	}
	ref, err := w.Finish()
	if err != nil {
		return nil, "", errors.Join(err, w.Close())
	}
	return w, ref, nil
}

// add writes a blob and keeps it at key, in an Update that also runs f.
func add(ctx context.Context, e store.Engine, key string, body []byte, f func(store.Writer) error) error {
	w, ref, err := write(e, body)
	if err != nil {
		return err
	}
	err = e.Update(ctx, func(w store.Writer) error {
		if err := w.Put([]byte(key), []byte(ref)); err != nil {
			return err
		}
		if err := w.Keep(ref); err != nil {
			return err
		}
		return f(w)
	})
	return errors.Join(err, w.Close())
}

func nothing(store.Writer) error { return nil }

// read opens a blob and reads all of it.
func read(e store.Engine, ref store.Ref) ([]byte, error) {
	b, err := e.Blobs().Open(context.Background(), ref)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(b)
	if int64(len(body)) != b.Size() && err == nil {
		err = fmt.Errorf("a Size of %d, read %d", b.Size(), len(body))
	}
	return body, errors.Join(err, b.Close())
}

// holds checks that a blob is there and is body.
func holds(e store.Engine, ref store.Ref, body []byte) error {
	got, err := read(e, ref)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, body) {
		return fmt.Errorf("a blob of %d bytes came back otherwise (%d bytes)", len(body), len(got))
	}
	return nil
}

// gone checks that a blob is not there.
func gone(t *testing.T, e store.Engine, ref store.Ref) {
	t.Helper()
	if b, err := e.Blobs().Open(context.Background(), ref); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Open of a blob that is not held: %v, %v", b, err)
	}
}
