package server

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/wire"
)

// line is what a loop with a ring knows of a talk. The ring receives as long
// as the talk keeps up, and sends what is small with the next submission. A
// socket that goroutines read, or a Unix socket, is polled, and all is as with
// epoll.
type line struct {
	*spill          // nil, for most
	queued   uint16 // place in ring.queued, from 1 on: what is sent with the next submission
	eof      bool
	armed    bool // the ring receives, or polls
	stopping bool // it was told not to
	room     bool // a poll for room to send is under way
	polled   bool
}

// spill is what few lines have, and not for long.
type spill struct {
	rest  []byte // came, and nobody has asked for it yet
	err   syscall.Errno
	claim chan struct{} // closed when polled is true
}

// left is what came and nobody has asked for yet.
func (l *line) left() []byte {
	if l.spill == nil {
		return nil
	}
	return l.rest
}

// setLeft changes it, on the loop or by the worker who has claimed it.
func (l *line) setLeft(b []byte) {
	switch {
	case len(b) > 0:
		l.more().rest = b
	case l.spill == nil:
	case l.err == 0 && l.claim == nil:
		l.spill = nil
	default:
		l.rest = nil
	}
}

func (l *line) more() *spill {
	if l.spill == nil {
		l.spill = &spill{}
	}
	return l.spill
}

// failed is why there is nothing more to receive; 0: there may be.
func (l *line) failed() syscall.Errno {
	if l.spill == nil {
		return 0
	}
	return l.err
}

// claimed tells whether a worker waits for the ring to leave the socket to it.
func (l *line) claimed() bool { return l.spill != nil && l.claim != nil }

const (
	restEnough = 64 << 10 // more than this nobody asks for: the ring stops receiving
	ringSend   = 32 << 10 // up to here it is cheaper to copy than to call the kernel
)

// beginRing makes the ring of a loop that has one, on a thread which stays the
// loop's; what it returns ends that, and is nil when there can be no ring.
func (lp *loop) beginRing() (end func()) {
	runtime.LockOSThread()
	r, err := newRing(lp.size)
	lp.started <- err
	if err != nil {
		runtime.UnlockOSThread()
		return nil
	}
	lp.ring = r
	r.unsent = lp.unsent
	lp.watchWake()
	return func() {
		lp.drainRing()
		r.close()
		runtime.UnlockOSThread()
	}
}

// onRing tells whether t's loop has a ring, so that its line counts.
func (t *evTalk) onRing() bool { return t.site.lp.ring != nil }

// user names an operation of t.
func (t *evTalk) user(op uint64) uint64 { return userOf(op, t.gen, t.fd) }

// ringPoll fetches completions.
func (lp *loop) ringPoll(wait bool, ms uintptr) int {
	r := lp.ring
	for _, t := range lp.stuck {
		t.pollRoom()
	}
	clear(lp.stuck)
	lp.stuck = lp.stuck[:0]
	for _, t := range lp.hungry {
		t.receive()
	}
	clear(lp.hungry)
	lp.hungry = lp.hungry[:0]
	if !wait || len(r.ready) > 0 { // what a submission brought since the last round
		r.look()
	} else if ms == ^uintptr(0) {
		r.sleep(-1)
	} else {
		r.sleep(time.Duration(ms) * time.Millisecond)
	}
	return len(r.ready)
}

// reap deals with what ringPoll fetched.
func (lp *loop) reap() {
	r := lp.ring
	for r.next = 0; r.next < len(r.ready); r.next++ {
		lp.completed(r.ready[r.next])
	}
	r.ready, r.next = r.ready[:0], 0
}

// completed gives a completion to whom it concerns.
func (lp *loop) completed(c cqe) {
	more := c.flags&cqeMore != 0
	op := opOf(c.user)
	if !more && op != askNothing {
		lp.ring.live--
	}
	switch op {
	case askNothing:
		return
	case askWake:
		if !more && !lp.quit {
			lp.watchWake()
		}
		return
	case askAccept, askWatch:
		if st := lp.listening[genOf(c.user)]; st != nil {
			lp.connected(st, c, more)
		}
		return
	}
	t := lp.talks[fdOf(c.user)]
	if t != nil && t.gen != genOf(c.user) { // the number was used again since
		t = nil
	}
	switch {
	case op == askRecv:
		var b []byte
		if c.flags&cqeBuffer != 0 {
			b = lp.ring.take(c)
		}
		lp.received(t, c, b, more)
		if c.flags&cqeBuffer != 0 {
			lp.ring.done(c)
		}
	case t == nil:
	case op == askRoom:
		t.line.room = false
		lp.event1(t, unix.EPOLLOUT|uint32(max(c.res, 0)))
	case op == askPoll:
		if !more {
			t.line.armed = false
			if c.res <= 0 || c.res&(unix.EPOLLHUP|unix.EPOLLERR) == 0 { // else there is nothing more to come
				t.receive()
			}
		}
		if c.res > 0 {
			lp.event1(t, uint32(c.res))
		}
	}
}

