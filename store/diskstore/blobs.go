package diskstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/farend-go/farend/store"
)

const (
	// chunk is the stretch of a blob that has a check sum.
	chunk = 32 << 10
	// small is up to which size a blob is held in memory while it is written,
	// and shares a segment with others.
	small = 256 << 10
	// maxHint is how much memory a writer gets for the size that it promises.
	maxHint = 64 << 10
	sumSize = crc32.Size
)

// castagnoli is the polynomial that processors know.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// length is what a blob takes in its segment.
func (p place) length() int64 { return p.size + p.sums() }

// sums is the length of its check sums.
func (p place) sums() int64 { return (p.size + chunk - 1) / chunk * sumSize }

// blobs implements [store.Blobs].
type blobs struct{ e *Engine }

func (b blobs) Create(ctx context.Context, size int64) (store.BlobWriter, error) {
	if err := b.e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer b.e.gate.Leave()
	if err := b.e.failed(); err != nil {
		return nil, err
	}
	w := &blobWriter{e: b.e}
	if size > 0 {
		room := place{size: min(size, maxHint)}
		w.buf = make([]byte, 0, room.length())
	}
	return w, nil
}

func (b blobs) Open(ctx context.Context, ref store.Ref) (store.Blob, error) {
	if err := b.e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer b.e.gate.Leave()
	id, ok := ref2id(ref)
	if !ok {
		return nil, store.ErrNotFound
	}
	for {
		at, err := b.e.find(id)
		if err != nil {
			return nil, err
		}
		seg, err := b.e.segments.pinNumber(at.segment)
		if errors.Is(err, store.ErrNotFound) {
			continue // it was moved, or dropped, since we looked
		}
		if err != nil {
			return nil, err
		}
		return openBlob(b.e, seg, at)
	}
}

// blobWriter holds a small blob in memory; a large one it writes as it comes.
type blobWriter struct {
	e    *Engine
	buf  []byte   // not yet written
	seg  *segment // of a large one
	id   uint64
	at   place
	sums []byte // of what was written
	err  error
	done bool
}

var errFinished = errors.New("diskstore: write to a finished blob")

func (w *blobWriter) Write(p []byte) (int, error) {
	if w.done || w.id != 0 {
		return 0, errFinished
	}
	if w.err != nil {
		return 0, w.err
	}
	w.buf = append(w.buf, p...)
	if w.at.size+int64(len(w.buf)) <= small {
		return len(p), nil
	}
	if w.seg == nil {
		w.seg, w.err = w.e.segments.createOwn()
		if w.err != nil {
			return 0, w.err
		}
	}
	whole := len(w.buf) / chunk * chunk
	if w.err = w.flush(whole); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// flush writes the first n bytes of the buffer into the blob's own segment.
func (w *blobWriter) flush(n int) error {
	if n == 0 {
		return nil
	}
	if err := w.e.segments.write(w.seg, w.buf[:n], w.at.size); err != nil {
		return err
	}
	w.sums = appendSums(w.sums, w.buf[:n])
	w.at.size += int64(n)
	w.buf = append(w.buf[:0], w.buf[n:]...)
	return nil
}

// appendSums appends the check sums of the chunks of p.
func appendSums(sums, p []byte) []byte {
	table := castagnoli()
	for len(p) > 0 {
		n := min(len(p), chunk)
		sums = binary.BigEndian.AppendUint32(sums, crc32.Checksum(p[:n], table))
		p = p[n:]
	}
	return sums
}

func (w *blobWriter) Finish() (store.Ref, error) {
	if w.done || w.id != 0 {
		return "", errFinished
	}
	if w.err != nil {
		return "", w.err
	}
	if err := w.e.gate.Enter(context.Background()); err != nil {
		return "", err
	}
	defer w.e.gate.Leave()
	if w.seg != nil {
		w.err = w.finishOwn()
	} else {
		w.finishShared()
	}
	if w.err != nil {
		return "", w.err
	}
	w.id = w.e.lastBlob.Add(1)
	w.e.segments.setPending(w.id, pending{w.at, w.buf, w.seg})
	w.buf = nil
	return store.Ref(blobKey(w.id)), nil
}

// finishShared leaves a small blob here, for the group that keeps it to write
// it together with others.
func (w *blobWriter) finishShared() {
	if w.buf == nil {
		w.buf = []byte{} // nil is one that lies on the disk
	}
	w.at.size = int64(len(w.buf))
	w.buf = appendSums(w.buf, w.buf)
	w.at.sum = crc32.Checksum(w.buf[w.at.size:], castagnoli())
}

// finishOwn syncs the blob's own segment here, where nobody else waits for it.
func (w *blobWriter) finishOwn() error {
	if err := w.flush(len(w.buf)); err != nil {
		return err
	}
	w.at.sum = crc32.Checksum(w.sums, castagnoli())
	if err := w.e.segments.write(w.seg, w.sums, w.at.size); err != nil {
		return err
	}
	if err := w.e.sync(w.seg.file); err != nil {
		return w.e.fail(diskError(err))
	}
	w.e.segments.mu.Lock()
	w.seg.size = w.at.length()
	w.e.segments.mu.Unlock()
	w.at.segment = w.seg.number
	w.buf, w.sums = nil, nil
	return nil
}

func (w *blobWriter) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	if w.id != 0 {
		w.e.segments.clearPending(w.id)
	}
	if w.seg != nil {
		w.e.segments.mu.Lock()
		w.seg.sealed = true
		w.e.segments.mu.Unlock()
		w.e.segments.unpin(w.seg)
	}
	return nil
}

// openBlob makes the reader of a blob whose segment is pinned. A blob of one
// chunk is read at once, so that nothing stays pinned for it.
func openBlob(e *Engine, seg *segment, at place) (store.Blob, error) {
	if at.size <= chunk {
		return openSmall(e, seg, at)
	}
	b := &blob{e: e, seg: seg, at: at, chunk: -1}
	b.sums = make([]byte, at.sums())
	err := b.fill(b.sums, at.size)
	if err == nil && crc32.Checksum(b.sums, castagnoli()) != at.sum {
		err = b.damaged()
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// openSmall reads a blob of one chunk.
func openSmall(e *Engine, seg *segment, at place) (store.Blob, error) {
	small := &smallBlob{rooms: &e.rooms, size: at.size, room: room(&e.rooms, int(at.length()))}
	buf := *small.room
	b := blob{seg: seg, at: at, sums: buf[at.size:]}
	err := b.fill(buf, 0)
	switch {
	case err != nil:
	case crc32.Checksum(b.sums, castagnoli()) != at.sum:
		err = b.damaged()
	default:
		err = b.verify(0, buf[:at.size])
	}
	e.segments.unpin(seg)
	if err != nil {
		return nil, errors.Join(err, small.Close())
	}
	return small, nil
}

// fill reads len(p) bytes that have to be there.
func (b *blob) fill(p []byte, off int64) error {
	_, err := b.seg.file.ReadAt(p, b.at.offset+off)
	if err == io.EOF && len(p) > 0 {
		return b.damaged()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func (b *blob) damaged() error {
	return fmt.Errorf("%w: %d bytes at %d of segment %x", store.ErrCorrupt, b.at.size, b.at.offset, b.at.segment)
}

// verify compares the n-th chunk with its check sum.
func (b *blob) verify(n int, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if crc32.Checksum(p, castagnoli()) != binary.BigEndian.Uint32(b.sums[n*sumSize:]) {
		return b.damaged()
	}
	return nil
}
