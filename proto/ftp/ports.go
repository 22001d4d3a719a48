package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// PortRange is where passive data connections arrive. The zero value is a port
// of the system's choice each time.
type PortRange struct{ First, Last uint16 }

// errNoPort is a range in which the peer has every port already.
var errNoPort = errors.New("no free port for data")

// passive holds the ports that wait for data connections. Several sessions may
// wait on one port, if their peers' addresses differ: so a small range serves
// many clients. A few ports on which nobody waits any more stay open for the
// next who asks, as long as there are sessions; who connects there meanwhile is
// sent away.
type passive struct {
	mu       sync.Mutex
	ports    map[netip.AddrPort]*sharedPort
	idle     []*sharedPort // longest first
	sessions int
	next     uint16
}

// maxIdlePorts is how many.
const maxIdlePorts = 4

// enter counts a session.
func (p *passive) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions++
}

// leave counts it off; with the last one the ports go.
func (p *passive) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions--; p.sessions > 0 {
		return
	}
	for _, shared := range p.idle {
		p.shut(shared)
	}
	p.idle = nil
}

// shut closes a port; with mu held.
func (p *passive) shut(shared *sharedPort) {
	shared.l.Close()
	if p.ports[shared.at] == shared {
		delete(p.ports, shared.at)
	}
}

// rested gives a port that has been open without anybody waiting, if there is
// one at this address; with mu held.
func (p *passive) rested(local netip.Addr, r PortRange) *sharedPort {
	for i, shared := range p.idle {
		if port := shared.at.Port(); shared.at.Addr() == local && (r.First == 0 || port >= r.First && port <= max(r.First, r.Last)) {
			p.idle = slices.Delete(p.idle, i, i+1)
			return shared
		}
	}
	return nil
}

// sharedPort is a port and who waits there; passive's mutex guards it.
type sharedPort struct {
	at      netip.AddrPort
	l       door
	waiting []*expectation
}

// An expectation is one data connection of one peer that is to come.
type expectation struct {
	owner *passive
	port  *sharedPort
	peer  netip.Addr
	came  bool
	conns chan arrival // of length 1; closed when the port breaks
	rouse func()       // tells whoever waits that another has let the connection in; nil: nobody waits
}

// expect begins to wait for one connection from peer. The caller releases it.
func (p *passive) expect(ctx context.Context, local, peer netip.Addr, r PortRange) (*expectation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if shared := p.rested(local, r); shared != nil {
		return p.join(shared, peer), nil
	}
	if r.First == 0 {
		return p.listen(ctx, netip.AddrPortFrom(local, 0), peer)
	}
	size := int(max(r.Last, r.First)-r.First) + 1
	last := errNoPort
	for range size {
		at := netip.AddrPortFrom(local, r.First+p.next%uint16(size))
		p.next = (p.next + 1) % uint16(size)
		shared := p.ports[at]
		if shared == nil {
			e, err := p.listen(ctx, at, peer)
			if err == nil {
				return e, nil
			}
			last = err
			continue
		}
		if !slices.ContainsFunc(shared.waiting, func(e *expectation) bool { return e.peer == peer }) {
			return p.join(shared, peer), nil
		}
	}
	return nil, last
}

func (p *passive) listen(ctx context.Context, at netip.AddrPort, peer netip.Addr) (*expectation, error) {
	lc := net.ListenConfig{KeepAlive: -1} // a transfer that stalls has a limit of its own
	lc.SetMultipathTCP(false)             // an MPTCP socket knows no splice
	l, err := lc.Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	bound := l.Addr().(*net.TCPAddr).AddrPort()
	shared := &sharedPort{at: netip.AddrPortFrom(at.Addr(), bound.Port())}
	if shared.l, err = p.open(shared, l); err != nil {
		return nil, err
	}
	if p.ports == nil {
		p.ports = map[netip.AddrPort]*sharedPort{}
	}
	p.ports[shared.at] = shared
	return p.join(shared, peer), nil
}

// join has peer wait on a port that is open. Who connected there before was not
// told to.
func (p *passive) join(shared *sharedPort, peer netip.Addr) *expectation {
	_ = p.look(shared, nil) // what ails the port shows when somebody waits
	p.idle = slices.DeleteFunc(p.idle, func(other *sharedPort) bool { return other == shared })
	e := &expectation{owner: p, port: shared, peer: peer, conns: make(chan arrival, 1)}
	shared.waiting = append(shared.waiting, e)
	return e
}

// deliver hands a connection to whoever waits for its peer; nobody else's is
// let in (RFC 2577 section 3). With mu held.
func (p *passive) deliver(shared *sharedPort, a arrival, from netip.Addr) {
	for _, e := range shared.waiting {
		if e.peer == from && !e.came {
			e.came = true
			e.conns <- a
			if e.rouse != nil {
				e.rouse()
			}
			return
		}
	}
	a.Close()
}

// release ends the waiting; a connection that nobody took is closed. A second
// release does nothing.
func (e *expectation) release() {
	p := e.owner
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(e.port.waiting, e)
	if i < 0 {
		return
	}
	e.port.waiting = slices.Delete(e.port.waiting, i, i+1)
	switch {
	case len(e.port.waiting) > 0:
	case e.came:
		p.rest(e.port)
	default: // it may still come, and nobody is to take it for his
		p.shut(e.port)
	}
	select {
	case a, ok := <-e.conns:
		if ok {
			a.Close()
		}
	default:
	}
}

// rest keeps a port on which nobody waits any more, or closes it; with mu held.
func (p *passive) rest(shared *sharedPort) {
	if p.ports[shared.at] != shared { // it broke
		return
	}
	if p.sessions == 0 {
		p.shut(shared)
		return
	}
	if len(p.idle) >= maxIdlePorts {
		p.shut(p.idle[0])
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	p.idle = append(p.idle, shared)
}

// take is the connection, if it is here; then the waiting is over.
func (e *expectation) take() (arrival, bool) {
	e.owner.mu.Lock()
	err := e.owner.look(e.port, e)
	e.owner.mu.Unlock()
	if err != nil {
		return arrival{}, false
	}
	select {
	case a, ok := <-e.conns:
		e.release()
		return a, ok
	default:
		return arrival{}, false
	}
}

// addrOf is the IP address of a, invalid where it has none. The zone of a
// link-local address stays; an IPv4 address is one in IPv6 clothes too.
func addrOf(a net.Addr) netip.Addr {
	if a, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// active is a data connection that the server opens to the client.
type active struct {
	local netip.Addr
	to    netip.AddrPort
}

func (a active) open(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.local, 0))}
	return d.DialContext(ctx, "tcp", a.to.String())
}

func (active) release() {}

// dataPlan is how the next data connection comes about.
type dataPlan interface {
	open(ctx context.Context) (net.Conn, error)
	release()
}

// stands is a data connection that is there already.
type stands struct{ arrival }

func (c stands) open(context.Context) (net.Conn, error) { return c.conn() }
func (c stands) release()                               { c.Close() }
