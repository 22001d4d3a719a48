package diskstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/internal/sorted"
)

// reader is the Reader of a View, and the ground of a writer.
type reader struct {
	keys *bbolt.Bucket
	rev  store.Rev
	over sorted.Map // what an Update has written; nil is deleted
}

func (r *reader) Rev() store.Rev { return r.rev }

func (r *reader) Get(key []byte) ([]byte, error) {
	if r.over.Len() > 0 {
		if v, ok := r.over.Get(key); ok {
			return found(v)
		}
	}
	return found(r.keys.Get(key))
}

func found(v []byte) ([]byte, error) {
	if v == nil {
		return nil, store.ErrNotFound
	}
	return v, nil
}

type entry struct{ key, value []byte }

func (r *reader) Ascend(from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := r.keys.Cursor()
		var first entry
		if from == nil {
			first.key, first.value = c.First()
		} else {
			first.key, first.value = c.Seek(from)
		}
		merge(first, c.Next, r.written(r.over.Ascend(from, to)), func(a, b []byte) bool { return bytes.Compare(a, b) <= 0 },
			func(k []byte) bool { return to == nil || bytes.Compare(k, to) < 0 }, yield)
	}
}

func (r *reader) Descend(from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := r.keys.Cursor()
		var first entry
		if to != nil {
			first.key, _ = c.Seek(to)
		}
		if first.key == nil {
			first.key, first.value = c.Last()
		}
		if to != nil && first.key != nil && bytes.Compare(first.key, to) >= 0 {
			first.key, first.value = c.Prev()
		}
		merge(first, c.Prev, r.written(r.over.Descend(from, to)), func(a, b []byte) bool { return bytes.Compare(a, b) >= 0 },
			func(k []byte) bool { return from == nil || bytes.Compare(k, from) >= 0 }, yield)
	}
}

// written lists what the Update has written in a range.
func (r *reader) written(walk iter.Seq2[[]byte, []byte]) []entry {
	if r.over.Len() == 0 {
		return nil
	}
	var out []entry
	for k, v := range walk {
		out = append(out, entry{k, v})
	}
	return out
}

// merge yields what lies below together with what was written over it.
func merge(below entry, next func() (k, v []byte), over []entry, notAfter func(a, b []byte) bool,
	inside func(k []byte) bool, yield func(k, v []byte) bool) {
	for {
		lower := below.key != nil && inside(below.key)
		if !lower && len(over) == 0 {
			return
		}
		at := below
		if len(over) > 0 && (!lower || notAfter(over[0].key, below.key)) {
			at, over = over[0], over[1:]
		}
		if lower && bytes.Equal(at.key, below.key) {
			below.key, below.value = next()
		}
		if at.value != nil && !yield(at.key, at.value) {
			return
		}
	}
}

// writer is the Writer of an Update.
type writer struct {
	reader
	group *group
	blobs *bbolt.Bucket
	held  map[uint64]int // holders added, less those taken away
	moved map[uint64]place
	bytes int
}

var _ store.Writer = (*writer)(nil)

func newWriter(g *group, rev store.Rev) *writer {
	return &writer{
		reader: reader{keys: g.tx.Bucket(bucketKeys), rev: rev},
		group:  g,
		blobs:  g.tx.Bucket(bucketBlobs),
	}
}

func (w *writer) Put(key, value []byte) error {
	if err := store.CheckEntry(key, value); err != nil {
		return err
	}
	both := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	w.bytes += len(both)
	w.over = w.over.Set(both[:len(key):len(key)], both[len(key):])
	return nil
}

func (w *writer) Delete(key []byte) error {
	if _, err := w.Get(key); err != nil {
		return nil //nolint:nilerr // what is not there need not be deleted
	}
	w.over = w.over.Set(bytes.Clone(key), nil)
	return nil
}

func (w *writer) Keep(ref store.Ref) error {
	id, ok := ref2id(ref)
	if !ok || w.blobs.Get(blobKey(id)) == nil && !w.group.e.segments.isPending(id) {
		return store.ErrNotFound
	}
	w.hold(id, 1)
	return nil
}

