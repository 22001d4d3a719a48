package server

import (
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acceptBatch is how many connections a loop accepts before it serves again.
const acceptBatch = 64

// attach begins to accept for st.
func (lp *loop) attach(st *site) {
	lp.seat(st.fd)
	lp.sites[int32(st.fd)] = st
	lp.pace(st.limits)
	lp.gen++
	st.gen = lp.gen
	lp.watch(st)
}

// seat makes place for descriptor fd.
func (lp *loop) seat(fd int) {
	for fd >= len(lp.talks) {
		lp.talks = append(lp.talks, make([]*evTalk, len(lp.talks))...)
	}
}

// watch lets the loop know of connections to accept. Level triggered: what is
// left over is told again.
func (lp *loop) watch(st *site) {
	if st.left {
		return
	}
	if lp.ring != nil {
		lp.ringWatch(st)
		return
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: int32(st.fd)}
	if err := unix.EpollCtl(lp.epoll, unix.EPOLL_CTL_ADD, st.fd, &e); err != nil && err != unix.EEXIST {
		lp.pause(st, os.NewSyscallError("epoll_ctl", err))
	}
}

func (lp *loop) unwatch(st *site) {
	if lp.ring != nil {
		lp.ringUnwatch(st)
		return
	}
	_ = unix.EpollCtl(lp.epoll, unix.EPOLL_CTL_DEL, st.fd, nil) // not watched is as good
}

// pause stops accepting for a while: no descriptors are left, or worse.
func (lp *loop) pause(st *site, err error) {
	lp.unwatch(st)
	if st.retry.IsZero() {
		lp.paused++
	}
	st.retry = time.Now().Add(st.slow.next(st.run, err))
}

// accept takes what waits in st's backlog.
func (lp *loop) accept(st *site) {
	for range acceptBatch {
		if st.left || !lp.placed(st) {
			return
		}
		r, en := raw(unix.SYS_ACCEPT4, uintptr(st.fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if en != 0 {
			if st.placed {
				st.placed = false
				st.admit.leave(netip.Addr{})
			}
			switch {
			case en == syscall.EAGAIN:
			case en == syscall.EINTR || en == syscall.ECONNABORTED:
				continue
			default:
				lp.pause(st, os.NewSyscallError("accept4", en))
			}
			return
		}
		st.placed = false
		lp.accepted(st, int(r))
	}
}

// accepted counts the connection on fd, and admits it.
func (lp *loop) accepted(st *site, fd int) {
	st.slow.reset()
	st.accepted++
	st.count.active.Add(1)
	st.talks++
	lp.active++
	st.mark()
	lp.admit(st, fd)
}

// placed takes a place under Limits.Talks for the next connection. When there
// is none, accepting stops until one is given: the backlog is the queue.
func (lp *loop) placed(st *site) bool {
	if st.limits.Talks <= 0 || st.placed {
		return true
	}
	if st.ticket != nil {
		return false
	}
	st.ticket = st.admit.enter(st.limits.Talks, netip.Addr{}, func() {
		lp.call(func() {
			st.ticket = nil
			st.placed = true
			if st.left {
				st.placed = false
				st.admit.leave(netip.Addr{})
				lp.maybeEnded(st)
				return
			}
			lp.watch(st)
			lp.accept(st)
		})
	})
	if st.ticket == nil {
		st.placed = true
		return true
	}
	st.count.delayed.Add(1)
	lp.unwatch(st)
	return false
}

// admit begins the talk on fd, or has it wait unread until its peer has fewer.
func (lp *loop) admit(st *site, fd int) {
	if st.limits.PerPeer <= 0 {
		lp.begin(st, fd)
		return
	}
	peer := netip.Addr{}
	if sa, err := unix.Getpeername(fd); err == nil {
		peer = peerOf(addrPortOf(sa))
	}
	if !peer.IsValid() {
		lp.begin(st, fd)
		return
	}
	if st.waiters == nil {
		st.waiters, st.peers = map[int]*ticket{}, map[int32]netip.Addr{}
	}
	st.peers[int32(fd)] = peer
	t := st.admit.enter(st.limits.PerPeer, peer, func() {
		lp.call(func() {
			delete(st.waiters, fd)
			if st.detached {
				unix.Close(fd)
				lp.forget(st, fd)
				return
			}
			lp.begin(st, fd)
		})
	})
	if t != nil {
		st.count.delayed.Add(1)
		st.waiters[fd] = t
		return
	}
	lp.begin(st, fd)
}

// forget gives back what admit took.
func (lp *loop) forget(st *site, fd int) {
	if peer, ok := st.peers[int32(fd)]; ok {
		delete(st.peers, int32(fd))
		st.admit.leave(peer)
	}
	st.count.active.Add(-1)
	if st.limits.Talks > 0 {
		st.admit.leave(netip.Addr{})
	}
	st.talks--
	lp.active--
	lp.maybeEnded(st)
}

func (lp *loop) maybeEnded(st *site) {
	if !st.left || st.talks > 0 || st.ticket != nil || st.armed { // a ticket that was called brings a place
		return
	}
	if !st.over {
		st.over = true
		close(st.ended)
	}
}

// begin opens the talk on fd.
func (lp *loop) begin(st *site, fd int) {
	lp.seat(fd)
	lp.gen++
	t := &evTalk{}
	t.site, t.fd, t.gen = st, int32(fd), lp.gen
	t.touch()
	lp.talks[fd] = t
	t.Talk.begin(st.run, (*evOwner)(t), (*evPort)(t))
	if st.TLS != nil || st.mode == Blocks { // a handshake computes, and Open may wait
		t.state.Store(stRun | stStart)
		if err := lp.add(t); err != nil {
			lp.end(t, err)
			return
		}
		if st.TLS != nil {
			lp.readied = true
			go t.work()
		} else {
			if err := lp.hand(t); err != nil {
				lp.end(t, err)
			}
		}
		return
	}
	err := t.open(st.run)
	if err == nil {
		if err = t.W.Flush(); err == nil {
			if err = lp.add(t); err == nil {
				_, t.eager = t.sess.(interface{ eager() })
				if t.eager {
					lp.step(t)
				}
				return
			}
		}
	}
	lp.end(t, err)
}

// add has the loop watch t. Edge triggered: it is told once of what comes.
func (lp *loop) add(t *evTalk) error {
	if lp.ring != nil {
		// Goroutines read it; or a receive that goes on would miss an end that comes
		// together with input, as on Unix sockets before Linux 7.0 (liburing's issue 1549).
		t.line.polled = t.line.polled || t.site.TLS != nil || t.site.mode == Blocks || t.site.local
		t.receive()
		return nil
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: t.fd, Pad: t.gen}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(lp.epoll, unix.EPOLL_CTL_ADD, int(t.fd), &e))
}

// leave stops accepting for st.
func (lp *loop) leave(st *site) {
	if st.left {
		return
	}
	st.left = true
	if !st.retry.IsZero() {
		lp.paused--
	}
	lp.unwatch(st)
	delete(lp.sites, int32(st.fd))
	if !st.armed { // else the ring has it still: connected goes on
		lp.closeListener(st)
	}
	if st.ticket != nil && st.admit.cancel(st.ticket) {
		st.ticket = nil
	}
	lp.maybeEnded(st)
}

// closeListener gives up the descriptor, unless others have it too.
func (lp *loop) closeListener(st *site) {
	if !st.shared {
		unix.Close(st.fd)
	}
}

// detach stops accepting for st and says goodbye to the peers that wait.
func (lp *loop) detach(st *site) {
	st.detached = true
	lp.leave(st)
	for fd := range st.waiters {
		lp.turnAway(st, fd)
	}
	for _, t := range lp.talks {
		if t != nil && t.site == st {
			lp.dismiss(t)
		}
	}
	lp.maybeEnded(st)
}

// turnAway ends the connection on fd because the server stops: one that waits
// for a place, or a talk that waits for its peer.
func (lp *loop) turnAway(st *site, fd int) {
	if ticket := st.waiters[fd]; ticket != nil {
		if st.admit.cancel(ticket) {
			delete(st.waiters, fd)
			delete(st.peers, int32(fd)) // it had no place yet
			unix.Close(fd)
			lp.forget(st, fd)
		}
		return
	}
	if fd < len(lp.talks) && lp.talks[fd] != nil && lp.talks[fd].site == st {
		lp.dismiss(lp.talks[fd])
	}
}

// dismiss says goodbye to t if it waits for its peer; what is in a Turn ends
// after it.
func (lp *loop) dismiss(t *evTalk) {
	switch {
	case t.dead, t.closing: // it has said goodbye
		return
	case t.state.Load()&stRun != 0:
		if t.state.Or(stBye)&stRun != 0 {
			return
		}
		t.state.And(^uint32(stBye)) // the worker let go meanwhile
	}
	switch {
	case len(t.held) > 0 || t.queued: // it comes here again
		return
	case t.site.mode == Blocks: // a goodbye may wait for anything
		if err := lp.hand(t); err != nil {
			lp.end(t, err)
		}
		return
	}
	if t.co != nil { // a Turn that waits for its peer; a whole talk in one Turn waits between requests
		if t.eager {
			t.why = ErrStopping
			lp.step(t)
		}
		return
	}
	if err := t.goodbye(t.site.run); err != nil {
		lp.end(t, err)
		return
	}
	lp.end(t, ErrStopping)
}

// cutAll ends what is left of st when the time for draining has passed.
func (lp *loop) cutAll(st *site) {
	for _, t := range lp.talks {
		if t == nil || t.site != st || t.dead {
			continue
		}
		lp.cut(t, ErrCut)
	}
}

// cut ends t wherever it is, with why. A Turn that computes ends when it next
// asks for its connection.
func (lp *loop) cut(t *evTalk, why error) {
	if t.why == nil {
		t.why = why
	}
	if t.state.Or(stCut)&stRun != 0 {
		t.unpark()
		return
	}
	if t.co != nil {
		lp.step(t)
		return
	}
	lp.end(t, t.why)
}
