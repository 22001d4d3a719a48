package server

import (
	"iter"
	"os"
)

// coroutine runs Turns in blocking style on a loop's own goroutine. It belongs
// to a Turn, not to a talk: a talk at rest has none.
type coroutine struct {
	t     *evTalk
	next  func() (struct{}, bool)
	stop  func()
	give  func(struct{}) bool
	waits bool // it gave the loop back in the middle of a Turn
	again bool // ... of an earlier Turn than the one that runs
	reads int  // since it last gave the loop back
	err   error
}

// spare is how many idle coroutines a loop keeps.
const spare = 64

func (lp *loop) coroutine() *coroutine {
	if k := len(lp.free); k > 0 {
		co := lp.free[k-1]
		lp.free = lp.free[:k-1]
		return co
	}
	co := &coroutine{}
	co.next, co.stop = iter.Pull(func(yield func(struct{}) bool) {
		co.give = yield
		for {
			co.err = co.turns()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return co
}

// turns runs the Turns that lie here: a switch for the batch, not for each.
func (co *coroutine) turns() (err error) {
	t := co.t
	defer t.site.rescue(&t.Talk, &err)
	for n := 1; ; n++ {
		if err := t.sess.Turn(t.site.ctx); err != nil {
			return err
		}
		if t.Tapped() {
			t.TellTurn()
		}
		if n == share || len(t.held) > 0 || t.state.Load()&(stWake|stCut) != 0 || !t.whole() {
			return nil
		}
		t.site.turns++
		if co.again { // the time of a Turn counts from its own beginning
			co.again = false
			t.touch()
		}
	}
}

// resume runs co until its Turns end or it waits.
func (lp *loop) resume(t *evTalk, co *coroutine) error {
	t.co = nil
	lp.current = co
	co.reads = 0
	co.next()
	lp.current = nil
	if co.waits {
		t.co = co
		return nil
	}
	co.t = nil
	if len(lp.free) < spare {
		lp.free = append(lp.free, co)
	} else {
		co.stop()
	}
	return co.err
}

// yield gives the loop back until the socket speaks.
func (t *evTalk) yield() error {
	lp := t.site.lp
	co := lp.current
	if err := t.ending(); err != nil {
		return err
	}
	lp.letGo(t)
	if t.eager { // a whole talk in one Turn: each wait has its time
		t.touch()
	}
	co.waits = true
	co.give(struct{}{})
	co.waits, co.again = false, true
	return t.ending()
}

// ending is why a Turn on the loop must not wait any longer.
func (t *evTalk) ending() error {
	s := t.state.Load()
	switch {
	case t.why != nil:
		return t.why
	case s&stLate != 0:
		t.state.And(^uint32(stLate))
	}
	if t.expired() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// share gives the loop to others when the coroutine has read much without a
// wait, as it may if its peer sends faster than it reads.
func (co *coroutine) share() error {
	if co.reads++; co.reads < share {
		return nil
	}
	t := co.t
	if !t.queued {
		t.queued = true
		t.site.lp.again = append(t.site.lp.again, t)
	}
	return t.yield()
}

// detour runs f on a goroutine while a coroutine waits for it.
func (o *evOwner) detour(f func() error) error {
	t := (*evTalk)(o)
	lp := t.site.lp
	if t.worker {
		return f()
	}
	if lp.current == nil || lp.current.t != t {
		return ErrMode
	}
	if err := t.W.Flush(); err != nil {
		return err
	}
	t.sendNow()
	lp.letGo(t)
	lp.readied = true
	co := lp.current
	t.worker = true
	t.state.Or(stRun)
	var err error
	go func() {
		defer func() {
			t.worker = false
			t.state.And(^uint32(stRun))
			lp.post(t)
		}()
		defer t.site.rescue(&t.Talk, &err)
		err = f()
	}()
	co.waits = true
	co.give(struct{}{})
	co.waits = false
	return err
}
