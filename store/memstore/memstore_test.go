package memstore_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
	"github.com/farend-go/farend/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngine(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Engine { return memstore.New(memstore.Options{}) })
}

// Running everything twice makes no difference.
func TestRerun(t *testing.T) {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	runs := 0
	err := storetest.Rerun(e).Update(t.Context(), func(w store.Writer) error {
		runs++
		if _, err := w.Get([]byte("a")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("run %d sees what the one before wrote: %v", runs, err)
		}
		return w.Put([]byte("a"), nil)
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

// What a limited engine is given and told to forget makes room again.
func TestLimit(t *testing.T) {
	e := memstore.New(memstore.Options{Limit: 1000})
	defer e.Close()
	ctx := context.Background()
	for range 10 {
		w, err := e.Blobs().Create(ctx, 600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 600)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 600)); !errors.Is(err, store.ErrFull) {
			t.Fatalf("twice as much as there is room for: %v", err)
		}
		ref, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		put := func(n int) error {
			return e.Update(ctx, func(w store.Writer) error {
				return errors.Join(w.Keep(ref), w.Put([]byte("key"), make([]byte, n)))
			})
		}
		if err := put(398); !errors.Is(err, store.ErrFull) {
			t.Fatalf("one byte too many: %v", err)
		}
		if err := put(397); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		err = e.Update(ctx, func(w store.Writer) error { return errors.Join(w.Drop(ref), w.Delete([]byte("key"))) })
		if err != nil {
			t.Fatal(err)
		}
	}
}
