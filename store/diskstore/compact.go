package diskstore

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
)

// compactor moves what is left of mostly dropped segments, in the background.
type compactor struct {
	wake   chan struct{}
	cancel context.CancelFunc
	run    sync.WaitGroup
}

// moveBytes is how much is moved in one step.
const moveBytes = 4 << 20

func (c *compactor) start(e *Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	c.wake, c.cancel = make(chan struct{}, 1), cancel
	c.run.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.wake:
			}
			for {
				number, ok := e.segments.sparse()
				if !ok || ctx.Err() != nil {
					break
				}
				if err := e.compact(ctx, number); err != nil {
					e.segments.leave(number)
				}
			}
		}
	})
	c.look()
}

// look says that a segment may have become sparse.
func (c *compactor) look() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *compactor) stop() {
	c.cancel()
	c.run.Wait()
}

// leave takes a segment that could not be compacted out of the round.
func (s *segments) leave(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg := s.all[number]; seg != nil {
		seg.stuck = true
	}
}

// compact moves the blobs of a segment to the active one.
func (e *Engine) compact(ctx context.Context, number uint64) error {
	seg, err := e.segments.pinNumber(number)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer e.segments.unpin(seg)
	for {
		some, err := e.blobsIn(number)
		if err != nil || len(some) == 0 {
			return err
		}
		if err := e.move(ctx, seg, some); err != nil {
			return err
		}
	}
}

// blobsIn finds some of the blobs of a segment.
func (e *Engine) blobsIn(number uint64) (map[uint64]place, error) {
	some := map[uint64]place{}
	bytes := int64(0)
	err := e.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketBlobs).Cursor()
		for k, v := c.First(); k != nil && bytes < moveBytes; k, v = c.Next() {
			row, err := parseRow(v)
			if err != nil {
				return err
			}
			if row.segment == number {
				some[binary.BigEndian.Uint64(k)] = row.place
				bytes += row.length()
			}
		}
		return nil
	})
	return some, err
}

// move copies blobs to the active segment, and then tells the index.
func (e *Engine) move(ctx context.Context, from *segment, some map[uint64]place) error {
	moved := map[uint64]place{}
	for id, at := range some {
		to, seg, err := e.copyBlob(from, at)
		if seg != nil {
			defer e.segments.unpin(seg)
		}
		if err != nil {
			return err
		}
		moved[id] = to
	}
	return e.update(ctx, true, func(w *writer) error {
		for id, to := range moved {
			w.move(id, from.number, to)
		}
		return nil
	})
}

// copyBlob copies one, and pins where it went.
func (e *Engine) copyBlob(from *segment, at place) (place, *segment, error) {
	buf := make([]byte, at.length())
	b := blob{seg: from, at: at}
	if err := b.fill(buf, 0); err != nil {
		return place{}, nil, err
	}
	sums := buf[at.size:]
	if string(appendSums(nil, buf[:at.size])) != string(sums) || crc32.Checksum(sums, castagnoli()) != at.sum {
		return place{}, nil, b.damaged()
	}
	seg, offset, err := e.segments.reserve(int64(len(buf)))
	if err != nil {
		return place{}, nil, err
	}
	if err := e.segments.write(seg, buf, offset); err != nil {
		return place{}, seg, err
	}
	e.segments.soil(seg)
	at.segment, at.offset = seg.number, offset
	return at, seg, nil
}
