package diskstore

import (
	"errors"
	"io"
	"io/fs"
	"sync"
)

// smallBlob is one that was read when it was opened, into storage that another
// has after it was closed.
type smallBlob struct {
	rooms *sync.Pool
	size  int64
	next  int64 // of Read

	mu   sync.RWMutex
	room *[]byte // nil: closed
}

// room gives storage from a pool of it, of any content.
func room(pool *sync.Pool, n int) *[]byte {
	p, ok := pool.Get().(*[]byte)
	if !ok || cap(*p) < n {
		b := make([]byte, n, max(n, 8<<10))
		return &b
	}
	*p = (*p)[:n]
	return p
}

func (b *smallBlob) Size() int64 { return b.size }

func (b *smallBlob) Read(p []byte) (int, error) {
	n, err := b.ReadAt(p, b.next)
	b.next += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (b *smallBlob) ReadAt(p []byte, off int64) (int, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch {
	case b.room == nil:
		return 0, fs.ErrClosed
	case off < 0:
		return 0, errOffset
	case off >= b.size:
		return 0, io.EOF
	}
	n := copy(p, (*b.room)[off:b.size])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (b *smallBlob) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.room != nil {
		b.rooms.Put(b.room)
		b.room = nil
	}
	return nil
}

var errOffset = errors.New("diskstore: negative offset")

// blob reads chunk by chunk, and verifies each.
type blob struct {
	e    *Engine
	seg  *segment
	at   place
	sums []byte
	next int64 // of Read

	mu    sync.Mutex
	chunk int // the one in buf, -1 none
	buf   []byte
	done  bool
}

func (b *blob) Size() int64 { return b.at.size }

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.ReadAt(p, b.next)
	b.next += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (b *blob) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errOffset
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return 0, fs.ErrClosed
	}
	n := 0
	for n < len(p) {
		if off >= b.at.size {
			return n, io.EOF
		}
		if err := b.load(int(off / chunk)); err != nil {
			return n, err
		}
		k := copy(p[n:], b.buf[off%chunk:])
		n += k
		off += int64(k)
	}
	return n, nil
}

// load brings a chunk into the buffer.
func (b *blob) load(n int) error {
	if n == b.chunk {
		return nil
	}
	start := int64(n) * chunk
	if b.buf == nil {
		b.buf = make([]byte, chunk)
	}
	b.chunk = -1
	b.buf = b.buf[:min(chunk, b.at.size-start)]
	if err := b.fill(b.buf, start); err != nil {
		return err
	}
	if err := b.verify(n, b.buf); err != nil {
		return err
	}
	b.chunk = n
	return nil
}

func (b *blob) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.done {
		b.done = true
		b.e.segments.unpin(b.seg)
	}
	return nil
}
