package server

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/wire"
)

// loop is one event loop: an epoll descriptor, and the talks whose sockets it
// watches. Everything without a lock belongs to the goroutine that runs it.
type loop struct {
	epoll, event int
	events       []unix.EpollEvent
	in, out      []byte // storage lent to the talk that runs
	outBusy      bool
	talks        []*evTalk // by descriptor
	sites        map[int32]*site
	dirty        []*site
	again        []*evTalk // their share of the round is spent, and they have more
	leaving      []*evTalk // they have said their last words to peers that have not ended
	free         []*coroutine
	current      *coroutine
	handed       bool          // a Turn was given to the pool in this round
	calm         int           // events of this round that gave no other goroutine anything to do
	stirred      bool          // there were others, since goroutines last had the core
	now, yielded time.Duration // since start: this round, and when they had it
	quit         bool
	readied      bool // a goroutine was made ready in this round; for a loop that keeps its thread
	active       int  // talks of all sites
	paused       int  // sites that accept again when their retry has come
	gen          int32
	clock        atomic.Uint32 // in ticks of tickLength since start; workers look at it
	swept        uint32
	lap          int          // ticks in which the sweep sees every talk once
	cursor       int          // where it goes on
	timed        atomic.Int32 // talks with a deadline of their own: then it sees all in each tick
	start        time.Time
	spin         time.Duration
	pool         *pool

	ring      *ring // in place of epoll
	size      ringSize
	started   chan error      // how making it went
	listening map[int32]*site // by generation, of those for whom the ring accepts
	stuck     []*evTalk       // something queued could not be sent
	hungry    []*evTalk       // there was no buffer to receive into

	asleep atomic.Bool
	some   atomic.Bool // posted or calls is not empty
	mu     sync.Mutex
	posted []*evTalk
	calls  []func()
}

// tickLength is the grain of a loop's clock, and so of idle and Turn limits.
const tickLength = 50 * time.Millisecond

// raw calls the kernel without telling the scheduler: only for calls that do
// not wait. It saves most of what a system call costs in Go.
func raw(n, a, b, c, d, e, f uintptr) (uintptr, syscall.Errno) {
	r, _, en := syscall.RawSyscall6(n, a, b, c, d, e, f)
	return r, en
}

func newLoop(p *pool, o EventOptions, size ringSize) (*loop, error) {
	ev, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	lp := &loop{
		epoll: -1, event: ev, pool: p, spin: o.Spin, start: time.Now(),
		in: make([]byte, wire.Large), out: make([]byte, wire.Large),
		talks: make([]*evTalk, 64), sites: map[int32]*site{}, lap: longestLap,
	}
	lp.seat(ev) // dispatch looks there for every descriptor
	if o.Uring == UringAlways {
		lp.started, lp.listening, lp.size = make(chan error, 1), map[int32]*site{}, size
		return lp, nil
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("epoll_create1", err), unix.Close(ev))
	}
	lp.epoll = ep
	// The kernel keeps this address: it is on the heap, not on a stack that moves.
	lp.events = make([]unix.EpollEvent, 512)
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET&0xffffffff, Fd: int32(ev)}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, ev, &e); err != nil {
		lp.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return lp, nil
}

func (lp *loop) close() {
	if lp.epoll >= 0 {
		unix.Close(lp.epoll)
	}
	unix.Close(lp.event)
}

// call has the loop run f, from any goroutine.
func (lp *loop) call(f func()) {
	lp.mu.Lock()
	lp.calls = append(lp.calls, f)
	lp.mu.Unlock()
	lp.kick()
}

// post hands a talk to its loop, from any goroutine.
func (lp *loop) post(t *evTalk) {
	lp.mu.Lock()
	lp.posted = append(lp.posted, t)
	lp.mu.Unlock()
	lp.kick()
}

// kick wakes the loop, if it sleeps. The loop says that it sleeps before it
// looks for work a last time, so one of the two sees the other.
func (lp *loop) kick() {
	lp.some.Store(true)
	if lp.asleep.Swap(false) {
		one := [8]byte{1}
		_, _ = unix.Write(lp.event, one[:]) // a full counter wakes as well
	}
}

// run is the loop, until release tells it to quit.
func (lp *loop) run() {
	if lp.started != nil {
		end := lp.beginRing()
		if end == nil {
			return
		}
		defer end()
	}
	idle := false
	for round := 0; !lp.quit; round++ {
		n := lp.poll(idle)
		lp.tick()
		lp.calm = 0
		if lp.ring != nil {
			lp.reap()
		} else {
			for i := range n {
				lp.dispatch(&lp.events[i])
			}
		}
		busy, calm, alone := n > 0, lp.calm == n, idle && n == 1
		if lp.some.Load() {
			lp.work()
			busy, calm, alone = true, false, false
		}
		if len(lp.again) > 0 {
			lp.revisit()
			busy, calm, alone = true, false, false
		}
		lp.stirred = lp.stirred || !calm
		for i, st := range lp.dirty {
			st.publish()
			lp.dirty[i] = nil
		}
		lp.dirty = lp.dirty[:0]
		if now := lp.clock.Load(); now != lp.swept {
			lp.swept = now
			lp.sweep(now)
		}
		if lp.handed || round&63 == 0 { // others get the core even if events never cease
			lp.handed = false
			lp.yield()
			lp.pool.late()
		} else if !busy && !idle && (lp.mustYield() || lp.now-lp.yielded > longestSlice) {
			lp.yield()
		}
		// A peer that it slept for, and that was alone, is soon waited for again:
		// what a ring still has to send goes with the call that waits.
		idle = !busy || alone && lp.ring != nil && !lp.mustYield()
	}
	for _, co := range lp.free {
		co.stop()
	}
}

