package diskstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/internal/gate"
	"github.com/farend-go/farend/store/internal/watch"
)

// Options tune an engine; the zero value is for use.
type Options struct {
	// SegmentSize is where a segment of small blobs is full, in bytes; 0 is
	// 64 MiB.
	SegmentSize int64

	// fault is asked before each thing done to the disk, by tests.
	fault func(op operation, path string) error
	// upgrades are the steps from older formats, in tests.
	upgrades []upgrade
	// tight is an index without address space to grow into, in tests.
	tight bool
}

// operation is what is done to the disk.
type operation string

const (
	opCreate operation = "create"
	opWrite  operation = "write"
	opSync   operation = "sync"
	opRemove operation = "remove"
	opCommit operation = "commit"
)

// Engine is a [store.Engine] in a directory. Its methods may be called
// concurrently.
type Engine struct {
	dir  string
	db   *bbolt.DB
	room int64 // address space that the index can grow into
	hub  watch.Hub
	gate gate.Gate

	turn      chan struct{} // held by the Update that runs
	group     *group        // that gathers; under turn
	ready     chan struct{} // holds one word: somebody has joined
	committer sync.WaitGroup
	out       []byte    // of the committer, to write from
	rooms     sync.Pool // *[]byte, of small blobs that are open
	segments  segments
	compactor compactor
	rev       store.Rev     // that the index has; of the committer
	version   atomic.Uint64 // of the index: it has a greater one after each commit
	lookups   lookups
	lastBlob  atomic.Uint64
	broken    atomic.Pointer[error] // why nothing is written any more

	fault   func(op operation, path string) error
	counted counters
}

var _ store.Engine = (*Engine)(nil)

// Buckets of the index, and the key in meta.
var (
	bucketKeys  = []byte("keys")
	bucketBlobs = []byte("blobs")
	bucketMeta  = []byte("meta")
	keyState    = []byte("state")
)

// Open opens the directory, and makes it where it is not there. One directory
// belongs to one engine at a time: [store.ErrInUse]. What an older program
// wrote is upgraded; what a newer one wrote is refused with [store.ErrFormat].
// A directory that holds other things than a store is refused too.
func Open(dir string, o Options) (*Engine, error) {
	e, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("diskstore: open %s: %w", dir, err)
	}
	return e, nil
}

func open(dir string, o Options) (*Engine, error) {
	if o.SegmentSize == 0 {
		o.SegmentSize = 64 << 20
	}
	e := &Engine{dir: dir, fault: o.fault, turn: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
	if e.fault == nil {
		e.fault = func(operation, string) error { return nil }
	}
	e.segments.open(e, o.SegmentSize)
	if o.upgrades == nil {
		o.upgrades = upgrades()
	}
	if err := e.prepare(len(o.upgrades) + 1); err != nil {
		return nil, err
	}
	room := mapSize
	if o.tight {
		room = 0
	}
	db, room, err := openIndex(filepath.Join(dir, indexName), room)
	if err != nil {
		return nil, err
	}
	e.db, e.room = db, int64(room)
	if err := errors.Join(e.upgrade(o.upgrades), e.recover()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	e.group = newGroup(e, e.rev, nil)
	e.committer.Go(e.commitGroups)
	e.compactor.start(e)
	return e, nil
}

// openIndex opens the index with so much address space to grow into, and tells
// how much there is.
func openIndex(path string, room int) (*bbolt.DB, int, error) {
	o := bbolt.Options{
		Timeout:         1, // do not wait for the lock
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: room,
		NoStatistics:    true,
	}
	db, err := bbolt.Open(path, 0o600, &o)
	if err != nil && room > 0 && !errors.Is(err, berrors.ErrTimeout) {
		room, o.InitialMmapSize = 0, 0 // where so much address space is not to be had
		db, err = bbolt.Open(path, 0o600, &o)
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, 0, store.ErrInUse
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, 0, fmt.Errorf("%w: index: %w", store.ErrCorrupt, err)
	}
	return db, room, err
}

// recover reads the index, and takes away what it does not know.
func (e *Engine) recover() error {
	fresh := false
	err := e.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			fresh = true
			return nil
		}
		state := meta.Get(keyState)
		if len(state) != 16 {
			return fmt.Errorf("%w: index: no state", store.ErrCorrupt)
		}
		e.rev = store.Rev(binary.BigEndian.Uint64(state))
		e.lastBlob.Store(binary.BigEndian.Uint64(state[8:]))
		return e.segments.count(tx)
	})
	if err != nil {
		return err
	}
	if fresh {
		if err := e.first(); err != nil {
			return err
		}
	}
	e.hub.Start(e.rev)
	return e.segments.recover()
}

