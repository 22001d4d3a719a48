package memstore

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/internal/gate"
	"github.com/farend-go/farend/store/internal/sorted"
	"github.com/farend-go/farend/store/internal/watch"
)

// Options say how much an engine takes; the zero value has no limit.
type Options struct {
	// Limit is how many bytes of keys, values and blobs are kept; what would
	// go beyond fails with [store.ErrFull]. 0: no limit.
	Limit int64
}

// New makes an empty engine.
func New(o Options) *Engine {
	e := &Engine{turn: make(chan struct{}, 1)}
	e.blobs = blobs{engine: e, all: map[store.Ref]*body{}, limit: o.Limit}
	e.now.Store(&moment{})
	return e
}

// Engine is a [store.Engine]. Its methods may be called concurrently.
type Engine struct {
	turn  chan struct{} // held by the Update that runs
	now   atomic.Pointer[moment]
	hub   watch.Hub
	blobs blobs
	gate  gate.Gate
}

var (
	_ store.Engine   = (*Engine)(nil)
	_ store.Prompter = (*Engine)(nil)
)

type moment struct {
	rev  store.Rev
	keys sorted.Map
}

// View implements [store.Engine].
func (e *Engine) View(ctx context.Context, f func(store.Reader) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	return f(&tx{moment: *e.now.Load()})
}

// Update implements [store.Engine].
func (e *Engine) Update(ctx context.Context, f func(store.Writer) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	was := e.now.Load()
	t := &tx{moment: moment{was.rev + 1, was.keys}, blobs: &e.blobs}
	if err := f(t); err != nil {
		return err
	}
	if err := e.blobs.apply(t.held, t.grown); err != nil {
		return err
	}
	e.now.Store(&t.moment)
	e.hub.Changed(t.rev, func(yield func([]byte) bool) {
		for k := range t.changed {
			if !yield([]byte(k)) {
				return
			}
		}
	})
	return nil
}

// Prompt implements [store.Prompter]: nothing here waits for a disk.
func (e *Engine) Prompt() bool { return true }

// Watch implements [store.Engine].
func (e *Engine) Watch(ctx context.Context, prefix []byte, from store.Rev) iter.Seq2[store.Change, error] {
	return e.hub.Watch(ctx, prefix, from)
}

// Blobs implements [store.Engine].
func (e *Engine) Blobs() store.Blobs { return &e.blobs }

// Close implements [store.Engine].
func (e *Engine) Close() error {
	e.gate.Shut()
	e.hub.Close()
	e.gate.Wait()
	return nil
}

// tx is the Reader of a View and the Writer of an Update.
type tx struct {
	moment
	blobs   *blobs
	changed map[string]struct{}
	held    map[store.Ref]int // holders added, less those taken away
	grown   int64             // bytes of keys and values
}

var _ store.Writer = (*tx)(nil)

func (t *tx) Rev() store.Rev { return t.rev }

func (t *tx) Get(key []byte) ([]byte, error) {
	v, ok := t.keys.Get(key)
	if !ok {
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (t *tx) Ascend(from, to []byte) iter.Seq2[[]byte, []byte] { return t.keys.Ascend(from, to) }

func (t *tx) Descend(from, to []byte) iter.Seq2[[]byte, []byte] { return t.keys.Descend(from, to) }

func (t *tx) Put(key, value []byte) error {
	if err := store.CheckEntry(key, value); err != nil {
		return err
	}
	both := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	t.change(key, int64(len(both)))
	t.keys = t.keys.Set(both[:len(key):len(key)], both[len(key):])
	return nil
}

func (t *tx) Delete(key []byte) error {
	t.change(key, 0)
	t.keys = t.keys.Delete(key)
	return nil
}

// change notes that an entry gets a new size.
func (t *tx) change(key []byte, size int64) {
	if t.changed == nil {
		t.changed = map[string]struct{}{}
	}
	t.changed[string(key)] = struct{}{}
	t.grown += size
	if was, ok := t.keys.Get(key); ok {
		t.grown -= int64(len(key) + len(was))
	}
}

func (t *tx) Keep(ref store.Ref) error {
	if !t.blobs.there(ref) {
		return store.ErrNotFound
	}
	t.hold(ref, 1)
	return nil
}

func (t *tx) Drop(ref store.Ref) error {
	if !t.blobs.held(ref, t.held[ref]) {
		return store.ErrNotFound
	}
	t.hold(ref, -1)
	return nil
}

func (t *tx) hold(ref store.Ref, n int) {
	if t.held == nil {
		t.held = map[store.Ref]int{}
	}
	t.held[ref] += n
}
