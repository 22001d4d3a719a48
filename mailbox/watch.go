package mailbox

import (
	"context"
	"sync"

	"github.com/farend-go/farend/store"
)

// dispatcher calls those who watch. All of them together cost one goroutine,
// which runs while there is one.
type dispatcher struct {
	engine store.Engine

	mu     sync.Mutex
	boxes  map[uint64]map[uint64]map[*watcher]struct{} // by account and mailbox; 0: all of the account
	n      int
	cancel context.CancelFunc
}

type watcher struct{ f func(box uint64, names bool) }

// Watch has f called soon after each change of the mailbox, until stop is
// called; of several changes once may be enough. f does not block, and is
// called by one goroutine for all who watch; it may still be running when stop
// returns. What has changed is asked for by Changes.
func (m *Mailbox) Watch(f func()) (stop func()) {
	return m.a.s.watch.add(m.a.id, m.id, &watcher{func(uint64, bool) { f() }})
}

// Watch has f called soon after each change in the account: with the ID of a
// mailbox that changed, or with "" where names or subscriptions did, or where
// it is not known what. Otherwise it is as with [Mailbox.Watch].
func (a *Account) Watch(f func(mailboxID string)) (stop func()) {
	return a.s.watch.add(a.id, 0, &watcher{func(box uint64, names bool) {
		id := ""
		if !names {
			id = mailboxID(a.id, box)
		}
		f(id)
	}})
}

func (d *dispatcher) add(acct, box uint64, w *watcher) (stop func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.boxes == nil {
		d.boxes = map[uint64]map[uint64]map[*watcher]struct{}{}
	}
	if d.boxes[acct] == nil {
		d.boxes[acct] = map[uint64]map[*watcher]struct{}{}
	}
	if d.boxes[acct][box] == nil {
		d.boxes[acct][box] = map[*watcher]struct{}{}
	}
	d.boxes[acct][box][w] = struct{}{}
	if d.n++; d.n == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		d.cancel = cancel
		go d.run(ctx)
	}
	return sync.OnceFunc(func() { d.remove(acct, box, w) })
}

func (d *dispatcher) remove(acct, box uint64, w *watcher) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.boxes[acct][box], w)
	if len(d.boxes[acct][box]) == 0 {
		delete(d.boxes[acct], box)
	}
	if len(d.boxes[acct]) == 0 {
		delete(d.boxes, acct)
	}
	if d.n--; d.n == 0 {
		d.cancel()
	}
}

// run ends with ctx, or when the engine is closed. It begins with a call of
// everybody, for what happened while it started.
func (d *dispatcher) run(ctx context.Context) {
	for change, err := range d.engine.Watch(ctx, []byte{kindAccount}, 0) {
		if err != nil || ctx.Err() != nil {
			return
		}
		for _, call := range d.calls(change.Keys) {
			call()
		}
	}
}

// calls finds whom to call, so that it is done without the mutex.
func (d *dispatcher) calls(keys []string) []func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var calls []func()
	tell := func(acct, at, box uint64, names bool) {
		for w := range d.boxes[acct][at] {
			calls = append(calls, func() { w.f(box, names) })
		}
	}
	if keys == nil {
		for acct, boxes := range d.boxes {
			for box := range boxes {
				tell(acct, box, box, true)
			}
		}
		return calls
	}
	type place struct {
		acct, box uint64
		names     bool
	}
	told := map[place]bool{}
	for _, key := range keys {
		acct, box, names, ok := parseKey(key)
		p := place{acct, box, names}
		if !ok || told[p] || box == 0 && !names {
			continue
		}
		told[p] = true
		if box != 0 {
			tell(acct, box, box, false)
		}
		tell(acct, 0, box, names)
	}
	return calls
}