// first makes the buckets.
func (e *Engine) first() error {
	tx, err := e.db.Begin(true)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketKeys, bucketBlobs, bucketMeta} {
		if _, err := tx.CreateBucket(name); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := e.commit(tx, 0); err != nil {
		return err
	}
	return e.syncDir(e.dir) // the index is a new name
}

// commit writes the state and commits the index.
func (e *Engine) commit(tx *bbolt.Tx, rev store.Rev) error {
	state := binary.BigEndian.AppendUint64(nil, uint64(rev))
	state = binary.BigEndian.AppendUint64(state, e.lastBlob.Load())
	if err := errors.Join(e.fault(opCommit, e.db.Path()), tx.Bucket(bucketMeta).Put(keyState, state)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	e.counted.commits.Add(1)
	e.counted.syncs.Add(2)
	return tx.Commit()
}

// View implements [store.Engine].
func (e *Engine) View(ctx context.Context, f func(store.Reader) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	tx, err := e.db.Begin(false)
	if err != nil {
		return diskError(err)
	}
	defer func() { _ = tx.Rollback() }() // of what was only read
	state := tx.Bucket(bucketMeta).Get(keyState)
	return f(&reader{keys: tx.Bucket(bucketKeys), rev: store.Rev(binary.BigEndian.Uint64(state))})
}

// Watch implements [store.Engine].
func (e *Engine) Watch(ctx context.Context, prefix []byte, from store.Rev) iter.Seq2[store.Change, error] {
	return e.hub.Watch(ctx, prefix, from)
}

// Blobs implements [store.Engine].
func (e *Engine) Blobs() store.Blobs { return blobs{e} }

// Close implements [store.Engine]. Blobs that are open stay readable.
func (e *Engine) Close() error {
	first := e.gate.Shut()
	e.hub.Close()
	if !first {
		e.gate.Wait()
		return nil
	}
	e.compactor.stop()
	e.gate.Wait()
	close(e.ready)
	e.committer.Wait()
	e.group.release()
	return errors.Join(e.segments.close(), e.db.Close())
}

// fail makes the engine read-only.
func (e *Engine) fail(err error) error {
	err = fmt.Errorf("diskstore: nothing more is written after a failure: %w", err)
	e.broken.CompareAndSwap(nil, &err)
	return *e.broken.Load()
}

// failed is why nothing is written any more, or nil.
func (e *Engine) failed() error {
	if err := e.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// diskError says ErrFull where there is no room.
func diskError(err error) error {
	if err != nil && isFull(err) && !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// sync makes f durable.
func (e *Engine) sync(f *os.File) error {
	if err := e.fault(opSync, f.Name()); err != nil {
		return fmt.Errorf("sync %s: %w", f.Name(), err)
	}
	e.counted.syncs.Add(1)
	if err := fdatasync(f); err != nil {
		return fmt.Errorf("sync %s: %w", f.Name(), err)
	}
	return nil
}

// Stats counts what an engine has done since it was opened.
type Stats struct {
	Updates int64 // that have happened
	Commits int64 // each of which made a group of them durable
	Syncs   int64 // of files, by the disk
}

type counters struct{ updates, commits, syncs atomic.Int64 }

// Stats gives the counters.
func (e *Engine) Stats() Stats {
	return Stats{e.counted.updates.Load(), e.counted.commits.Load(), e.counted.syncs.Load()}
}
