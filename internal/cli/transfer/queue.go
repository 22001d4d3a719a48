package transfer

import (
	"context"
	"sync"
)

// A task is done by a queue. An error gives it back, to be done later by fewer
// at once; alone tells that there are no fewer.
type task struct {
	urgent bool // before those that are not
	do     func(alone bool) error
}

// queue is work that makes more work, done by several at once.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	urgent  []task
	usual   []task
	working int
	workers int
	over    bool
}

func newQueue(workers int) *queue {
	q := &queue{workers: workers}
	q.changed = sync.NewCond(&q.mu)
	return q
}

func (q *queue) add(t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.push(t)
}

func (q *queue) push(t task) {
	if t.urgent {
		q.urgent = append(q.urgent, t)
	} else {
		q.usual = append(q.usual, t)
	}
	q.changed.Signal()
}

// run returns when all is done and nobody makes more, or the context is over
// and nobody works any more.
func (q *queue) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.over = true
		q.changed.Broadcast()
	})
	defer stop()
	var all sync.WaitGroup
	for range q.workers {
		all.Go(q.work)
	}
	all.Wait()
}

// enough is how many tasks wait at most before new directories are read.
const enough = 10_000

// next waits for a task; false: there will be none.
func (q *queue) next() (task, bool) {
	for {
		switch {
		case q.over:
			return task{}, false
		case len(q.urgent) > 0 && len(q.usual) < enough:
			t := q.urgent[len(q.urgent)-1]
			q.urgent = q.urgent[:len(q.urgent)-1]
			return t, true
		case len(q.usual) > 0:
			t := q.usual[0]
			q.usual = q.usual[1:]
			return t, true
		case q.working == 0:
			q.changed.Broadcast()
			return task{}, false
		}
		q.changed.Wait()
	}
}

func (q *queue) work() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		t, ok := q.next()
		if !ok {
			return
		}
		q.working++
		alone := q.workers == 1
		q.mu.Unlock()
		err := t.do(alone)
		q.mu.Lock()
		q.working--
		if err != nil {
			q.push(t)
			if q.workers > 1 {
				q.workers--
				return
			}
		}
		if q.working == 0 {
			q.changed.Broadcast()
		}
	}
}

// crowded is a server that lets no more of us in at once.
type crowded struct{ error }

func (c *crowded) Unwrap() error { return c.error }