// longestSlice is half of what Go allows a goroutine: of one that takes more it
// takes the core by force, over and over.
const longestSlice = 5 * time.Millisecond

// mustYield tells whether another goroutine may wait for the core. To give up a
// thread of its own is dear: a loop with a ring does so when it knows of one,
// or now and then.
func (lp *loop) mustYield() bool {
	if lp.ring != nil {
		return lp.readied || lp.stirred && lp.now-lp.yielded > time.Millisecond
	}
	return lp.stirred
}

// yield lets other goroutines have the core. Go wakes a thread that sleeps for
// it, even if there are none.
func (lp *loop) yield() {
	lp.stirred, lp.readied, lp.yielded = false, false, lp.now
	runtime.Gosched()
}

// tick moves the clock.
func (lp *loop) tick() {
	lp.now = time.Since(lp.start)
	if now := uint32(lp.now / tickLength); now != lp.clock.Load() {
		lp.clock.Store(now)
	}
}

// poll fetches events; when the round before found nothing to do, it sleeps
// until there is something.
func (lp *loop) poll(idle bool) int {
	if !idle || len(lp.again) > 0 {
		return lp.look()
	}
	if lp.spin > 0 {
		for until := time.Now().Add(lp.spin); time.Now().Before(until); {
			if n := lp.look(); n > 0 || lp.some.Load() {
				return n
			}
		}
	}
	lp.asleep.Store(true)
	timeout := lp.timeout()
	if lp.some.Load() {
		timeout = 0
	}
	if lp.ring != nil {
		n := lp.ringPoll(true, timeout)
		lp.asleep.Store(false)
		return n
	}
	r, _, en := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(lp.epoll), lp.eventsAt(), uintptr(len(lp.events)), timeout, 0, 0)
	lp.asleep.Store(false)
	if en != 0 {
		return 0
	}
	return int(r)
}

// look fetches events without waiting.
func (lp *loop) look() int {
	if lp.ring != nil {
		return lp.ringPoll(false, 0)
	}
	r, en := raw(unix.SYS_EPOLL_PWAIT, uintptr(lp.epoll), lp.eventsAt(), uintptr(len(lp.events)), 0, 0, 0)
	if en != 0 {
		return 0
	}
	return int(r)
}

func (lp *loop) eventsAt() uintptr { return uintptr(unsafe.Pointer(&lp.events[0])) }

// timeout is how long the loop may sleep, in milliseconds; all ones: for ever.
func (lp *loop) timeout() uintptr {
	if lp.pool.left.Load() > 0 { // Turns wait for a runner: see whether one more is needed
		lp.pool.late()
		return 1
	}
	if lp.active > 0 || lp.paused > 0 || lp.ring != nil && lp.ring.touched > 0 {
		return uintptr(tickLength / time.Millisecond)
	}
	return ^uintptr(0)
}

// dispatch gives an event to its talk.
func (lp *loop) dispatch(e *unix.EpollEvent) {
	if t := lp.talks[e.Fd]; t != nil {
		if t.gen == e.Pad { // else the number was used again since
			lp.event1(t, e.Events)
		}
		return
	}
	if st := lp.sites[e.Fd]; st != nil {
		lp.accept(st)
		return
	}
	if int(e.Fd) == lp.event {
		var b [8]byte
		_, _ = unix.Read(lp.event, b[:]) // only to reset it
	}
}

// work does what other goroutines asked for.
func (lp *loop) work() {
	lp.some.Store(false)
	lp.mu.Lock()
	posted, calls := lp.posted, lp.calls
	lp.posted, lp.calls = nil, nil
	lp.mu.Unlock()
	for _, t := range posted {
		lp.awake(t)
	}
	for _, f := range calls {
		f()
	}
}

// revisit goes on with the talks that had more than their share.
func (lp *loop) revisit() {
	k := len(lp.again)
	for i := range k {
		t := lp.again[i]
		t.queued = false
		if !t.dead && t.state.Load()&stRun == 0 { // a worker may have it by now
			lp.step(t)
		}
	}
	lp.again = append(lp.again[:0], lp.again[k:]...)
}

// shrinkTicks is how often memory is given back that little use is made of.
const shrinkTicks = 5

// longestLap is a second's worth of ticks.
const longestLap = int(time.Second / tickLength)

// pace makes the sweep often enough for l: eight times within its least limit,
// and no more, because to look at a talk costs a miss of the cache.
func (lp *loop) pace(l Limits) {
	for _, d := range []time.Duration{l.Handshake, l.Idle, l.Turn} {
		if d > 0 {
			lp.lap = max(1, min(lp.lap, int(ticks(d)/8)))
		}
	}
}

// sweep enforces limits of time: each tick on a part of the talks.
func (lp *loop) sweep(now uint32) {
	lp.seeOff(now)
	if lp.ring != nil && now%shrinkTicks == 0 {
		lp.ring.shrink()
	}
	for _, st := range lp.sites {
		if !st.retry.IsZero() && !time.Now().Before(st.retry) {
			st.retry = time.Time{}
			lp.paused--
			lp.watch(st)
		}
	}
	part := len(lp.talks)
	if lp.timed.Load() == 0 {
		part = (part + lp.lap - 1) / lp.lap
	}
	for range part {
		if lp.cursor++; lp.cursor >= len(lp.talks) {
			lp.cursor = 0
		}
		if t := lp.talks[lp.cursor]; t != nil {
			lp.overdue(t, now)
		}
	}
}

// ticks is d on a loop's clock, rounded up.
func ticks(d time.Duration) uint32 {
	return uint32(min((d-1)/tickLength+1, 1<<31))
}