// received gives t b, which came, or the end.
func (lp *loop) received(t *evTalk, c cqe, b []byte, more bool) {
	if t == nil {
		return
	}
	l, r, ev := &t.line, lp.ring, uint32(unix.EPOLLIN)
	l.armed = more
	if !more {
		l.stopping = false
	}
	switch en := syscall.Errno(-c.res); {
	case c.res > 0:
		r.now, r.nowOf = b, t
	case c.res == 0:
		l.eof = true
		ev |= unix.EPOLLRDHUP
	case en == unix.ENOBUFS:
		lp.hungry = append(lp.hungry, t)
		ev = 0
	case en == unix.ECANCELED || en == unix.EINTR || en == unix.EAGAIN:
		ev = 0
	default:
		l.more().err = en
		ev |= unix.EPOLLERR
	}
	if ev != 0 {
		lp.event1(t, ev)
	}
	if len(r.now) > 0 && !t.dead {
		l.setLeft(append(l.left(), r.now...))
	}
	r.now, r.nowOf = nil, nil
	switch {
	case t.dead:
	case l.claimed() && !l.armed:
		lp.claimed(t)
	case l.armed && !l.stopping && len(l.left()) >= restEnough:
		l.stopping = true
		lp.ring.cancel(t.user(askRecv))
	case c.res != -int32(unix.ENOBUFS):
		t.receive()
	}
}

// receive has the ring receive for t, unless it does or t has enough.
func (t *evTalk) receive() {
	l, r := &t.line, t.site.lp.ring
	if l.armed || l.eof || t.dead {
		return
	}
	if l.polled { // a worker has the rest
		l.armed = true
		r.poll(t.fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLPRI|unix.EPOLLRDHUP, true, t.user(askPoll))
		return
	}
	if l.spill != nil && (l.err != 0 || l.claim != nil || len(l.rest) >= restEnough) {
		return
	}
	l.armed = true
	s := r.ask(opRecv, t.fd, t.user(askRecv))
	s.prio, s.flags = recvMulti, sqeBufferSelect
	r.live++
}

// taken is Recv of a talk with a line; ok is false when the socket is to be
// read.
func (t *evTalk) taken(b []byte) (n int, err error, ok bool) {
	l, r := &t.line, t.site.lp.ring
	if t.worker && !l.polled {
		t.claimInput()
	}
	if left := l.left(); len(left) > 0 {
		n = copy(b, left)
		l.setLeft(left[n:])
	}
	more := len(l.left()) > 0
	if !more && !l.polled && r.nowOf == t {
		k := len(r.now)
		if unsafe.SliceData(b) != unsafe.SliceData(r.now) { // else lendable lent it
			k = copy(b[n:], r.now)
		}
		r.now = r.now[k:]
		n += k
		more = len(r.now) > 0
	}
	switch {
	case n > 0:
		t.drained = !more && !l.polled && !l.eof && l.failed() == 0
		if !t.worker && !l.armed {
			t.receive()
		}
		t.counted(n, 0)
		return n, nil, true
	case l.failed() != 0:
		t.eof = true
		return 0, os.NewSyscallError("read", l.err), true
	case l.polled:
		return 0, nil, false
	case l.eof:
		t.eof = true
		return 0, io.EOF, true
	}
	t.drained, t.hup = true, false
	return 0, wire.ErrWait, true
}

// lendable is what just came, where it lies: for who is done with it before the
// loop goes on, and has nothing else that would have to lie before it.
func (t *evTalk) lendable() []byte {
	r := t.site.lp.ring
	if t.site.mode != Inline || r.nowOf != t || len(r.now) == 0 || t.line.polled || len(t.line.left()) > 0 || t.R.Buffered() > 0 {
		return nil
	}
	return r.now
}

