package auth

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	defaultDelay    = time.Second
	defaultMaxDelay = 16 * time.Second
	forgetAfter     = 5 * time.Minute // since the last failure
	maxOffenders    = 10_000
)

// throttle makes guessing slow. A refusal takes Delay, counted from the
// beginning, so that it takes the same whatever was looked up; twice that after
// each further failure of the same peer, up to a limit. From the third try on
// the peer waits before anything is looked up as well, right or wrong, so that
// it gains nothing by many connections that it drops when no answer comes.
type throttle struct {
	mu    sync.Mutex
	peers map[netip.Prefix]offender
	swept time.Time
}

type offender struct {
	failures int
	last     time.Time
}

// try is one attempt at a login.
type try struct {
	t      *throttle
	peer   netip.Prefix
	first  time.Duration // Delay
	limit  time.Duration
	before int // failures
	began  time.Time
}

// begin waits where the peer has failed before.
func (t *throttle) begin(ctx context.Context, peer net.Addr, first, limit time.Duration) (try, error) {
	a := try{t: t, peer: prefixOf(peer), first: first, limit: limit, began: time.Now()}
	if first <= 0 {
		return a, nil
	}
	t.mu.Lock()
	if o, ok := t.peers[a.peer]; ok && a.began.Sub(o.last) < forgetAfter {
		a.before = o.failures
	}
	t.mu.Unlock()
	if a.before < 2 {
		return a, nil
	}
	if err := pause(ctx, a.after(a.before-2)); err != nil {
		return a, err
	}
	a.began = time.Now()
	return a, nil
}

// after is Delay, doubled n times.
func (a try) after(n int) time.Duration {
	d := a.first
	for ; n > 0 && d < a.limit; n-- {
		d *= 2
	}
	return min(d, a.limit)
}

// failed notes a failure and waits until the refusal may be told.
func (a try) failed(ctx context.Context) error {
	if a.first <= 0 {
		return nil
	}
	a.t.note(a.peer)
	return pause(ctx, time.Until(a.began.Add(a.after(a.before))))
}

func (t *throttle) note(peer netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	o, known := t.peers[peer]
	if !known && len(t.peers) >= maxOffenders {
		t.forget(now)
	}
	if t.peers == nil {
		t.peers = map[netip.Prefix]offender{}
	}
	if now.Sub(o.last) >= forgetAfter {
		o.failures = 0
	}
	t.peers[peer] = offender{o.failures + 1, now}
}

// forget makes room: whoever has been quiet, or if that is nobody, anybody. It
// looks at all of them once in a while only.
func (t *throttle) forget(now time.Time) {
	if now.Sub(t.swept) >= forgetAfter {
		t.swept = now
		for p, o := range t.peers {
			if now.Sub(o.last) >= forgetAfter {
				delete(t.peers, p)
			}
		}
	}
	for p := range t.peers {
		if len(t.peers) < maxOffenders {
			return
		}
		delete(t.peers, p)
	}
}

// prefixOf is whom an address stands for: a whole /64 of IPv6 is one client's.
// Those without an IP address are one.
func prefixOf(a net.Addr) netip.Prefix {
	t, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.Prefix{}
	}
	addr := t.AddrPort().Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
