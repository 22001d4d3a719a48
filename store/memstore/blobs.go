package memstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/farend-go/farend/store"
)

// blobs are the bodies. A blob is there while somebody holds it or its writer
// is open.
type blobs struct {
	engine *Engine
	limit  int64

	mu   sync.Mutex
	all  map[store.Ref]*body
	last uint64 // the number in the last Ref
	used int64  // bytes, those of keys and values too
}

type body struct {
	data    []byte
	holders int
	writing bool
}

func (b *blobs) there(ref store.Ref) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[ref] != nil
}

func (b *blobs) held(ref store.Ref, added int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	is := b.all[ref]
	return is != nil && is.holders+added > 0
}

// apply makes an Update's changes of holders, or nothing where there is no
// room or a blob's writer was closed meanwhile.
func (b *blobs) apply(held map[store.Ref]int, grown int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.grow(grown); err != nil {
		return err
	}
	for ref, n := range held {
		if n != 0 && b.all[ref] == nil {
			b.used -= grown
			return store.ErrNotFound
		}
	}
	for ref, n := range held {
		if is := b.all[ref]; is != nil {
			is.holders += n
			b.let(ref)
		}
	}
	return nil
}

func (b *blobs) grow(n int64) error {
	if n > 0 && b.limit > 0 && b.used+n > b.limit {
		return store.ErrFull
	}
	b.used += n
	return nil
}

// let frees a blob that nobody has.
func (b *blobs) let(ref store.Ref) {
	if is := b.all[ref]; is.holders == 0 && !is.writing {
		delete(b.all, ref)
		b.used -= int64(len(is.data))
	}
}

// Create implements [store.Blobs].
func (b *blobs) Create(ctx context.Context, size int64) (store.BlobWriter, error) {
	if err := b.engine.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer b.engine.gate.Leave()
	w := &writer{blobs: b}
	if size > 0 && size <= maxHint {
		w.data = make([]byte, 0, size)
	}
	return w, nil
}

// maxHint is how many bytes are made ready for a writer who says that they
// come.
const maxHint = 1 << 20

// Open implements [store.Blobs].
func (b *blobs) Open(ctx context.Context, ref store.Ref) (store.Blob, error) {
	if err := b.engine.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer b.engine.gate.Leave()
	b.mu.Lock()
	defer b.mu.Unlock()
	is := b.all[ref]
	if is == nil || is.holders == 0 {
		return nil, store.ErrNotFound
	}
	return blob{bytes.NewReader(is.data)}, nil
}

var errFinished = errors.New("memstore: write to a finished blob")

type writer struct {
	blobs *blobs
	data  []byte
	ref   store.Ref
	done  bool
}

func (w *writer) Write(p []byte) (int, error) {
	if w.done || w.ref != "" {
		return 0, errFinished
	}
	w.blobs.mu.Lock()
	err := w.blobs.grow(int64(len(p)))
	w.blobs.mu.Unlock()
	if err != nil {
		return 0, err
	}
	w.data = append(w.data, p...)
	return len(p), nil
}

func (w *writer) Finish() (store.Ref, error) {
	if w.done || w.ref != "" {
		return "", errFinished
	}
	b := w.blobs
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	w.ref = store.Ref(binary.BigEndian.AppendUint64(nil, b.last))
	b.all[w.ref] = &body{data: w.data, writing: true}
	return w.ref, nil
}

func (w *writer) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	b := w.blobs
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.ref == "" {
		b.used -= int64(len(w.data))
		return nil
	}
	b.all[w.ref].writing = false
	b.let(w.ref)
	return nil
}

// blob reads a body, which the garbage collector keeps as long as it does.
type blob struct{ *bytes.Reader }

func (blob) Close() error { return nil }
