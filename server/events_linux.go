package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Events is the engine in which a talk that waits holds no goroutine: one
// epoll loop for each core, each with a listening socket of its own where the
// family allows it. A Turn runs where its handler's Mode lets it: on the loop,
// as a coroutine of the loop, or on pooled goroutines.
//
// What it cannot poll it leaves to Goroutines: listeners without a descriptor,
// servers with Layers, handlers made by Stream (a goroutine each, by nature),
// and systems other than Linux. One Events engine may serve many servers; its
// loops live while one of them does.
func Events() Engine { return EventsWith(EventOptions{}) }

// Check tells why no engine can have these options here; nil: one can.
func (o EventOptions) Check() error {
	if o.Uring != UringAlways {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := newRing(fullSize())
	if err != nil {
		return err
	}
	r.close()
	return nil
}

// EventsWith is Events with options.
func EventsWith(o EventOptions) Engine {
	if o.Uring == UringAuto {
		return newAutoEvents(o, fullSize())
	}
	return &events{options: o, size: fullSize()}
}

type events struct {
	options EventOptions
	size    ringSize // of each ring
	mu      sync.Mutex
	users   int
	loops   []*loop
	joined  sync.WaitGroup
	pool    *pool
}

// acquire starts the loops for their first user.
func (e *events) acquire() ([]*loop, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users > 0 {
		e.users++
		return e.loops, nil
	}
	n := e.options.Loops
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	e.pool = newPool()
	e.loops = make([]*loop, n)
	for i := range e.loops {
		lp, err := newLoop(e.pool, e.options, e.size)
		if err != nil {
			for _, lp := range e.loops[:i] {
				lp.close()
			}
			return nil, err
		}
		e.loops[i] = lp
	}
	for _, lp := range e.loops {
		e.joined.Go(lp.run)
	}
	e.users = 1
	if err := e.started(); err != nil {
		e.stop()
		return nil, err
	}
	return e.loops, nil
}

// started waits until the rings are made, where there are some.
func (e *events) started() error {
	var errs error
	for _, lp := range e.loops {
		if lp.started != nil && errs == nil {
			errs = <-lp.started
		}
	}
	return errs
}

// release stops the loops after their last user. The loops are joined before
// their descriptors are closed: a number that is used again would take another
// engine's events.
func (e *events) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users--; e.users > 0 {
		return
	}
	e.stop()
}

func (e *events) stop() {
	e.users = 0
	for _, lp := range e.loops {
		lp.call(func() { lp.quit = true })
	}
	e.joined.Wait()
	e.pool.close()
	for _, lp := range e.loops {
		lp.close()
	}
	e.loops = nil
}

// pollable tells whether the loops can serve s on l.
func pollable(s *Server, l net.Listener) bool {
	if len(s.Layers) > 0 {
		return false
	}
	if s.Handler.Mode() == Streams {
		return false
	}
	switch l := l.(type) {
	case *net.TCPListener, *net.UnixListener:
		return true
	case *bundle:
		return l.pollable()
	}
	return false
}

func (e *events) Serve(ctx context.Context, l net.Listener, s *Server) error {
	if !pollable(s, l) {
		return goroutines{}.Serve(ctx, l, s)
	}
	loops, err := e.acquire()
	if err != nil {
		return errors.Join(fmt.Errorf("server: events: %w", err), l.Close())
	}
	return e.serveOn(ctx, loops, l, s)
}

// serveOn serves s on l by loops that were acquired for it, and releases them.
func (e *events) serveOn(ctx context.Context, loops []*loop, l net.Listener, s *Server) error {
	defer e.release()
	fds, done, err := takeOver(l, len(loops))
	if b, ok := l.(*bundle); ok && errors.Is(err, net.ErrClosed) && b.isFinished() {
		return nil // a successor had it before this began
	}
	if err != nil {
		return fmt.Errorf("server: events: %w", err)
	}
	defer done()
	r := newRun(ctx, s)
	defer r.cut(nil)
	sites := make([]*site, len(fds))
	for i, fd := range fds {
		lp := loops[i%len(loops)]
		sites[i] = &site{run: r, lp: lp, fd: fd, mode: s.Handler.Mode(), shared: isShared(l), local: isLocal(fd), ended: make(chan struct{})}
		lp.call(func() { lp.attach(sites[i]) })
	}
	if outlast(ctx, l, sites) {
		return nil
	}
	for _, st := range sites {
		st.lp.call(func() { st.lp.detach(st) })
	}
	drain := time.NewTimer(r.limits.Drain)
	defer drain.Stop()
	for _, st := range sites {
		select {
		case <-st.ended:
			continue
		case <-drain.C:
		}
		r.cut(ErrCut)
		for _, st := range sites {
			st.lp.call(func() { st.lp.cutAll(st) })
		}
		break
	}
	for _, st := range sites {
		<-st.ended
	}
	return nil
}

