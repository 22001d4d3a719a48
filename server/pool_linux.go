package server

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/wire"
)

// work runs t's Turns until nothing is left to do; then the loop has it again.
func (t *evTalk) work() {
	t.worker = true
	err := t.workOn()
	if err == nil {
		return
	}
	if t.state.Load()&stCut != 0 && t.why != nil {
		err = t.why
	}
	t.setDeadline(0) // the session's, not its last words'
	if t.finish(t.site.run, err) == nil {
		_ = t.waitSent() // last words; the loop's limits end it
	}
	t.state.Or(stEnd)
	t.site.lp.post(t)
}

// start is what comes before the first Turn, where that may wait.
func (t *evTalk) start() error {
	st := t.site
	if st.TLS != nil {
		if err := t.Conn.Upgrade(st.ctx, conv.ServerTLS(st.ctx, st.TLS)); err != nil {
			return errors.Join(ErrHandshake, err)
		}
	}
	if err := t.open(st.run); err != nil {
		return err
	}
	_, t.eager = t.sess.(interface{ eager() })
	t.touch()
	t.state.And(^uint32(stStart))
	return t.W.Flush()
}

func (t *evTalk) workOn() (err error) {
	defer t.site.rescue(&t.Talk, &err)
	if t.over {
		return t.why
	}
	if t.sess == nil {
		if err := t.start(); err != nil {
			return err
		}
	}
	blocks := t.site.mode == Blocks
	for {
		if blocks {
			if err := t.workTurns(); err != nil {
				return err
			}
		}
		if t.Tapped() {
			t.TellTurn()
		}
		t.R.Own()
		t.worker = false
		if !blocks { // the handshake is done: the loop goes on, and looks inside TLS
			t.state.And(^uint32(stRun))
			t.site.lp.post(t)
			return nil
		}
		if t.state.CompareAndSwap(stRun, 0) {
			return nil
		}
		t.worker = true
		s := t.state.Load()
		if s&stCut != 0 {
			return t.why
		}
		if s == stRun|stBye && len(t.held) == 0 { // nothing to do but this
			t.farewell(t.site.ctx)
			return ErrStopping
		}
		if s&stLate != 0 {
			t.state.And(^uint32(stLate))
		}
		if s&stEvent != 0 {
			t.took(t.state.And(^uint32(stEvent | stHup)))
			if len(t.held) > 0 {
				if err := t.unhold(); err != nil {
					return err
				}
			}
		}
		if s&(stWake|stBye) != 0 && len(t.held) > 0 {
			if err := t.waitSent(); err != nil {
				return err
			}
		}
	}
}

// workTurns pushes and turns as long as there is something to do without
// waiting for a request.
func (t *evTalk) workTurns() error {
	st := t.site
	for {
		s := t.state.Load()
		if s&stCut != 0 {
			return t.why
		}
		if s&stWake != 0 && len(t.held) == 0 {
			t.state.And(^uint32(stWake))
			if err := t.push(st.ctx); err != nil {
				return err
			}
		}
		if len(t.held) == 0 && t.whole() {
			st.count.turns.Add(1)
			t.touch()
			if err := t.sess.Turn(st.ctx); err != nil {
				return err
			}
			if t.Tapped() {
				t.TellTurn()
			}
			continue
		}
		if err := t.W.Flush(); err != nil {
			return err
		}
		if len(t.held) > 0 || t.dry() {
			return nil
		}
		t.noWait = true
		err := t.R.Fill()
		t.noWait = false
		if err == wire.ErrWait {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pool runs the Turns that may block. Most do not: one runner for each core
// drains the queue, and the loops, when they come round and see Turns still
// waiting, add runners.
type pool struct {
	mu     sync.Mutex
	cond   *sync.Cond
	queue  []*evTalk
	left   atomic.Int32 // len(queue), for the loops to see
	procs  int
	active int
	idle   int
	done   bool
	joined sync.WaitGroup
}

// idleRunners is how many runners wait for work at most.
const idleRunners = 64

func newPool() *pool {
	p := &pool{procs: runtime.GOMAXPROCS(0)}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pool) run(t *evTalk) {
	p.mu.Lock()
	p.queue = append(p.queue, t)
	p.left.Store(int32(len(p.queue)))
	if p.active < p.procs {
		p.more()
	}
	p.mu.Unlock()
}

// more adds a runner; with mu held.
func (p *pool) more() {
	p.active++
	if p.idle > 0 {
		p.idle--
		p.cond.Signal()
		return
	}
	p.joined.Go(p.runner)
}

// late adds a runner if Turns still wait: those that run must be blocked.
func (p *pool) late() {
	if p.left.Load() == 0 {
		return
	}
	p.mu.Lock()
	if len(p.queue) > 0 {
		p.more()
	}
	p.mu.Unlock()
}

func (p *pool) runner() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.queue) == 0 {
			p.active--
			if p.done || p.idle >= idleRunners {
				return
			}
			p.idle++
			p.cond.Wait()
			if p.done {
				return
			}
		}
		t := p.queue[0]
		p.queue = p.queue[1:]
		p.left.Store(int32(len(p.queue)))
		p.mu.Unlock()
		t.work()
		p.mu.Lock()
	}
}

// close ends the runners, which have nothing left to do, and joins them.
func (p *pool) close() {
	p.mu.Lock()
	p.done = true
	p.mu.Unlock()
	p.cond.Broadcast()
	p.joined.Wait()
}
