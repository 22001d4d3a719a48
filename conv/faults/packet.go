package faults

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// reorderLimit is how long a datagram waits for the next one where Delay does
// not say.
const reorderLimit = 50 * time.Millisecond

// PacketConn is pc under rules for datagrams (do=lose, duplicate, reorder,
// delay, garble), whatever their Service; the others do nothing. N is the
// number of a datagram, After a place within it: garble changes that byte, and
// shorter datagrams are left alone. A rule without Dir counts (N, Times, P) each
// direction by itself. What is late is sent or given later; Close drops it.
func PacketConn(pc net.PacketConn, rules ...Rule) net.PacketConn {
	var all []*shared
	for _, r := range NewSet(rules, nil).rules {
		if d := knownDeed(r.Do); d != nil && d.packet {
			all = append(all, r)
		}
	}
	return newPacketConn(pc, all, nil)
}

// Packets is pc under the service's rules; pc itself when there are none. Each
// pc has counts of its own.
func (s *Set) Packets(service string, pc net.PacketConn) net.PacketConn {
	rules := s.of(service, false)
	if len(rules) == 0 {
		return pc
	}
	return newPacketConn(pc, rules, s.fired)
}

type packetConn struct {
	net.PacketConn
	rules [3][]*shared // by Dir
	fired func(Fired)

	mu     sync.Mutex
	number [3]int64
	until  time.Time // the reader's deadline, as set from above
	come   []held    // what is to be read later, by time
	leave  []*held   // what is to be sent later
	closed bool
}

// held is a datagram that waits for its time.
type held struct {
	data  []byte
	peer  net.Addr
	due   time.Time
	next  bool // or for the next datagram
	timer *time.Timer
}

func newPacketConn(pc net.PacketConn, rules []*shared, fired func(Fired)) *packetConn {
	c := &packetConn{PacketConn: pc, fired: fired}
	for i, r := range rules {
		for _, dir := range []Dir{In, Out} {
			if r.Dir.takes(dir) {
				rng := rand.New(rand.NewPCG(r.Seed, uint64(i)<<8|uint64(dir)))
				c.rules[dir] = append(c.rules[dir], &shared{Rule: r.Rule, rng: rng})
			}
		}
	}
	return c
}

// fate is what becomes of a datagram.
type fate struct {
	lose, twice, behind bool
	late                time.Duration
	wrong               []wrong
}

// wrong is what to do to a byte.
type wrong struct {
	at   int64
	bits byte
}

// garble makes b wrong.
func (f fate) garble(b []byte) {
	for _, w := range f.wrong {
		b[w.at] ^= w.bits
	}
}

// fate asks the rules about the next datagram of a direction, of so many bytes.
func (c *packetConn) fate(dir Dir, peer net.Addr, size int) fate {
	c.mu.Lock()
	c.number[dir]++
	number := c.number[dir]
	c.mu.Unlock()
	var f fate
	for _, r := range c.rules[dir] {
		short := int64(size) <= r.After && (r.After > 0 || r.Do == Garble)
		if short || !r.occurs() {
			continue
		}
		count, ok := r.take()
		if !ok {
			continue
		}
		switch r.Do {
		case Lose:
			f.lose = true
		case Duplicate:
			f.twice = true
		case Delay:
			f.late += r.late()
		case Garble:
			f.wrong = append(f.wrong, wrong{r.After, r.bit()})
		case Reorder:
			f.behind = true
			if f.late += r.Delay; r.Delay <= 0 {
				f.late += reorderLimit
			}
		}
		if c.fired != nil {
			c.fired(Fired{r.Rule, count, dir, number, c.LocalAddr(), peer})
		}
	}
	return f
}

// ReadFrom reads the next datagram that the rules let through.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		h, err := c.ready()
		if err != nil {
			return 0, nil, err
		}
		if h != nil {
			return copy(p, h.data), h.peer, nil
		}
		n, peer, err := c.PacketConn.ReadFrom(p)
		if errors.Is(err, os.ErrDeadlineExceeded) && c.isWaiting() {
			continue
		}
		if err != nil {
			return n, peer, err
		}
		f := c.fate(In, peer, n)
		if f.lose {
			continue
		}
		f.garble(p[:n])
		if f.twice {
			c.keep(held{data: slices.Clone(p[:n]), peer: peer, due: time.Now().Add(f.late)})
		}
		if f.late > 0 {
			c.keep(held{data: slices.Clone(p[:n]), peer: peer, due: time.Now().Add(f.late), next: f.behind})
			continue
		}
		c.follow()
		return n, peer, nil
	}
}

