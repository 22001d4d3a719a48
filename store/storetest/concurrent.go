package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/farend-go/farend/store"
)

// count adds one to the number at key.
func count(w store.Writer, key string) error {
	v, err := w.Get([]byte(key))
	switch {
	case errors.Is(err, store.ErrNotFound):
		v = make([]byte, 8)
	case err != nil:
		return err
	}
	return w.Put([]byte(key), binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(v)+1))
}

func number(t *testing.T, e store.Engine, key string) uint64 {
	t.Helper()
	v := get(t, e, key)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(v))
}

// Writers to one key lose none of their changes, and those that fail among
// them change nothing.
func testManyWriters(t *testing.T, e store.Engine) {
	const writers, each = 32, 20
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				err := e.Update(context.Background(), func(w store.Writer) error {
					if err := count(w, "n"); err != nil {
						return err
					}
					if err := w.Put(fmt.Appendf(nil, "%d/%d", i, n), nil); err != nil {
						return err
					}
					if n%5 == 4 {
						return errStop
					}
					return nil
				})
				if n%5 == 4 != errors.Is(err, errStop) {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := number(t, e, "n"); got != writers*each*4/5 {
		t.Errorf("counted %d, want %d", got, writers*each*4/5)
	}
}

// A View runs while an Update does, and an Update while a View does.
func testViewsAndUpdates(t *testing.T, e store.Engine) {
	put(t, e, "a", "1")
	update(t, e, func(w store.Writer) error {
		done := make(chan string, 1)
		go func() {
			defer close(done)
			done <- get(t, e, "a")
		}()
		if got := <-done; got != "1" {
			t.Errorf("a View during an Update saw %q", got)
		}
		return w.Put([]byte("a"), []byte("2"))
	})
	if runtime.GOOS == "windows" || math.MaxInt == math.MaxInt32 {
		t.Skip("a mapped file cannot grow here while it is read")
	}
	view(t, e, func(r store.Reader) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 20 { // enough for a file to grow
				put(t, e, "a", "3", fmt.Sprint("ballast", i), string(make([]byte, store.MaxValue)))
			}
		}()
		<-done
		if v, err := r.Get([]byte("a")); err != nil || string(v) != "2" {
			t.Errorf("a View saw an Update that came after it: %q, %v", v, err)
		}
		return nil
	})
	if got := get(t, e, "a"); got != "3" {
		t.Errorf("the Update during a View wrote %q", got)
	}
}

// Every View sees an Update whole or not at all, and never an older state than
// one before it saw.
func testViewsSeeMoments(t *testing.T, e store.Engine) {
	const rounds = 20
	put(t, e, "a", "0", "z", "0")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			var last store.Rev
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := e.View(context.Background(), func(r store.Reader) error {
					a, err1 := r.Get([]byte("a"))
					z, err2 := r.Get([]byte("z"))
					if string(a) != string(z) || r.Rev() < last {
						t.Errorf("a View saw %s and %s, revision %d after %d", a, z, r.Rev(), last)
					}
					last = r.Rev()
					return errors.Join(err1, err2)
				})
				if err != nil {
					t.Errorf("View: %v", err)
					return
				}
			}
		})
	}
	for i := range rounds {
		put(t, e, "a", fmt.Sprint(i), "z", fmt.Sprint(i))
	}
	close(stop)
	wg.Wait()
}

func testCancelled(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	touch := func(w store.Writer) error { return w.Put([]byte("a"), []byte("1")) }
	if err := e.Update(ctx, touch); !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	if err := e.View(ctx, func(store.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	if _, err := e.Blobs().Create(ctx, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("Create: %v", err)
	}
	if _, err := e.Blobs().Open(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	if got := get(t, e, "a"); got != "(none)" {
		t.Errorf("a cancelled Update wrote %q", got)
	}
}

// An Update that waits for its turn gives up with its context, and has not
// happened.
func testCancelledInQueue(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const waiting = 5
	ended := make(chan error, waiting)
	update(t, e, func(w store.Writer) error {
		for range waiting {
			go func() { ended <- e.Update(ctx, func(w store.Writer) error { return w.Put([]byte("a"), nil) }) }()
		}
		cancel()
		for range waiting {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("Update: %v", err)
			}
		}
		return w.Put([]byte("b"), nil)
	})
	view(t, e, func(r store.Reader) error {
		same(t, "left", list(r, "", "", false), []string{"b="})
		return nil
	})
}

func testClosed(t *testing.T, e store.Engine) {
	if err := add(context.Background(), e, "a", pattern(1, 100), nothing); err != nil {
		t.Fatal(err)
	}
	ref := store.Ref(get(t, e, "a"))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	_, created := e.Blobs().Create(context.Background(), -1)
	_, opened := e.Blobs().Open(context.Background(), ref)
	var watched error
	for _, watched = range e.Watch(context.Background(), nil, 0) {
		if watched == nil {
			t.Error("Watch yields a change after Close")
			break
		}
	}
	for what, err := range map[string]error{
		"View":   e.View(context.Background(), func(store.Reader) error { return nil }),
		"Update": e.Update(context.Background(), nothing),
		"Create": created, "Open": opened, "Watch": watched,
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

// Close comes after the calls that run, and ends every Watch.
func testCloseWaits(t *testing.T, e store.Engine) {
	put(t, e, "a", "1")
	var from store.Rev
	view(t, e, func(r store.Reader) error {
		from = r.Rev()
		return nil
	})
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		view(t, e, func(r store.Reader) error {
			close(inside)
			<-leave
			if v, err := r.Get([]byte("a")); err != nil || string(v) != "1" {
				t.Errorf("a View that runs while the engine is closed: %q, %v", v, err)
			}
			return nil
		})
	})
	wg.Go(func() {
		for _, err := range e.Watch(context.Background(), nil, from) {
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("Watch: %v", err)
			}
			close(leave) // Close has begun, and the View still runs
		}
	})
	<-inside
	if err := e.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
}
