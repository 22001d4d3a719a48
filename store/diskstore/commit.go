package diskstore

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/farend-go/farend/store"
)

// Limits of a group.
const (
	maxGroup      = 512
	maxGroupBytes = 32 << 20
)

// A request is an Update in the queue. Its function runs on its caller's
// goroutine, when the committer gives it the turn.
type request struct {
	turn  chan *writer
	ran   chan bool // whether the function succeeded
	done  chan error
	state atomic.Int32
	// quiet marks the engine's own changes: they have no revision.
	quiet bool
	w     *writer
}

// States of a request. Either the caller gives it up or the committer takes it.
const (
	waiting int32 = iota
	taken
	givenUp
)

// Update implements [store.Engine].
func (e *Engine) Update(ctx context.Context, f func(store.Writer) error) error {
	return e.update(ctx, false, func(w *writer) error { return f(w) })
}

func (e *Engine) update(ctx context.Context, quiet bool, f func(*writer) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if err := e.failed(); err != nil {
		return err
	}
	r := &request{turn: make(chan *writer, 1), ran: make(chan bool, 1), done: make(chan error, 1), quiet: quiet}
	select {
	case e.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	}
	var w *writer
	select {
	case w = <-r.turn:
	case err := <-r.done: // the group could not begin
		return err
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, givenUp) {
			return ctx.Err()
		}
		select {
		case w = <-r.turn:
		case err := <-r.done:
			return err
		}
	}
	if err := r.run(w, f); err != nil {
		return err
	}
	return <-r.done
}

// run runs f and tells the committer, whatever becomes of f.
func (r *request) run(w *writer, f func(*writer) error) error {
	ok := false
	defer func() { r.ran <- ok }()
	if err := f(w); err != nil {
		return err
	}
	ok = true
	return nil
}

// commitGroups is the committer: it makes groups of what waits, until the
// queue is closed.
func (e *Engine) commitGroups() {
	for r := range e.queue {
		g := &group{e: e, rev: e.rev}
		g.collect(r)
		err := g.finish()
		for _, r := range g.members {
			r.done <- err
		}
	}
}

// A group is the Updates that become durable together.
type group struct {
	e       *Engine
	tx      *bbolt.Tx
	rev     store.Rev // of the last member
	members []*request
	bytes   int
	poison  error            // what the index said to a write
	live    map[uint64]int64 // what segments gain and lose
}

// collect runs the first request, and those that come meanwhile.
func (g *group) collect(r *request) {
	for {
		g.run(r)
		if len(g.members) >= maxGroup || g.bytes >= maxGroupBytes {
			return
		}
		select {
		case next, ok := <-g.e.queue:
			if !ok {
				return
			}
			r = next
		default:
			return
		}
	}
}

// run gives r the turn, and takes what it wrote into the transaction.
func (g *group) run(r *request) {
	if !r.state.CompareAndSwap(waiting, taken) {
		return
	}
	if err := g.begin(); err != nil {
		r.done <- diskError(err)
		return
	}
	rev := g.rev
	if !r.quiet {
		rev++
	}
	r.w = newWriter(g, rev)
	r.turn <- r.w
	if !<-r.ran {
		return
	}
	rows, err := r.w.rows()
	if err != nil {
		r.done <- err
		return
	}
	g.poison = errors.Join(g.poison, r.w.apply(rows))
	g.rev = rev
	g.members = append(g.members, r)
	g.bytes += r.w.bytes
}

func (g *group) begin() (err error) {
	if err := g.e.failed(); err != nil {
		return err
	}
	if g.tx == nil {
		g.tx, err = g.e.db.Begin(true)
	}
	return err
}

// finish makes the group durable.
func (g *group) finish() error {
	if g.tx == nil {
		return nil
	}
	if len(g.members) == 0 {
		return g.tx.Rollback()
	}
	if g.poison != nil {
		return errors.Join(g.poison, g.tx.Rollback())
	}
	e := g.e
	if err := e.segments.sync(); err != nil {
		return errors.Join(e.fail(diskError(err)), g.tx.Rollback())
	}
	e.rev = g.rev
	if err := e.commit(g.tx); err != nil {
		if onlyFull(err) {
			return diskError(err)
		}
		return e.fail(diskError(err))
	}
	e.segments.change(g.live)
	e.counted.updates.Add(int64(len(g.members)))
	e.hub.Changed(g.rev, func(yield func([]byte) bool) {
		for _, r := range g.members {
			for key := range r.w.over.Ascend(nil, nil) {
				if !yield(key) {
					return
				}
			}
		}
	})
	e.compactor.look()
	return nil
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
