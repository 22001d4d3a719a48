package store

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Limits of keys and values, in bytes.
const (
	MaxKey   = 1 << 10
	MaxValue = 1 << 20
)

var (
	// ErrNotFound is a key or a blob that is not there.
	ErrNotFound = errors.New("store: not found")
	// ErrClosed is the use of an engine after Close.
	ErrClosed = errors.New("store: closed")
	// ErrInUse is a directory that another engine has open.
	ErrInUse = errors.New("store: in use by another process")
	// ErrFormat is a directory written in a format that this program does not
	// know: a newer one's.
	ErrFormat = errors.New("store: written by a newer program")
	// ErrTooLarge is a key above MaxKey or a value above MaxValue.
	ErrTooLarge = errors.New("store: key or value too large")
	// ErrEmptyKey is a key without a byte.
	ErrEmptyKey = errors.New("store: empty key")
	// ErrFull is a disk without room. Nothing of the Update has happened.
	ErrFull = errors.New("store: no space left")
	// ErrCorrupt is a blob or an index whose check sum is wrong.
	ErrCorrupt = errors.New("store: damaged")
)

// CheckEntry is for engines: what Put answers to a key and a value that it does
// not take, [ErrEmptyKey] or [ErrTooLarge].
func CheckEntry(key, value []byte) error {
	switch {
	case len(key) == 0:
		return ErrEmptyKey
	case len(key) > MaxKey || len(value) > MaxValue:
		return ErrTooLarge
	}
	return nil
}

// Rev is a revision: the number of an Update. Later Updates have greater
// ones; 0 is before the first.
type Rev uint64

// Ref names a blob. It is opaque to all but its engine, small, and kept inside
// values.
type Ref string

// An Engine keeps keys and blobs. Its methods may be called concurrently.
// After Close they fail with [ErrClosed]; those of a cancelled context fail
// with its error, and an Update that failed so has not happened.
type Engine interface {
	// View runs f over one moment's state. Views do not wait for Updates, nor
	// Updates for Views. The error is f's.
	View(ctx context.Context, f func(Reader) error) error

	// Update runs f and makes what it wrote durable before it returns, or
	// nothing of it where f or the engine fails. f may run again. Concurrent
	// Updates may share one sync.
	Update(ctx context.Context, f func(Writer) error) error

	// Watch tells of Updates that changed a key with the prefix, after from
	// (the Rev of a View): at once if there was one, then for every later one.
	// Wake-ups are coalesced: one Change may stand for several Updates, and
	// whoever hears it reads the state again. None is lost; the first may be
	// for a change elsewhere, where the engine no longer knows what changed
	// since from. It ends with ctx or at Close; the error is then the last
	// that is yielded.
	Watch(ctx context.Context, prefix []byte, from Rev) iter.Seq2[Change, error]

	// Blobs are the engine's large bodies.
	Blobs() Blobs

	// Close ends the engine, after the calls that run. A second Close does
	// nothing.
	Close() error
}

// A Prompter is an Engine that can tell whether it is prompt: then its calls wait
// for nothing but the functions of other Updates, and may be made where nothing
// may wait for a disk or a network.
type Prompter interface{ Prompt() bool }

// A Change says that keys under a prefix changed, at the latest in Rev.
type Change struct {
	Rev Rev
	// Keys are those that changed since the Change before, in no order; nil
	// where the engine does not know, or where they are too many: then any may
	// have. Nobody changes them.
	Keys []string
}

// A Reader reads one moment's state. It is used by one goroutine. What it hands
// out must not be changed, nor used after the transaction.
type Reader interface {
	// Rev is the revision of what is read: in an Update, the one that it is
	// going to be.
	Rev() Rev
	// Get is the value at key, [ErrNotFound] where there is none.
	Get(key []byte) ([]byte, error)
	// Ascend goes over the keys from, inclusive, to to, exclusive (nil: to the
	// end), in order; Descend over the same keys from the last to the first.
	// The transaction may be written to meanwhile only at keys that were
	// passed.
	Ascend(from, to []byte) iter.Seq2[[]byte, []byte]
	Descend(from, to []byte) iter.Seq2[[]byte, []byte]
}

// A Writer reads and changes; it sees what it wrote.
type Writer interface {
	Reader
	// Put sets the value at key; both are copied. [ErrTooLarge], [ErrEmptyKey].
	Put(key, value []byte) error
	// Delete removes key; that it was not there is no error.
	Delete(key []byte) error
	// Keep adds a holder to a blob: one whose writer is finished and not yet
	// closed, or one that is held already. [ErrNotFound] where there is no such
	// blob.
	Keep(ref Ref) error
	// Drop takes a holder away. [ErrNotFound] where nobody holds the blob.
	Drop(ref Ref) error
}

// Blobs are bodies of any size, written once and never changed. Methods may be
// called concurrently.
type Blobs interface {
	// Create begins a blob. size is a hint, -1 where it is not known.
	Create(ctx context.Context, size int64) (BlobWriter, error)
	// Open reads a blob that is held; not inside a transaction. It stays
	// readable until it is closed even where its last holder drops it
	// meanwhile. An engine that reads over a network reads while ctx lasts.
	// [ErrNotFound], [ErrCorrupt].
	Open(ctx context.Context, ref Ref) (Blob, error)
}

// A BlobWriter takes the bytes of a blob. It is used by one goroutine.
type BlobWriter interface {
	io.Writer
	// Finish ends the writing and names the blob, for the Update that keeps
	// it; before that it is not durable and nobody can open it.
	Finish() (Ref, error)
	// Close throws away what no Update has kept. It is always called, after
	// the Update too: until then the writer is a holder of the blob. A second
	// Close does nothing.
	Close() error
}

// A Blob is an open body. ReadAt may be called concurrently.
type Blob interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Size() int64
}