// ready takes a datagram whose time has come; if there is none it sets the
// deadline below to what comes first, the reader's or a datagram's.
func (c *packetConn) ready() (*held, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	now := time.Now()
	if len(c.come) > 0 && !c.come[0].due.After(now) {
		h := c.come[0]
		c.come = c.come[1:]
		return &h, nil
	}
	return nil, c.PacketConn.SetReadDeadline(c.earliest())
}

// earliest is the deadline of a read below; c.mu is held.
func (c *packetConn) earliest() time.Time {
	if len(c.come) == 0 {
		return c.until
	}
	due := c.come[0].due
	if !c.until.IsZero() && c.until.Before(due) {
		return c.until
	}
	return due
}

// isWaiting tells whether a read ended only because a datagram is due.
func (c *packetConn) isWaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.come) > 0 && (c.until.IsZero() || time.Now().Before(c.until))
}

// keep puts a datagram among those to be read later, behind those that are due
// at the same time.
func (c *packetConn) keep(h held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.come, func(o held) bool { return o.due.After(h.due) })
	if at < 0 {
		at = len(c.come)
	}
	c.come = slices.Insert(c.come, at, h)
}

// follow makes what waited for the next datagram due: here it is.
func (c *packetConn) follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for i := range c.come {
		if c.come[i].next {
			c.come[i].due, c.come[i].next = now, false
		}
	}
	slices.SortStableFunc(c.come, func(a, b held) int { return a.due.Compare(b.due) })
}

// WriteTo sends p, now or later or never, as the rules say; it fails only where
// sending at once does.
func (c *packetConn) WriteTo(p []byte, peer net.Addr) (int, error) {
	f := c.fate(Out, peer, len(p))
	if f.lose {
		return len(p), nil
	}
	data := p
	if len(f.wrong) > 0 {
		data = slices.Clone(p)
		f.garble(data)
	}
	if f.late > 0 && f.twice {
		if err := c.sendLater(&held{data: slices.Clone(data), peer: peer}, f.late); err != nil {
			return 0, err
		}
	} else if f.twice {
		if n, err := c.PacketConn.WriteTo(data, peer); err != nil {
			return n, err
		}
	}
	if f.late > 0 {
		return len(p), c.sendLater(&held{data: slices.Clone(data), peer: peer, next: f.behind}, f.late)
	}
	n, err := c.PacketConn.WriteTo(data, peer)
	if err != nil {
		return n, err
	}
	for _, h := range c.overtaken() {
		_, _ = c.PacketConn.WriteTo(h.data, h.peer) // its own WriteTo has answered already
	}
	return n, nil
}

// sendLater sends a datagram after a time.
func (c *packetConn) sendLater(h *held, late time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.leave = append(c.leave, h)
	h.timer = time.AfterFunc(late, func() {
		if c.forget(h) {
			_, _ = c.PacketConn.WriteTo(h.data, h.peer)
		}
	})
	return nil
}

// forget takes a datagram from those to be sent; false when it is gone already.
func (c *packetConn) forget(h *held) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.leave, h)
	if at < 0 {
		return false
	}
	c.leave = slices.Delete(c.leave, at, at+1)
	return true
}

// overtaken takes the datagrams that waited for another one to be sent.
func (c *packetConn) overtaken() []*held {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*held
	c.leave = slices.DeleteFunc(c.leave, func(h *held) bool {
		if h.next {
			h.timer.Stop()
			out = append(out, h)
		}
		return h.next
	})
	return out
}

// Close drops what is late and closes the socket.
func (c *packetConn) Close() error {
	c.mu.Lock()
	c.closed = true
	for _, h := range c.leave {
		h.timer.Stop()
	}
	c.leave, c.come = nil, nil
	c.mu.Unlock()
	return c.PacketConn.Close()
}

// SetDeadline bounds the waits of ReadFrom and WriteTo.
func (c *packetConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds the waits of ReadFrom.
func (c *packetConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	return c.PacketConn.SetReadDeadline(c.earliest())
}

var _ net.PacketConn = (*packetConn)(nil)
