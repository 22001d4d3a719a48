package diskstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/internal/sorted"
)

// reader is the Reader of a View, and the ground of a writer.
type reader struct {
	keys   *bbolt.Bucket
	rev    store.Rev
	layers []*sorted.Tree // what Updates have written over the keys, the latest first; nil is deleted
}

func (r *reader) Rev() store.Rev { return r.rev }

func (r *reader) Get(key []byte) ([]byte, error) {
	for _, over := range r.layers {
		if v, ok := over.Get(key); ok {
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
		notAfter := func(a, b []byte) bool { return bytes.Compare(a, b) <= 0 }
		over := r.written(notAfter, func(t *sorted.Tree) iter.Seq2[[]byte, []byte] { return t.Ascend(from, to) })
		merge(first, c.Next, over, notAfter, func(k []byte) bool { return to == nil || bytes.Compare(k, to) < 0 }, yield)
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
		notAfter := func(a, b []byte) bool { return bytes.Compare(a, b) >= 0 }
		over := r.written(notAfter, func(t *sorted.Tree) iter.Seq2[[]byte, []byte] { return t.Descend(from, to) })
		merge(first, c.Prev, over, notAfter, func(k []byte) bool { return from == nil || bytes.Compare(k, from) >= 0 }, yield)
	}
}

// written lists what Updates have written in a range: of each key the latest.
func (r *reader) written(notAfter func(a, b []byte) bool, walk func(*sorted.Tree) iter.Seq2[[]byte, []byte]) []entry {
	var out []entry
	for _, layer := range r.layers {
		if layer.Len() == 0 {
			continue
		}
		var all []entry
		for k, v := range walk(layer) {
			for len(out) > 0 && notAfter(out[0].key, k) {
				all = append(all, out[0])
				out = out[1:]
			}
			if n := len(all); n == 0 || !bytes.Equal(all[n-1].key, k) {
				all = append(all, entry{k, v})
			}
		}
		out = append(all, out...)
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
	over  sorted.Tree
	rows  map[uint64]*held
	three [3]*sorted.Tree // of the layers
}

var _ store.Writer = (*writer)(nil)

// held is a blob that an Update keeps or drops.
type held struct {
	id      uint64
	holders uint64
	at      *spot
	fresh   bool // it was nobody's before the Update
}

// spot is where a blob is. All that is written of the blob shares it.
type spot struct {
	place
	body []byte // of a small one that has no place yet, with its check sums
}

func newWriter(g *group, rev store.Rev) *writer {
	w := &writer{reader: reader{keys: g.keys, rev: rev}, group: g}
	w.three[0], w.three[1] = &w.over, &g.over
	w.layers = w.three[:2]
	if g.below != nil {
		w.three[2] = &g.below.over
		w.layers = w.three[:]
	}
	return w
}

func (w *writer) Put(key, value []byte) error {
	if err := store.CheckEntry(key, value); err != nil {
		return err
	}
	both := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	w.over.Set(both[:len(key):len(key)], both[len(key):])
	return nil
}

func (w *writer) Delete(key []byte) error {
	if _, err := w.Get(key); err != nil {
		return nil //nolint:nilerr // what is not there need not be deleted
	}
	w.over.Set(bytes.Clone(key), nil)
	return nil
}

func (w *writer) Keep(ref store.Ref) error {
	id, ok := ref2id(ref)
	if !ok {
		return store.ErrNotFound
	}
	h, err := w.hold(id)
	if errors.Is(err, store.ErrNotFound) {
		p, ok := w.group.e.segments.pendingBlob(id)
		if !ok {
			return store.ErrNotFound
		}
		h, err = w.put(held{id: id, at: &spot{p.at, p.body}, fresh: true}), nil
	}
	if err != nil {
		return err
	}
	h.holders++
	return nil
}

func (w *writer) Drop(ref store.Ref) error {
	id, ok := ref2id(ref)
	if !ok {
		return store.ErrNotFound
	}
	h, err := w.hold(id)
	if err != nil {
		return err
	}
	if h.holders == 0 {
		return store.ErrNotFound
	}
	h.holders--
	return nil
}

// hold gives the row of a blob that is held, or was when the Update began, to
// be changed.
func (w *writer) hold(id uint64) (*held, error) {
	if h := w.rows[id]; h != nil {
		return h, nil
	}
	for g := w.group; g != nil; g = g.below {
		if h := g.rows[id]; h != nil {
			if h.holders == 0 {
				return nil, store.ErrNotFound
			}
			return w.put(held{id: id, holders: h.holders, at: h.at}), nil
		}
	}
	row, err := parseRow(w.group.blobs.Get(blobKey(id)))
	if err != nil {
		return nil, err
	}
	return w.put(held{id: id, holders: row.holders, at: &spot{place: row.place}}), nil
}

func (w *writer) put(h held) *held {
	if w.rows == nil {
		w.rows = map[uint64]*held{}
	}
	w.rows[h.id] = &h
	return &h
}

// move says that a blob lies elsewhere now, if it lies in that segment. One that
// was dropped and kept again may get its place at this moment.
func (w *writer) move(id, from uint64, to place) {
	h, err := w.hold(id)
	if err != nil {
		return
	}
	s := &w.group.e.segments
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.at.segment == from {
		h.at = &spot{place: to}
	}
}

// settle makes sure that what was kept for the first time is still there: a
// blob whose writer was closed meanwhile fails the whole Update.
func (w *writer) settle() error {
	for id, h := range w.rows {
		if !h.fresh || h.holders == 0 {
			continue
		}
		p, ok := w.group.e.segments.pinPending(id)
		if !ok {
			return store.ErrNotFound
		}
		if p.seg != nil {
			w.group.pins = append(w.group.pins, p.seg)
		}
	}
	return nil
}

// merge makes what the Update has written the group's.
func (w *writer) merge() {
	g := w.group
	for k, v := range w.over.Ascend(nil, nil) {
		g.over.Set(k, v)
	}
	if g.rows == nil {
		g.rows = w.rows
		return
	}
	maps.Copy(g.rows, w.rows)
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
