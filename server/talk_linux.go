package server

import (
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/wire"
)

// The state of a talk that other goroutines may look at. Only loops set stRun;
// a worker that lets go clears it by compare-and-swap, so that a Turn on the
// loop pays for no atomic but a load.
const (
	stRun   = 1 << iota // a worker owns the talk
	stEvent             // the socket spoke while a worker owned it
	stHup               // ... and ended
	stWake              // a Push is asked for
	stPark              // the worker waits in the middle of a Turn
	stCut               // it must end
	stLate              // its deadline has passed
	stEnd               // it has ended; only the loop has to be told
	stStart             // it has not begun: a handshake, or an Open that may wait
	stBye               // the server stops: goodbye, when the worker has nothing to do
	stGone              // its descriptor is closed
)

// evTalk is a talk on a loop. What every Turn touches lies together.
type evTalk struct {
	Talk
	site     *site
	fd, gen  int32
	state    atomic.Uint32
	since    atomic.Uint32 // tick of the last Turn's end, or of its beginning
	drained  bool          // the socket has no more, or will say so
	hup      bool          // the peer's end is near: read until it shows
	eof      bool          // it has shown
	dead     bool
	queued   bool // in lp.again
	worker   bool // a worker or a handshake runs it
	noWait   bool // a worker's read must not wait
	short    bool // the inline Turn needs more than lies here
	eager    bool // a Turn begins without input
	closing  bool // only last words are left
	leaving  bool // they are out too, and the peer has not ended
	talks    bool // ... but still talks
	over     bool // a worker has to end it, because of why
	held     []byte
	co       *coroutine
	park     chan struct{}
	deadline atomic.Int64 // in nanoseconds since the loop's start; 0: none
	why      error
	line     line // where the loop has a ring
}

// evOwner is an evTalk as its Talk sees it.
type evOwner evTalk

// wake schedules a Push, from any goroutine.
func (o *evOwner) wake() {
	t := (*evTalk)(o)
	if old := t.state.Or(stWake); old&(stWake|stRun|stEnd) == 0 {
		t.site.lp.post(t)
	}
}

func (o *evOwner) netConn() net.Conn { return nil }

// event1 takes note of what the socket said.
func (lp *loop) event1(t *evTalk, ev uint32) {
	// Urgent data cuts reads short, so that they do not tell that the socket is
	// empty: like the peer's end, it has the talk read until the kernel says so.
	hup := ev&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLPRI) != 0
	if t.state.Load()&stRun != 0 {
		add := uint32(stEvent)
		if hup {
			add |= stHup
		}
		old := t.state.Or(add)
		if old&stPark != 0 {
			lp.readied = true
			t.unpark()
			return
		}
		if old&stRun != 0 {
			return
		}
		t.state.And(^uint32(stEvent | stHup)) // the worker let go meanwhile
	}
	if hup {
		t.hup = true
	} else if ev&unix.EPOLLIN == 0 && len(t.held) == 0 && t.co == nil {
		return // writable, and nothing waits for that
	}
	t.drained = false
	lp.step(t)
}

// awake goes on with a talk that another goroutine posted.
func (lp *loop) awake(t *evTalk) {
	s := t.state.Load()
	switch {
	case t.dead:
	case s&stEnd != 0:
		lp.part(t)
	case s&stRun == 0:
		t.took(t.state.And(^uint32(stEvent | stHup | stBye)))
		if s&stCut != 0 && t.co == nil && !t.closing { // cut while a worker had it
			lp.end(t, t.why)
			return
		}
		lp.step(t)
	}
}

// took notes what the socket said while a worker owned the talk.
func (t *evTalk) took(s uint32) {
	if s&stHup != 0 {
		t.hup = true
	}
	if s&stEvent != 0 {
		t.drained = false
	}
}

// dry tells that a read would bring nothing: the socket was emptied, and
// nothing stands between that might hold bytes.
func (t *evTalk) dry() bool { return t.drained && !t.hup && !t.Upgraded() }

// share is how many Turns a talk may have in one round of its loop.
const share = 64

// step does for t what can be done now.
func (lp *loop) step(t *evTalk) {
	if err := lp.advance(t); err != nil {
		lp.end(t, err)
		return
	}
	if t.site.detached {
		lp.dismiss(t)
	}
}

