// Package watch wakes those who wait for changes below a prefix of keys. It is
// the heir of the condition variable (threading.Condition), with many
// conditions and none of its lost or needless wake-ups.
package watch

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/farend-go/farend/store"
)

// A Hub knows who waits for what. Its zero value is ready; its methods may be
// called concurrently.
type Hub struct {
	mu       sync.Mutex
	rev      store.Rev
	closed   bool
	watchers map[string]map[*watcher]struct{}
	lengths  map[int]int // of the prefixes that are watched: how many each
}

type watcher struct {
	wake chan struct{} // holds one wake-up
	// Under the hub's mutex: the latest change that it was told of, and what
	// changed since it last looked; any is that this is not known.
	from store.Rev // what it had heard of when it began
	rev  store.Rev
	keys map[string]struct{}
	any  bool
}

// maxKeys is how many keys a Change names.
const maxKeys = 4096

// Start says which revision the engine begins with.
func (h *Hub) Start(rev store.Rev) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rev = rev
}

// Changed says that keys have changed in rev, and that this can be read now.
func (h *Hub) Changed(rev store.Rev, keys iter.Seq[[]byte]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rev = max(h.rev, rev)
	if len(h.watchers) == 0 {
		return
	}
	for key := range keys {
		for n := range h.lengths {
			if n > len(key) {
				continue
			}
			for w := range h.watchers[string(key[:n])] {
				w.tell(rev, key)
			}
		}
	}
}

// tell wakes a watcher, unless it has heard of rev; nil is any key.
func (w *watcher) tell(rev store.Rev, key []byte) {
	if rev <= w.from {
		return
	}
	w.rev = max(w.rev, rev)
	switch {
	case w.any:
	case key == nil || len(w.keys) == maxKeys:
		w.any, w.keys = true, nil
	default:
		if w.keys == nil {
			w.keys = map[string]struct{}{}
		}
		w.keys[string(key)] = struct{}{}
	}
	w.poke()
}

func (w *watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default: // it has not yet taken the last one
	}
}

// Watch is the Watch of [store.Engine].
func (h *Hub) Watch(ctx context.Context, prefix []byte, from store.Rev) iter.Seq2[store.Change, error] {
	at := string(prefix)
	return func(yield func(store.Change, error) bool) {
		w, ok := h.add(at, from)
		if !ok {
			yield(store.Change{}, store.ErrClosed)
			return
		}
		defer h.remove(at, w)
		for {
			if err := ctx.Err(); err != nil {
				yield(store.Change{}, err)
				return
			}
			select {
			case <-ctx.Done():
				continue
			case <-w.wake:
			}
			change, closed := h.read(w)
			if closed {
				yield(store.Change{}, store.ErrClosed)
				return
			}
			if !yield(change, nil) {
				return
			}
		}
	}
}

// add enters a watcher. What changed before is not known by prefix, so that
// one who comes late is woken for any change that it may have missed.
func (h *Hub) add(prefix string, from store.Rev) (*watcher, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	w := &watcher{wake: make(chan struct{}, 1), from: from}
	w.tell(h.rev, nil)
	if h.watchers == nil {
		h.watchers = map[string]map[*watcher]struct{}{}
		h.lengths = map[int]int{}
	}
	if h.watchers[prefix] == nil {
		h.watchers[prefix] = map[*watcher]struct{}{}
	}
	h.watchers[prefix][w] = struct{}{}
	h.lengths[len(prefix)]++
	return w, true
}

func (h *Hub) remove(prefix string, w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers[prefix], w)
	if len(h.watchers[prefix]) == 0 {
		delete(h.watchers, prefix)
	}
	if h.lengths[len(prefix)]--; h.lengths[len(prefix)] == 0 {
		delete(h.lengths, len(prefix))
	}
}

func (h *Hub) read(w *watcher) (store.Change, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change := store.Change{Rev: w.rev}
	if !w.any {
		change.Keys = slices.Collect(maps.Keys(w.keys))
	}
	w.keys, w.any = nil, false
	return change, h.closed
}

// Close ends every Watch.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, ws := range h.watchers {
		for w := range ws {
			w.poke()
		}
	}
}
