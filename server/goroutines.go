package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/wire"
)

// Goroutines is the engine that gives each talk a goroutine of its own. It
// serves every kind of listener and ignores the handler's mode: a Turn may
// always block.
func Goroutines() Engine { return goroutines{} }

type goroutines struct{}

// house is the goroutine engine's side of one Serve.
type house struct {
	*run
	mu    sync.Mutex
	talks map[*goTalk]struct{}
	wg    sync.WaitGroup
	clock atomic.Int64 // nanoseconds since start, as coarse as the limits allow
	start time.Time
}

func (goroutines) Serve(ctx context.Context, l net.Listener, s *Server) error {
	h := &house{run: newRun(ctx, s), talks: map[*goTalk]struct{}{}, start: time.Now()}
	defer h.cut(nil)
	closing := context.AfterFunc(ctx, func() { l.Close() })
	defer closing()
	swept := make(chan struct{})
	sweeping := make(chan struct{})
	go func() {
		defer close(swept)
		h.sweep(sweeping)
	}()
	err := h.accept(ctx, l)
	if errors.Is(err, io.EOF) { // no more will come
		h.outlast(ctx)
		l.Close()
		err = nil
	}
	if err != nil {
		l.Close()
	} else {
		h.each((*goTalk).stop)
	}
	timer := time.AfterFunc(h.limits.Drain, func() {
		h.cut(ErrCut)
		h.each(func(t *goTalk) { t.expire(ErrCut) })
	})
	h.wg.Wait()
	timer.Stop()
	close(sweeping)
	<-swept
	return err
}

