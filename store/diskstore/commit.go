package diskstore

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/internal/sorted"
)

// A group is the Updates that become durable together. While one is written to
// the disk the next one gathers above it.
type group struct {
	e       *Engine
	below   *group // the one that is on its way to the disk; nil: the index has all
	rev     store.Rev
	members int
	over    sorted.Tree      // what its Updates have written; nil is deleted
	rows    map[uint64]*held // the blobs that they keep and drop
	pins    []*segment       // of large blobs, which have segments of their own

	tx    *bbolt.Tx // what its Updates read; nil until the first
	keys  *bbolt.Bucket
	blobs *bbolt.Bucket

	done chan struct{} // closed when what became of it is known
	err  error
}

// errAgain is of a group above one that failed: its Updates have seen what has
// not happened.
var errAgain = errors.New("diskstore: what this stood on has failed")

func newGroup(e *Engine, rev store.Rev, below *group) *group {
	return &group{e: e, rev: rev, below: below, done: make(chan struct{})}
}

// Update implements [store.Engine].
func (e *Engine) Update(ctx context.Context, f func(store.Writer) error) error {
	return e.update(ctx, false, func(w *writer) error { return f(w) })
}

// update runs f in its turn, and returns when its group is durable. A quiet one
// is the engine's own, and has no revision.
func (e *Engine) update(ctx context.Context, quiet bool, f func(*writer) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	for {
		if err := e.failed(); err != nil {
			return err
		}
		select {
		case e.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		g, ferr := e.join(quiet, f)
		if g == nil {
			return ferr
		}
		select {
		case e.ready <- struct{}{}:
		default: // the committer has not taken the last word yet
		}
		<-g.done
		switch {
		case g.err == nil:
			return ferr
		case ferr == nil && !errors.Is(g.err, errAgain):
			return g.err
		}
		if err := ctx.Err(); err != nil { // what it stood on has failed: it runs again
			return err
		}
	}
}

// join runs f as one of the group that gathers, and ends the turn. It gives the
// group that decides what becomes of it: where f fails, that of the last Update
// whose work it has seen; nil where that is durable.
func (e *Engine) join(quiet bool, f func(*writer) error) (*group, error) {
	defer func() { <-e.turn }()
	g := e.group
	if err := g.begin(); err != nil {
		return nil, diskError(err)
	}
	if g.tx.Size() >= e.room/2 {
		defer g.release() // the index may have to move, which waits for all who read
	}
	rev := g.rev
	if !quiet {
		rev++
	}
	w := newWriter(g, rev)
	err := f(w)
	if err == nil {
		err = w.settle()
	}
	switch {
	case err == nil:
	case g.members > 0:
		return g, err
	default:
		return g.below, err
	}
	w.merge()
	g.rev = rev
	g.members++
	return g, nil
}

// begin has the group read the index as it is now: what the group below has
// written may be in it or not.
func (g *group) begin() error {
	if g.tx != nil {
		return nil
	}
	tx, err := g.e.db.Begin(false)
	if err != nil {
		return err
	}
	g.tx, g.keys, g.blobs = tx, tx.Bucket(bucketKeys), tx.Bucket(bucketBlobs)
	return nil
}

// release ends the reading.
func (g *group) release() {
	if g.tx != nil {
		_ = g.tx.Rollback() // of what was only read
		g.tx, g.keys, g.blobs = nil, nil, nil
	}
}

// commitGroups is the committer: it makes one group after the other durable,
// until ready is closed.
func (e *Engine) commitGroups() {
	for range e.ready {
		g := e.seal()
		if g == nil {
			continue
		}
		if g.err = g.finish(); g.err != nil {
			close(e.takeBack().done)
		}
		e.segments.unpinAll(g.pins)
		close(g.done)
		e.settleDown()
	}
}

// seal takes the group that has gathered, and begins the next above it; nil
// where nobody has joined.
func (e *Engine) seal() *group {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	g := e.group
	if g.members == 0 {
		return nil
	}
	g.release()
	g.below = nil // it has been durable since before this one was sealed
	e.group = newGroup(e, g.rev, g)
	return g
}

// takeBack ends the group that gathers above one that has failed: its Updates
// run again.
func (e *Engine) takeBack() *group {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	g := e.group
	g.release()
	g.err = errAgain
	e.segments.unpinAll(g.pins)
	e.group = newGroup(e, e.rev, nil)
	return g
}

// settleDown lets go of what the index has by now, if nobody is at work.
func (e *Engine) settleDown() {
	select {
	case e.turn <- struct{}{}:
		e.group.release()
		e.group.below = nil
		<-e.turn
	default:
	}
}

// finish makes the group durable.
func (g *group) finish() error {
	e := g.e
	if err := e.failed(); err != nil {
		return err
	}
	written, err := g.writeBodies()
	defer e.segments.unpinAll(written)
	if err != nil {
		return diskError(err)
	}
	tx, err := e.db.Begin(true)
	if err != nil {
		return diskError(err)
	}
	live, err := g.apply(tx)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := e.segments.sync(); err != nil {
		return errors.Join(e.fail(diskError(err)), tx.Rollback())
	}
	if err := e.commit(tx, g.rev); err != nil {
		if onlyFull(err) {
			return diskError(err)
		}
		return e.fail(diskError(err))
	}
	e.rev = g.rev
	e.version.Add(1)
	e.segments.change(live)
	e.counted.updates.Add(int64(g.members))
	e.hub.Changed(g.rev, func(yield func([]byte) bool) {
		for key := range g.over.Ascend(nil, nil) {
			if !yield(key) {
				return
			}
		}
	})
	e.compactor.look()
	return nil
}

// oneWrite is about how much is written to a segment at once.
const oneWrite = 1 << 20

// writeBodies puts the small blobs that are kept for the first time one behind
// the other into a segment, and pins where they went. They have their place
// from then on; where the group fails nobody has use for it.
func (g *group) writeBodies() (pinned []*segment, err error) {
	var fresh []*held
	for _, row := range g.rows {
		if row.holders > 0 && row.at.body != nil {
			fresh = append(fresh, row)
		}
	}
	slices.SortFunc(fresh, func(a, b *held) int { return int(int64(a.id) - int64(b.id)) })
	s := &g.e.segments
	for len(fresh) > 0 {
		n, size := 0, int64(0)
		for n < len(fresh) && size < oneWrite {
			size += int64(len(fresh[n].at.body))
			n++
		}
		seg, offset, err := s.reserve(size)
		if err != nil {
			return pinned, err
		}
		pinned = append(pinned, seg)
		out := fresh[0].at.body
		if n > 1 {
			out = g.e.out[:0]
			for _, row := range fresh[:n] {
				out = append(out, row.at.body...)
			}
			g.e.out = out
		}
		if err := s.write(seg, out, offset); err != nil {
			return pinned, err
		}
		s.soil(seg)
		s.mu.Lock() // an Update that moves blobs may look at them
		for _, row := range fresh[:n] {
			row.at.segment, row.at.offset = seg.number, offset
			offset += int64(len(row.at.body))
			row.at.body = nil
		}
		s.mu.Unlock()
		fresh = fresh[n:]
	}
	return pinned, nil
}

// apply writes what the Updates have written into the index, and tells what
// segments gain and lose by it.
func (g *group) apply(tx *bbolt.Tx) (live map[uint64]int64, err error) {
	live = map[uint64]int64{}
	blobs, keys := tx.Bucket(bucketBlobs), tx.Bucket(bucketKeys)
	for id, h := range g.rows {
		key := blobKey(id)
		if was, err := parseRow(blobs.Get(key)); err == nil {
			live[was.segment] -= was.length()
		}
		if h.holders == 0 {
			if err := blobs.Delete(key); err != nil {
				return nil, err
			}
			continue
		}
		live[h.at.segment] += h.at.length()
		row := blobRow{h.holders, h.at.place}.append(nil) // the index holds on to it until it commits
		if err := blobs.Put(key, row); err != nil {
			return nil, err
		}
	}
	for k, v := range g.over.Ascend(nil, nil) {
		if v == nil {
			err = keys.Delete(k)
		} else {
			err = keys.Put(k, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return live, nil
}

// onlyFull tells a write that found no room, after which the index is as it
// was, from all other failures of a commit: after those nobody knows.
func onlyFull(err error) bool {
	if !isFull(err) {
		return false
	}
	var path *fs.PathError
	return !errors.As(err, &path) || path.Op == "write"
}