// claimInput has the loop leave the socket to the worker that calls it.
func (t *evTalk) claimInput() {
	done := make(chan struct{})
	t.site.lp.call(func() { t.claim(done) })
	<-done
	t.drained = false
}

// claim has the ring poll the socket from now on, and not receive; done is
// closed when it does. On the loop.
func (t *evTalk) claim(done chan struct{}) {
	l, lp := &t.line, t.site.lp
	if l.polled {
		close(done)
		return
	}
	l.more().claim = done
	if !l.armed {
		lp.claimed(t)
		return
	}
	if !l.stopping {
		l.stopping = true
		lp.ring.cancel(t.user(askRecv))
	}
}

// leaveInput has the ring receive nothing ahead for somebody who looks at the
// socket itself: it would tell of nothing.
func (t *evTalk) leaveInput() {
	l := &t.line
	switch {
	case l.polled, !t.worker && l.claimed():
	case t.worker:
		t.claimInput()
	case t.sess == nil && !l.armed: // Open: add goes on
		l.polled = true
	default:
		t.claim(make(chan struct{}))
	}
}

// claimed lets the worker read; the loop polls for it.
func (lp *loop) claimed(t *evTalk) {
	l := &t.line
	l.polled, l.eof = true, false // the socket says it again
	t.receive()
	done := l.claim
	l.claim = nil
	l.setLeft(l.rest)
	close(done)
}

// sendQueued tells whether b is sent, as far as Send goes, by the ring.
func (t *evTalk) sendQueued(b []byte) bool {
	if t.worker {
		if !t.line.polled { // it may have to wait for room
			t.claimInput()
		}
		return false
	}
	return len(t.held) == 0 && t.queue(b)
}

// dropRest forgets what came and will not be answered, and tells whether that
// was something.
func (t *evTalk) dropRest() (talks bool) {
	l, r := &t.line, t.site.lp.ring
	if l.polled {
		return false
	}
	talks = len(l.left()) > 0 || r.nowOf == t && len(r.now) > 0 || r.comes(t.user(askRecv))
	l.setLeft(nil)
	if r.nowOf == t {
		r.now = nil
	}
	t.eof = t.eof || l.eof || l.failed() != 0
	t.receive()
	return talks
}

// queue has b sent with the next submission; false: it is to be written.
func (t *evTalk) queue(b []byte) bool {
	l, r := &t.line, t.site.lp.ring
	if len(b) > min(ringSend, len(r.out)) {
		t.sendNow()
		return false
	}
	if r.full() || r.outUsed+len(b) > len(r.out) || l.queued > 0 && r.queued[l.queued-1].to != r.outUsed {
		r.submit()
		if len(t.held) > 0 {
			return false
		}
	}
	at := r.outUsed
	r.outUsed += copy(r.out[at:], b)
	t.counted(0, len(b))
	if l.queued > 0 {
		q := &r.queued[l.queued-1]
		q.to = r.outUsed
		q.ask.len = uint32(q.to - q.from)
		return true
	}
	s := r.ask(opSend, t.fd, t.user(askSend))
	s.addr = addressOf(r.out[at:])
	s.len = uint32(len(b))
	s.flags = sqeSkipSuccess
	s.opFlags = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT | unix.MSG_WAITALL
	r.queued = append(r.queued, queued{s, &l.queued, at, r.outUsed})
	l.queued = uint16(len(r.queued))
	return true
}

// sendNow sends what was queued: what did not go is held then.
func (t *evTalk) sendNow() {
	if t.line.queued > 0 {
		t.site.lp.ring.submit()
	}
}

// unsent takes back what the kernel did not take.
func (lp *loop) unsent(c *cqe) {
	t := lp.talks[fdOf(c.user)]
	if t == nil || t.gen != genOf(c.user) {
		return
	}
	q := &lp.ring.queued[t.line.queued-1]
	rest := lp.ring.out[q.from+int(max(c.res, 0)) : q.to]
	t.line.queued = 0
	t.held = append(append([]byte(nil), rest...), t.held...)
	t.counted(0, -len(rest))
	lp.stuck = append(lp.stuck, t)
}

// needRoom has the loop step t when there is room to send, or will never be.
func (t *evTalk) needRoom() {
	if t.onRing() && !t.worker && !t.line.polled { // else its poll tells
		t.pollRoom()
	}
}