func (lp *loop) advance(t *evTalk) (err error) {
	defer t.site.rescue(&t.Talk, &err)
	if len(t.held) > 0 {
		if err := t.unhold(); err != nil {
			if t.co == nil {
				return err
			}
			if t.why == nil { // the Turn that waits to send hears of it
				t.why = err
			}
		}
		if len(t.held) > 0 && t.co == nil {
			return nil
		}
		if t.closing {
			lp.part(t)
			return nil
		}
	}
	if t.closing {
		if t.leaving {
			t.talks = t.stillTalks() || t.talks
			if t.eof {
				lp.bury(t)
			}
		}
		return nil
	}
	if t.co != nil {
		if err := lp.resume(t, t.co); err != nil || t.co != nil || t.state.Load()&stRun != 0 {
			return err
		}
		if t.why != nil { // it was to end, and the Turn made nothing of that
			return t.why
		}
	}
	for n := 0; ; n++ {
		if t.state.Load()&stWake != 0 {
			if t.site.mode == Blocks {
				return lp.hand(t)
			}
			t.state.And(^uint32(stWake))
			if err := t.push(t.site.ctx); err != nil {
				return err
			}
		}
		if !t.whole() {
			more, err := t.more()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			continue
		}
		if n >= share || len(t.held) > 0 {
			if len(t.held) == 0 && !t.queued {
				t.queued = true
				lp.again = append(lp.again, t)
			}
			break
		}
		if t.site.mode == Blocks {
			if ok, err := t.prompt(); err != nil {
				return err
			} else if ok {
				continue
			}
			return lp.hand(t)
		}
		if err := lp.turn(t); err != nil || t.co != nil || t.state.Load()&stRun != 0 {
			return err
		}
	}
	return lp.settle(t)
}

// settle ends an advance: what was said leaves.
func (lp *loop) settle(t *evTalk) error {
	t.touch()
	if err := t.W.Flush(); err != nil {
		return err
	}
	if t.Tapped() {
		t.TellTurn()
	}
	t.R.Own()
	if t.site.mode == Blocks { // nothing ran here but reads and Prompts
		lp.calm++
	}
	return nil
}

// turn runs a Turn on the loop.
func (lp *loop) turn(t *evTalk) error {
	t.site.turns++
	t.site.mark()
	if t.site.mode == Waits {
		co := lp.coroutine()
		co.t = t
		t.touch()
		return lp.resume(t, co)
	}
	mark := t.R.Mark()
	t.Here = true
	err := t.sess.Turn(t.site.ctx)
	t.Here = false
	if err == wire.ErrWait { // not whole after all: again with more
		t.R.Rewind(mark)
		t.short = true
		if held := t.site.limits.Held; held > 0 && t.R.Buffered() >= max(held, t.R.Limit()) {
			return wire.ErrLineTooLong
		}
		return nil
	}
	if t.Tapped() {
		t.TellTurn()
	}
	return err
}

// prompt answers a request on the loop, if its session can do so without
// waiting.
func (t *evTalk) prompt() (bool, error) {
	p, ok := t.sess.(Prompter)
	if !ok {
		return false, nil
	}
	mark := t.R.Mark()
	t.Here = true
	err := p.Prompt(t.site.ctx)
	t.Here = false
	if err == wire.ErrWait {
		t.R.Rewind(mark)
		return false, nil
	}
	t.site.turns++
	t.site.mark()
	if t.Tapped() {
		t.TellTurn()
	}
	return true, err
}

// more reads what the socket has, without waiting; false: nothing, for now.
func (t *evTalk) more() (bool, error) {
	if err := t.W.Flush(); err != nil {
		return false, err
	}
	if len(t.held) > 0 || t.dry() {
		return false, nil
	}
	if err := t.R.Fill(); err == wire.ErrWait {
		return false, nil
	} else if err != nil {
		return false, err
	}
	t.short = false
	return true, nil
}

// whole tells whether a request lies here; one that is longer than a line may
// be is whole as well, for the Turn to refuse.
func (t *evTalk) whole() bool {
	if t.eager {
		return true
	}
	if t.R.Buffered() == 0 || t.short {
		return false
	}
	return t.comp.Complete(t.R.Peek()) <= 0 || t.R.Buffered() >= t.R.Limit()
}

// hand gives the talk to a worker. Little input is copied, so that the loop's
// storage stays with the loop; with much the storage itself goes.
func (lp *loop) hand(t *evTalk) error {
	if err := t.W.Flush(); err != nil {
		return err
	}
	t.sendNow()
	if t.R.Lent() && t.R.Buffered() > 4096 {
		lp.letGo(t)
	}
	t.R.Own()
	t.touch()
	t.state.Or(stRun)
	if t.site.detached {
		t.state.Or(stBye)
	}
	lp.handed = true
	lp.pool.run(t)
	return nil
}

