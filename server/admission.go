package server

import (
	"net/netip"
	"sync"
)

// admission counts talks and lets those over a limit wait for their turn,
// first come, first served.
type admission struct {
	mu    sync.Mutex
	total gate
	peers map[netip.Addr]*gate
}

// gate lets n through at once.
type gate struct {
	in   int
	wait []*ticket
}

// ticket is a place in the queue of a gate.
type ticket struct {
	ready func()
	done  bool // ready was called, or the ticket given back
}

// enter takes a place of at most limit; when there is none it gives a ticket,
// whose ready is called (with no lock held) once a place has been taken for it.
func (a *admission) enter(limit int, peer netip.Addr, ready func()) *ticket {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.gate(peer)
	if g.in < limit {
		g.in++
		return nil
	}
	t := &ticket{ready: ready}
	g.wait = append(g.wait, t)
	return t
}

// gate is the one for peer, or the total's for the zero Addr.
func (a *admission) gate(peer netip.Addr) *gate {
	if !peer.IsValid() {
		return &a.total
	}
	g := a.peers[peer]
	if g == nil {
		if a.peers == nil {
			a.peers = map[netip.Addr]*gate{}
		}
		g = &gate{}
		a.peers[peer] = g
	}
	return g
}

// leave gives a place back, to the first who waits.
func (a *admission) leave(peer netip.Addr) {
	a.mu.Lock()
	g := a.gate(peer)
	var next *ticket
	for len(g.wait) > 0 && next == nil {
		if t := g.wait[0]; !t.done {
			next = t
		}
		g.wait = g.wait[1:]
	}
	if next != nil {
		next.done = true
	} else if g.in--; g.in == 0 && peer.IsValid() {
		delete(a.peers, peer)
	}
	a.mu.Unlock()
	if next != nil {
		next.ready()
	}
}

// cancel gives a ticket back. It is false when ready has been called, or is
// about to be: then the place is the caller's, to leave.
func (a *admission) cancel(t *ticket) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.done {
		return false
	}
	t.done = true
	return true
}

// peerOf is the address that PerPeer counts by: without port, an IPv4 address
// in its own form, an IPv6 address by its /64, as one host has all of that.
func peerOf(ap netip.AddrPort) netip.Addr {
	a := ap.Addr().Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}