// pollRoom is needRoom where no write has found the socket full.
func (t *evTalk) pollRoom() {
	l := &t.line
	if l.room || t.dead {
		return
	}
	l.room = true
	t.site.lp.ring.poll(t.fd, unix.EPOLLOUT, false, t.user(askRoom))
}

// shut closes the descriptor of t, after what was queued.
func (lp *loop) shut(t *evTalk) {
	l := &t.line
	if !t.onRing() {
		unix.Close(int(t.fd))
		return
	}
	if l.armed && !l.stopping {
		op := uint64(askRecv)
		if l.polled {
			op = askPoll
		}
		lp.ring.cancel(t.user(op))
	}
	if l.room {
		lp.ring.cancel(t.user(askRoom))
	}
	s := lp.ring.ask(opClose, t.fd, askNothing)
	s.flags = sqeSkipSuccess
}

// ringWatch has the ring accept for st; where places are counted, it only tells
// that connections wait.
func (lp *loop) ringWatch(st *site) {
	st.wanted = true
	if st.armed {
		return
	}
	st.armed = true
	lp.listening[st.gen] = st
	if st.limits.Talks > 0 {
		// Not EPOLLEXCLUSIVE: who is told may stop before he accepts.
		lp.ring.poll(int32(st.fd), unix.EPOLLIN, false, userOf(askWatch, st.gen, int32(st.fd)))
		return
	}
	s := lp.ring.ask(opAccept, int32(st.fd), userOf(askAccept, st.gen, int32(st.fd)))
	s.prio, s.opFlags = acceptMulti, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC
	lp.ring.live++
}

func (lp *loop) ringUnwatch(st *site) {
	if st.wanted && st.armed {
		op := uint64(askAccept)
		if st.limits.Talks > 0 {
			op = askWatch
		}
		lp.ring.cancel(userOf(op, st.gen, int32(st.fd)))
	}
	st.wanted = false
}

// connected takes a connection that the ring accepted, or accepts those that
// it told of.
func (lp *loop) connected(st *site, c cqe, more bool) {
	switch en := syscall.Errno(-c.res); { // st.armed still, so that it has not ended before the last one has
	case opOf(c.user) == askWatch:
		if c.res > 0 && st.wanted {
			lp.accept(st)
		}
	case c.res >= 0:
		lp.came(st, int(c.res))
	case en == unix.ECANCELED || en == unix.EINTR || en == unix.EAGAIN || en == unix.ECONNABORTED:
	case st.wanted:
		lp.pause(st, os.NewSyscallError("accept4", en))
	}
	switch {
	case more:
		return
	case st.wanted:
		st.armed = false
		lp.ringWatch(st)
		return
	}
	delete(lp.listening, st.gen)
	if st.left {
		lp.lastOnes(st)
		lp.closeListener(st)
	}
	st.armed = false
	lp.maybeEnded(st)
}

// came takes the connection on fd, which the kernel accepted for st.
func (lp *loop) came(st *site, fd int) {
	lp.accepted(st, fd)
	if st.detached { // when it was too late to say so
		lp.turnAway(st, fd)
	}
}

// lastOnes accepts the connections of which the ring was told and that it did
// not come to, because it was told to stop: the kernel tells one waiter of each
// connection, so a successor on the same socket does not know of them.
func (lp *loop) lastOnes(st *site) {
	if st.limits.Talks > 0 { // then all waiters are told
		return
	}
	for range unix.SOMAXCONN {
		switch fd, en := raw(unix.SYS_ACCEPT4, uintptr(st.fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0); en {
		case 0:
			lp.came(st, int(fd))
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return
		}
	}
}

// watchWake has the ring tell when kick wants the loop.
func (lp *loop) watchWake() {
	lp.ring.poll(int32(lp.event), unix.EPOLLIN, true, userOf(askWake, 0, int32(lp.event)))
}

// drainRing ends what the ring still does: it would keep sockets open until
// the kernel comes round to it.
func (lp *loop) drainRing() {
	lp.ring.cancel(userOf(askWake, 0, int32(lp.event)))
	for range 100 {
		if lp.ring.live == 0 {
			break
		}
		lp.ring.sleep(tickLength)
		lp.reap()
	}
	lp.ring.submit()
}