// letGo leaves the loop's storage to t, because t may hold slices of it.
func (lp *loop) letGo(t *evTalk) {
	if t.R.Lent() {
		t.R.Keep()
		lp.in = wire.Get(wire.Large)
	}
}

// end closes the session of t; the connection goes when the last words have.
func (lp *loop) end(t *evTalk, why error) {
	if t.dead || t.closing {
		if !t.dead {
			lp.bury(t)
		}
		return
	}
	t.why = why
	t.sendNow()
	if t.site.mode == Blocks && t.sess != nil { // its Close may wait for anything
		t.over = true
		t.R.Own()
		t.touch()
		t.state.Or(stRun)
		lp.handed = true
		lp.pool.run(t)
		return
	}
	err := t.finish(t.site.run, why)
	t.sendNow()
	if err == nil && len(t.held) > 0 {
		t.closing = true
		t.touch()
		return
	}
	lp.part(t)
}

// part closes the connection, for the last words are out, as soon as the peer
// has ended too. What it says to a closed connection is answered with a reset,
// and that may overtake the words: so only our half is closed at first, until a
// moment has passed, which is longer for a peer that still talks.
func (lp *loop) part(t *evTalk) {
	t.talks = t.stillTalks() || t.R.Buffered() > 0
	if t.leaving || t.eof || t.state.Load()&stCut != 0 || unix.Shutdown(int(t.fd), unix.SHUT_WR) != nil {
		lp.bury(t)
		return
	}
	t.leaving, t.closing, t.worker = true, true, false
	t.setDeadline(0)
	t.state.And(^uint32(stRun))
	t.R.Own()
	t.touch()
	lp.leaving = append(lp.leaving, t)
}

// seeOff closes the connections of those that had their moment.
func (lp *loop) seeOff(now uint32) {
	keep := lp.leaving[:0]
	for _, t := range lp.leaving {
		grace := stopGrace
		if t.talks {
			grace = lastWords
		}
		switch {
		case t.dead:
		case now-t.since.Load() > ticks(grace):
			lp.bury(t)
		default:
			keep = append(keep, t)
		}
	}
	clear(lp.leaving[len(keep):])
	lp.leaving = keep
}

// bury closes the connection.
func (lp *loop) bury(t *evTalk) {
	t.dead = true
	t.state.Or(stEnd)
	t.Tell(conv.Utterance{Event: conv.Closed})
	t.R.Own()
	t.held = nil
	t.setDeadline(0)
	t.state.Or(stGone)
	lp.talks[t.fd] = nil
	lp.shut(t)
	lp.forget(t.site, int(t.fd))
}

// overdue ends what takes too long.
func (lp *loop) overdue(t *evTalk, now uint32) {
	limits := &t.site.limits
	if t.expired() {
		if s := t.state.Load(); s&stRun == 0 && t.co == nil {
			t.setDeadline(0) // no Turn waits
		} else if s&stLate == 0 {
			t.late()
		}
	}
	age := now - t.since.Load()
	over := func(limit int64) bool { return limit > 0 && int64(age) > limit }
	switch s := t.state.Load(); {
	case s&stRun != 0: // what belongs to the worker is not looked at
		if s&stStart != 0 {
			if over(limitTicks(limits.Handshake)) {
				lp.cut(t, ErrHandshake)
			}
		} else if over(limitTicks(limits.Turn)) {
			lp.cut(t, ErrTurn)
		}
	case t.closing:
		if !t.leaving && over(int64(ticks(lastWords))) {
			lp.bury(t)
		}
	case t.eager && t.co != nil: // the whole talk is one Turn: what it waits for is its peer
		if over(limitTicks(limits.Idle)) {
			lp.cut(t, ErrIdle)
		}
	case t.co != nil:
		if over(limitTicks(limits.Turn)) {
			lp.cut(t, ErrTurn)
		}
	case len(t.held) > 0:
		if over(limitTicks(limits.Turn)) {
			lp.end(t, ErrHeld)
		}
	default:
		if over(limitTicks(limits.Idle)) {
			lp.end(t, ErrIdle)
		}
	}
}

func limitTicks(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64(ticks(d))
}

// touch notes that t did something just now.
func (t *evTalk) touch() {
	if now := t.site.lp.clock.Load(); t.since.Load() != now {
		t.since.Store(now)
	}
}
