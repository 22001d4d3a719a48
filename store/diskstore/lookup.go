package diskstore

import (
	"encoding/binary"
	"sync"

	"go.etcd.io/bbolt"
)

const (
	shelves   = 16
	shelfSize = 64
)

// lookups remembers where blobs are that came one after the other, for whoever
// reads them in that order. It is good for one version of the index: what it
// says is what the index would.
type lookups struct {
	mu  sync.Mutex
	all [shelves]shelf
}

// A shelf is the places of blobs with neighbouring numbers.
type shelf struct {
	version uint64
	base    uint64 // the number of the first
	filled  bool   // else it was asked for one of them
	has     uint64 // a bit for each that there is
	at      [shelfSize]place
}

// find gives a place that is remembered. Where none is, fill says that
// neighbours were asked for before, so that it is worth while to read them all.
func (l *lookups) find(id, version uint64) (at place, ok, fill bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	base, n := id-id%shelfSize, id%shelfSize
	s := &l.all[base/shelfSize%shelves]
	if s.version != version || s.base != base {
		s.version, s.base, s.filled = version, base, false
		return place{}, false, false
	}
	if !s.filled {
		return place{}, false, true
	}
	return s.at[n], s.has&(1<<n) != 0, false
}

// fill reads the shelf of a blob.
func (l *lookups) fill(id, version uint64, blobs *bbolt.Bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	base := id - id%shelfSize
	s := &l.all[base/shelfSize%shelves]
	s.version, s.base, s.filled, s.has = version, base, true, 0
	c := blobs.Cursor()
	for k, v := c.Seek(blobKey(base)); len(k) == 8; k, v = c.Next() {
		n := binary.BigEndian.Uint64(k) - base
		if n >= shelfSize {
			return
		}
		if row, err := parseRow(v); err == nil {
			s.at[n], s.has = row.place, s.has|1<<n
		}
	}
}

// find looks a held blob up.
func (e *Engine) find(id uint64) (place, error) {
	version := e.version.Load() // before the index is read, so that it is not too new for that
	at, ok, fill := e.lookups.find(id, version)
	if ok {
		return at, nil
	}
	tx, err := e.db.Begin(false)
	if err != nil {
		return place{}, err
	}
	defer func() { _ = tx.Rollback() }() // of what was only read
	blobs := tx.Bucket(bucketBlobs)
	if fill {
		e.lookups.fill(id, version, blobs)
	}
	row, err := parseRow(blobs.Get(blobKey(id)))
	return row.place, err
}