func (w *writer) Drop(ref store.Ref) error {
	id, ok := ref2id(ref)
	if !ok {
		return store.ErrNotFound
	}
	row, err := parseRow(w.blobs.Get(blobKey(id)))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if int(row.holders)+w.held[id] <= 0 {
		return store.ErrNotFound
	}
	w.hold(id, -1)
	return nil
}

func (w *writer) hold(id uint64, n int) {
	if w.held == nil {
		w.held = map[uint64]int{}
	}
	w.held[id] += n
}

// apply writes the changes into the group's transaction.
func (w *writer) apply(rows map[uint64]blobRow) (err error) {
	for id, row := range rows {
		if err := w.putRow(id, row); err != nil {
			return err
		}
	}
	for k, v := range w.over.Ascend(nil, nil) {
		if v == nil {
			err = w.keys.Delete(k)
		} else {
			err = w.keys.Put(k, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rows gives the new rows of the blobs, before anything is written: a blob
// whose writer was closed meanwhile fails the whole Update.
func (w *writer) rows() (map[uint64]blobRow, error) {
	rows := map[uint64]blobRow{}
	for id, n := range w.held {
		if n == 0 {
			continue
		}
		row, err := parseRow(w.blobs.Get(blobKey(id)))
		if row.holders == 0 {
			at, ok := w.group.e.segments.pendingPlace(id)
			if !ok {
				return nil, store.ErrNotFound
			}
			row, err = blobRow{place: at}, nil
		}
		if err != nil {
			return nil, err
		}
		row.holders = uint64(int64(row.holders) + int64(n))
		rows[id] = row
	}
	for id, at := range w.moved {
		if row, err := parseRow(w.blobs.Get(blobKey(id))); err == nil {
			row.place = at
			rows[id] = row
		}
	}
	return rows, nil
}

func (w *writer) putRow(id uint64, row blobRow) error {
	g := w.group
	if g.live == nil {
		g.live = map[uint64]int64{}
	}
	key := blobKey(id)
	if was, err := parseRow(w.blobs.Get(key)); err == nil {
		g.live[was.segment] -= was.length()
	}
	if row.holders == 0 {
		return w.blobs.Delete(key)
	}
	g.live[row.segment] += row.length()
	return w.blobs.Put(key, row.append(nil))
}

// blobRow is what the index knows of a blob: who holds it, where it is.
type blobRow struct {
	holders uint64
	place
}

// place is where a blob is: its bytes, and behind them its check sums.
type place struct {
	segment uint64
	offset  int64
	size    int64
	sum     uint32 // of the check sums
}

func blobKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func ref2id(ref store.Ref) (uint64, bool) {
	if len(ref) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64([]byte(ref)), true
}

func (b blobRow) append(out []byte) []byte {
	out = binary.AppendUvarint(out, b.holders)
	out = binary.AppendUvarint(out, b.segment)
	out = binary.AppendUvarint(out, uint64(b.offset))
	out = binary.AppendUvarint(out, uint64(b.size))
	return binary.BigEndian.AppendUint32(out, b.sum)
}

// parseRow reads a row; ErrNotFound where there is none.
func parseRow(row []byte) (blobRow, error) {
	if row == nil {
		return blobRow{}, store.ErrNotFound
	}
	var numbers [4]uint64
	for i := range numbers {
		v, n := binary.Uvarint(row)
		if n <= 0 {
			return blobRow{}, fmt.Errorf("%w: index: a row of a blob", store.ErrCorrupt)
		}
		numbers[i], row = v, row[n:]
	}
	if len(row) != 4 || int64(numbers[2]) < 0 || int64(numbers[3]) < 0 {
		return blobRow{}, fmt.Errorf("%w: index: a row of a blob", store.ErrCorrupt)
	}
	return blobRow{numbers[0], place{numbers[1], int64(numbers[2]), int64(numbers[3]), binary.BigEndian.Uint32(row)}}, nil
}
