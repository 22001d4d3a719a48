package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/farend-go/farend/store"
)

func revision(t *testing.T, e store.Engine) (rev store.Rev) {
	t.Helper()
	view(t, e, func(r store.Reader) error {
		rev = r.Rev()
		return nil
	})
	return rev
}

func testWatch(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	from := revision(t, e)
	put(t, e, "a/1", "x")
	var ended error
	n := 0
	for change, err := range e.Watch(ctx, []byte("a/"), from) {
		if err != nil {
			ended = err
			continue // an error is the last
		}
		n++
		if rev := revision(t, e); change.Rev != rev {
			t.Errorf("told of %d, want %d", change.Rev, rev)
		}
		switch n {
		case 1: // what was before the Watch began
			put(t, e, "a/1", "y")
		case 2:
			update(t, e, func(w store.Writer) error { return w.Delete([]byte("a/1")) })
		case 3:
			cancel()
		}
	}
	if n != 3 || !errors.Is(ended, context.Canceled) {
		t.Errorf("told %d times, then %v", n, ended)
	}
}

// Whoever watches a counter and reads it at each wake-up sees its last value,
// whenever the changes fall.
func testWatchLosesNothing(t *testing.T, e store.Engine) {
	const writers, each, watchers = 4, 20, 4
	var wg sync.WaitGroup
	from := revision(t, e)
	for range watchers {
		wg.Go(func() {
			for _, err := range e.Watch(context.Background(), []byte("n"), from) {
				if err != nil {
					t.Errorf("Watch: %v", err)
				}
				if number(t, e, "n") == writers*each {
					return
				}
			}
		})
	}
	for range writers {
		wg.Go(func() {
			for range each {
				if err := e.Update(context.Background(), func(w store.Writer) error { return count(w, "n") }); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// A watcher is not woken by others' keys, nor by Updates that failed.
func testWatchPrefix(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	put(t, e, "b", "0")
	told := make(chan store.Change)
	ready := make(chan struct{})
	from := revision(t, e)
	go func() {
		defer close(told)
		first := true
		for change, err := range e.Watch(ctx, []byte("b"), 0) {
			if err != nil {
				return
			}
			if first { // for b, which changed after 0: now it is certain that it watches
				first = false
				close(ready)
				continue
			}
			told <- change
		}
	}()
	<-ready
	for i := range 10 {
		put(t, e, fmt.Sprint("a", i), "1", "c", "2")
	}
	if err := e.Update(ctx, func(w store.Writer) error {
		return errors.Join(w.Put([]byte("b"), []byte("1")), errStop)
	}); !errors.Is(err, errStop) {
		t.Errorf("Update: %v", err)
	}
	put(t, e, "bb", "2")
	change, last := <-told, revision(t, e)
	if change.Rev != last || change.Rev < from {
		t.Errorf("told of %d, want %d", change.Rev, last)
	}
	if change.Keys != nil && !slices.Equal(change.Keys, []string{"bb"}) {
		t.Errorf("told of the keys %q", change.Keys)
	}
	cancel()
	for change := range told {
		t.Errorf("told of %d, where nothing changed", change.Rev)
	}
}