// takeOver gives one listening descriptor for each loop, and a function for
// the end. A TCP listener is duplicated and closed, so that Go's poller does
// not wake for it too, and joined by siblings on the same port: it was bound
// alone, so that a second program on the port fails, and shares from now on.
// A Unix listener is polled by every loop, and stays open because closing it
// unlinks its path. A bundle has its own rule.
func takeOver(l net.Listener, n int) (fds []int, done func(), err error) {
	if b, ok := l.(*bundle); ok {
		return b.takeOver(n)
	}
	fd, err := duplicate(l)
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	if u, ok := l.(*net.UnixListener); ok {
		for range n {
			fds = append(fds, fd)
		}
		return fds, func() { unix.Close(fd); u.Close() }, nil
	}
	fds = []int{fd}
	fail := func(err error) ([]int, func(), error) {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, nil, err
	}
	if err := l.Close(); err != nil {
		return fail(err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // inherited by what it accepts
	if n == 1 {
		return fds, func() {}, nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fail(os.NewSyscallError("setsockopt", err))
	}
	queue := (backlogOf(fd) + n - 1) / n // together they hold what one was asked to
	if err := unix.Listen(fd, queue); err != nil {
		return fail(os.NewSyscallError("listen", err))
	}
	for len(fds) < n {
		sib, err := sibling(fd, queue)
		if err != nil {
			return fail(err)
		}
		fds = append(fds, sib)
	}
	return fds, func() {}, nil
}

// isLocal tells whether a descriptor is a Unix socket's.
func isLocal(fd int) bool {
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && family == unix.AF_UNIX
}

// duplicate is the descriptor of l, a syscall.Conn, once more.
func duplicate(l any) (int, error) {
	rc, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	dup := -1
	var derr error
	err = rc.Control(func(fd uintptr) {
		dup, derr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	return dup, errors.Join(err, os.NewSyscallError("fcntl", derr))
}

// sibling is another listening socket at the address of fd.
func sibling(fd, backlog int) (int, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return -1, os.NewSyscallError("getsockname", err)
	}
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return -1, os.NewSyscallError("getsockopt", err)
	}
	sib, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	copied := []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR}, {unix.SOL_SOCKET, unix.SO_REUSEPORT},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY},
	}
	if family == unix.AF_INET6 {
		copied = append(copied, struct{ level, name int }{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY})
	}
	for _, o := range copied {
		var v int
		if v, err = unix.GetsockoptInt(fd, o.level, o.name); err == nil {
			err = unix.SetsockoptInt(sib, o.level, o.name, v)
		}
		if err != nil {
			return -1, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(sib))
		}
	}
	if err := unix.Bind(sib, sa); err != nil {
		return -1, errors.Join(os.NewSyscallError("bind", err), unix.Close(sib))
	}
	if err := unix.Listen(sib, backlog); err != nil {
		return -1, errors.Join(os.NewSyscallError("listen", err), unix.Close(sib))
	}
	return sib, nil
}

// backlogOf is how long the queue of a listening socket may be: the kernel
// tells it in the place of what it has no use for there (tcp_get_info).
func backlogOf(fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || info.Sacked == 0 {
		return unix.SOMAXCONN
	}
	return int(info.Sacked)
}

// site is one listener of one Serve on one loop.
type site struct {
	*run
	lp       *loop
	fd       int
	mode     Mode
	talks    int   // that have begun and not ended
	shared   bool  // the descriptor stays open until the Serve ends
	local    bool  // its connections are Unix sockets
	gen      int32 // names its operations on a ring
	wanted   bool  // the ring is to accept
	armed    bool  // ... and does, or has not said yet that it ceased
	left     bool  // no connections are accepted any more
	detached bool  // ... and the talks are told goodbye
	over     bool  // ended is closed
	ended    chan struct{}

	slow    backoff
	retry   time.Time            // when to accept again after a failure; zero: now
	ticket  *ticket              // the place that accepting waits for
	placed  bool                 // a place was taken that no connection has yet
	waiters map[int]*ticket      // accepted, over PerPeer: by descriptor
	peers   map[int32]netip.Addr // by descriptor, where PerPeer counts

	accepted, turns, in, out uint64 // since the last publish
	dirty                    bool
}

// mark has the loop publish the site's counts at the end of its round.
func (st *site) mark() {
	if !st.dirty {
		st.dirty = true
		st.lp.dirty = append(st.lp.dirty, st)
	}
}

// publish adds what the loop counted to the server's counters.
func (st *site) publish() {
	c := &st.count
	if st.accepted > 0 {
		c.accepted.Add(st.accepted)
	}
	c.turns.Add(st.turns)
	c.in.Add(st.in)
	c.out.Add(st.out)
	st.accepted, st.turns, st.in, st.out, st.dirty = 0, 0, 0, 0, false
}