// outlast returns when every talk has ended, or ctx.
func (h *house) outlast(ctx context.Context) {
	over := make(chan struct{})
	go func() {
		h.wg.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

func (h *house) each(f func(*goTalk)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for t := range h.talks {
		f(t)
	}
}

// accept begins talks until ctx ends (nil) or the listener breaks.
func (h *house) accept(ctx context.Context, l net.Listener) error {
	var slow backoff
	for {
		if !h.place(ctx, h.limits.Talks, netip.Addr{}) {
			return nil
		}
		nc, err := l.Accept()
		if err != nil {
			h.vacate(h.limits.Talks, netip.Addr{})
			if ctx.Err() != nil {
				return nil
			}
			if !isPassing(err) {
				return err
			}
			if !slow.wait(ctx, h.run, err) {
				return nil
			}
			continue
		}
		slow.reset()
		h.count.accepted.Add(1)
		h.count.active.Add(1)
		t := &goTalk{house: h}
		h.mu.Lock()
		h.talks[t] = struct{}{}
		h.mu.Unlock()
		h.wg.Go(func() { t.serve(ctx, nc) })
	}
}

// place waits until there is one under limit; false when ctx ends first.
func (h *house) place(ctx context.Context, limit int, peer netip.Addr) bool {
	if limit <= 0 {
		return true
	}
	got := make(chan struct{})
	ticket := h.admit.enter(limit, peer, func() { close(got) })
	if ticket == nil {
		return true
	}
	h.count.delayed.Add(1)
	select {
	case <-got:
		return true
	case <-ctx.Done():
		if !h.admit.cancel(ticket) {
			h.admit.leave(peer)
		}
		return false
	}
}

func (h *house) vacate(limit int, peer netip.Addr) {
	if limit > 0 {
		h.admit.leave(peer)
	}
}

// isPassing tells an Accept that failed from a listener that is broken.
func isPassing(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR, syscall.EPERM, syscall.EPROTO} {
		if errors.Is(err, passing) {
			return true
		}
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// backoff slows accepting down while the system has no descriptors left.
type backoff struct {
	pause  time.Duration
	logged bool
}

func (b *backoff) reset() { b.pause, b.logged = 0, false }

func (b *backoff) next(r *run, err error) time.Duration {
	r.count.errs[kindOf(errAccept)].Add(1)
	b.pause = min(max(2*b.pause, 5*time.Millisecond), time.Second)
	if !b.logged {
		b.logged = true
		r.log().Warn("cannot accept, slowing down", "server", r.Name, "err", err)
	}
	return b.pause
}

func (b *backoff) wait(ctx context.Context, r *run, err error) bool {
	t := time.NewTimer(b.next(r, err))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sweep enforces the limits of idleness and Turns, by a clock so coarse that a
// Turn pays nothing for it.
func (h *house) sweep(end <-chan struct{}) {
	tick := h.limits.tick()
	if tick == 0 {
		<-end
		return
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-end:
			return
		case <-ticker.C:
			now := int64(time.Since(h.start))
			h.clock.Store(now)
			h.each(func(t *goTalk) { t.overdue(now) })
		}
	}
}

// tick is how often limits are looked at; 0: there are none.
func (l Limits) tick() time.Duration {
	least := time.Duration(0)
	for _, d := range []time.Duration{l.Idle, l.Turn, l.Handshake} {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	if least == 0 {
		return 0
	}
	return min(max(least/8, 5*time.Millisecond), time.Second)
}

// goTalk is a talk on a goroutine.
type goTalk struct {
	Talk
	house *house
	nc    net.Conn
	port  conv.NetPort

	mu    sync.Mutex
	state goState
	since atomic.Int64 // when state began, by the house's clock
	woken bool         // Wake was called, no Push has run since
	why   error        // why expire cut it
}

type goState uint8

const (
	arriving goState = iota // it waits for its place, or is about to start: no limit counts
	starting
	turning // a Turn runs
	waiting // it waits for the peer
)

var past = time.Unix(1, 0)

func (t *goTalk) netConn() net.Conn           { return t.nc }
func (t *goTalk) detour(f func() error) error { return f() }

func (t *goTalk) syscallConn() (syscall.RawConn, error) {
	c, ok := t.nc.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return c.SyscallConn()
}

// wake asks for a Push: a talk that waits is roused by an expired deadline.
func (t *goTalk) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.woken {
		return
	}
	t.woken = true
	if t.state == waiting {
		_ = t.nc.SetReadDeadline(past)
	}
}

// stop rouses a talk that waits, so that it sees that the server stops.
func (t *goTalk) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == waiting {
		_ = t.nc.SetReadDeadline(past)
	}
}

// expire ends whatever the talk waits for, with why.
func (t *goTalk) expire(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut(why)
}

// cut is expire, under the lock.
func (t *goTalk) cut(why error) {
	if t.why == nil {
		t.why = why
	}
	if t.nc == nil {
		return
	}
	if errors.Is(why, ErrIdle) { // it may still write last words
		_ = t.nc.SetReadDeadline(past)
		return
	}
	_ = t.nc.SetDeadline(past)
}

// overdue expires the talk when its state lasts too long.
func (t *goTalk) overdue(now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit, why := t.house.limits.Idle, ErrIdle
	switch t.state {
	case arriving:
		return
	case turning:
		limit, why = t.house.limits.Turn, ErrTurn
	case starting:
		limit, why = t.house.limits.Handshake, ErrHandshake
	}
	if limit > 0 && now-t.since.Load() > int64(limit) {
		t.cut(why)
	}
}

// enter changes the state.
func (t *goTalk) enter(s goState) {
	t.since.Store(t.house.clock.Load())
	t.mu.Lock()
	t.state = s
	t.mu.Unlock()
}

// serve is the life of one talk.
func (t *goTalk) serve(ctx context.Context, nc net.Conn) {
	h := t.house
	peer := netip.Addr{}
	defer func() {
		nc.Close()
		h.mu.Lock()
		delete(h.talks, t)
		h.mu.Unlock()
		h.count.active.Add(-1)
		h.vacate(h.limits.Talks, netip.Addr{})
	}()
	if h.limits.PerPeer > 0 {
		if peer = peerOf(addrPort(nc.RemoteAddr())); peer.IsValid() {
			if !h.place(ctx, h.limits.PerPeer, peer) {
				return
			}
			defer h.vacate(h.limits.PerPeer, peer)
		}
	}
	for _, layer := range h.Layers {
		nc = layer(nc)
	}
	t.mu.Lock()
	t.nc = nc
	t.mu.Unlock()
	t.enter(starting)
	c := &counted{Conn: nc, r: h.run}
	t.port.Conn = c
	t.begin(h.run, t, &t.port)
	err := t.converse(ctx)
	t.mu.Lock()
	if t.why != nil && err != nil {
		err = t.why
	}
	t.mu.Unlock()
	_ = nc.SetWriteDeadline(time.Now().Add(lastWords))
	if err := t.finish(h.run, err); err != nil {
		h.log().Debug("talk ended", "server", h.Name, "talk", t.id, "err", err)
	}
	unread := t.R.Buffered() > 0
	t.R.Own()
	c.linger(unread)
	t.Tell(conv.Utterance{Event: conv.Closed})
}

// lastWords is how long a talk that has ended may take to say so.
const lastWords = time.Second

// addrPort is the IP address and port of a, zero where it has none.
func addrPort(a net.Addr) netip.AddrPort {
	if a, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// converse opens the session and runs its Turns to the end.
func (t *goTalk) converse(ctx context.Context) (err error) {
	h := t.house
	defer h.rescue(&t.Talk, &err)
	if h.TLS != nil {
		if err := t.Conn.Upgrade(h.ctx, conv.ServerTLS(h.ctx, h.TLS)); err != nil {
			return errors.Join(ErrHandshake, err)
		}
	}
	t.enter(turning)
	if s, ok := h.Handler.(*streamHandler); ok {
		return s.serve(h.ctx, t)
	}
	if err := t.open(h.run); err != nil {
		return err
	}
	for {
		if err := t.await(ctx); err != nil {
			return err
		}
		t.enter(turning)
		h.count.turns.Add(1)
		if err := t.sess.Turn(h.ctx); err != nil {
			return err
		}
		if t.Tapped() {
			t.TellTurn()
		}
	}
}

// await returns when input lies here; meanwhile it pushes what Wake asked for.
func (t *goTalk) await(ctx context.Context) error {
	for {
		t.mu.Lock()
		switch {
		case t.woken:
			t.woken = false
			t.mu.Unlock()
			if err := t.push(t.house.ctx); err != nil {
				return err
			}
			continue
		case t.R.Buffered() > 0:
			t.mu.Unlock()
			return nil
		case ctx.Err() != nil:
			t.mu.Unlock()
			if t.lies() {
				return nil
			}
			t.farewell(t.house.ctx)
			return ErrStopping
		}
		if t.W.Buffered() > 0 { // a peer that does not read it overstays its Turn: an idle one is still written to
			t.mu.Unlock()
			if err := t.W.Flush(); err != nil {
				return err
			}
			continue
		}
		t.since.Store(t.house.clock.Load()) // first, or the sweep takes the Turn's time for idleness
		t.state = waiting
		t.mu.Unlock()
		err := t.R.Fill()
		t.mu.Lock()
		t.since.Store(t.house.clock.Load()) // or it would have lasted as long as the wait did
		t.state = turning
		roused := t.why == nil && errors.Is(err, os.ErrDeadlineExceeded)
		if roused || t.woken || ctx.Err() != nil { // or it would cut the Turn's own reads
			if t.why == nil {
				_ = t.nc.SetReadDeadline(time.Time{})
			}
		}
		t.mu.Unlock()
		if err != nil && !roused {
			return err
		}
	}
}

// lies takes a last look, when the server stops, for what the peer sent before
// that and the kernel still holds.
func (t *goTalk) lies() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.why != nil {
		return false
	}
	for {
		_ = t.nc.SetReadDeadline(time.Now().Add(lastLook))
		err := t.R.Fill()
		_ = t.nc.SetReadDeadline(time.Time{})
		if t.R.Buffered() > 0 {
			return true
		}
		raw, unknown := t.syscallConn()
		if !errors.Is(err, os.ErrDeadlineExceeded) || unknown != nil || !holds(raw) {
			return false // what ails the connection shows when we say goodbye
		} // else the moment had passed before anybody looked: the machine is busy
	}
}

// lastLook is enough for a read that finds something.
const lastLook = 5 * time.Millisecond

// counted counts the bytes of a connection.
type counted struct {
	net.Conn
	r     *run
	ended bool // a read failed, so that there is no more to read
	more  bool // something follows at once what is written
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.r.count.in.Add(uint64(n))
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.ended = true
	}
	return n, err
}

// linger ends our half and reads what the peer still sent, for a moment, so
// that closing does not answer it with a reset, which would overtake our last
// words. A peer that talks on, as unread says too, has longer to read them.
func (c *counted) linger(unread bool) {
	if c.ended || c.r.ctx.Err() != nil || c.CloseWrite() != nil {
		return
	}
	grace := stopGrace
	if unread {
		grace = lastWords
	}
	began := time.Now()
	b := wire.Get(wire.Large)
	defer wire.Put(b)
	for time.Since(began) < lastWords {
		_ = c.SetReadDeadline(began.Add(grace))
		if _, err := c.Conn.Read(b); err != nil {
			return
		}
		grace = lastWords
	}
}

func (c *counted) Write(p []byte) (n int, err error) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && c.more {
		n, err = sendMore(tcp, p)
	} else {
		n, err = c.Conn.Write(p)
	}
	if n > 0 {
		c.r.count.out.Add(uint64(n))
	}
	return n, err
}

// CloseWrite closes the writing half.
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn is the connection inside, as crypto/tls names such a method.
func (c *counted) NetConn() net.Conn { return c.Conn }

var _ io.ReadWriteCloser = (*counted)(nil)
