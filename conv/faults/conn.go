package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// conn is a connection under rules.
type conn struct {
	net.Conn
	rules  []*shared
	closed chan struct{} // our side has closed, or a deed has

	mu      sync.Mutex
	hears   []func(Fired)
	armed   []*armed
	slowed  []*shared // rules of verbs that have changed how bytes move here
	lanes   [3]lane   // by Dir; the first is not used
	waits   [3]deadline
	err     error  // what every call returns since a deed closed the connection
	changes int    // counts armings and firings
	pending []byte // read from below, and its delivery was put off
	ended   bool   // closed is closed
}

// lane is one direction.
type lane struct {
	passed  int64
	slice   int64
	rate    int64
	late    []*shared
	garble  []*shared // bytes to be garbled, one each
	stalled bool
	until   time.Time // the end of the stall; zero: never
	drop    bool      // what is written is thrown away
	end     error     // the direction is at its end
}

// armed is a rule that waits for its byte.
type armed struct {
	*shared
	left [3]int64 // bytes to go, by direction
}

func newConn(nc net.Conn, rules []*shared, fired func(Fired)) *conn {
	c := &conn{Conn: nc, rules: rules, closed: make(chan struct{})}
	if fired != nil {
		c.hears = append(c.hears, fired)
	}
	for _, r := range rules {
		if r.Verb == "" {
			c.arm(r)
		}
	}
	return c
}

// arm lets the rule count from now, unless it is counting already.
func (c *conn) arm(r *shared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.armed {
		if a.shared == r {
			return
		}
	}
	if !r.occurs() {
		return
	}
	c.armed = append(c.armed, &armed{r, [3]int64{In: r.After, Out: r.After}})
	c.changes++
}

// grant is what may pass next.
type grant struct {
	size    int
	rate    int64
	drop    bool
	changes int
}

// gate fires what is due in a direction, waits where it is stalled, and tells
// how many of want bytes may pass.
func (c *conn) gate(dir Dir, want int) (grant, error) {
	for {
		c.mu.Lock()
		l := &c.lanes[dir]
		a := c.due(dir)
		stalled, until, end := l.stalled, l.until, c.end(dir)
		g := c.grant(dir, want)
		c.mu.Unlock()
		switch {
		case end != nil:
			return g, end
		case a != nil:
			c.fire(a, dir)
		case stalled:
			if err := c.stall(dir, until); err != nil {
				return g, err
			}
		default:
			return g, nil
		}
	}
}

// end is why nothing can pass any more; c.mu is held.
func (c *conn) end(dir Dir) error {
	if c.err != nil {
		return c.err
	}
	return c.lanes[dir].end
}

// due is a rule whose bytes have passed; c.mu is held.
func (c *conn) due(dir Dir) *armed {
	for _, a := range c.armed {
		if a.Dir.takes(dir) && a.left[dir] == 0 {
			return a
		}
	}
	return nil
}

// grant is what may pass at once; c.mu is held.
func (c *conn) grant(dir Dir, want int) grant {
	l := &c.lanes[dir]
	g := grant{rate: l.rate, drop: l.drop, changes: c.changes}
	size := int64(want)
	for _, a := range c.armed {
		if a.Dir.takes(dir) {
			size = min(size, a.left[dir])
		}
	}
	if l.slice > 0 {
		size = min(size, l.slice)
	}
	if l.rate > 0 { // at least twenty steps a second
		size = min(size, max(1, l.rate/20))
	}
	g.size = int(size)
	return g
}

// lateness is by how much a call is late.
func (c *conn) lateness(dir Dir) time.Duration {
	c.mu.Lock()
	rules := c.lanes[dir].late
	c.mu.Unlock()
	late := time.Duration(0)
	for _, r := range rules {
		late += r.late()
	}
	return late
}

// stall waits until the direction moves again.
func (c *conn) stall(dir Dir, until time.Time) error {
	left := time.Duration(-1)
	if !until.IsZero() {
		left = max(time.Until(until), 1)
	}
	if err := c.waits[dir].wait(left, c.closed); err != nil {
		return c.explain(dir, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := &c.lanes[dir]; l.until.Equal(until) {
		l.stalled = false
	}
	return nil
}

// explain puts what a deed did in place of what it looks like from below.
func (c *conn) explain(dir Dir, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if end := c.end(dir); end != nil {
		return end
	}
	return err
}

// count says that n bytes passed.
func (c *conn) count(dir Dir, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes[dir].passed += int64(n)
	for _, a := range c.armed {
		a.left[dir] = max(0, a.left[dir]-int64(n))
	}
}

// garbled takes the bits that are to be wrong in the next byte.
func (c *conn) garbled(dir Dir) byte {
	c.mu.Lock()
	l := &c.lanes[dir]
	rules := l.garble
	l.garble = nil
	c.mu.Unlock()
	bits := byte(0)
	for _, r := range rules {
		bits ^= r.bit()
	}
	return bits
}

// pace is how long n bytes take.
func (g grant) pace(n int) time.Duration {
	if g.rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(g.rate) * float64(time.Second))
}

// Write writes all of p, or what the rules let pass.
func (c *conn) Write(p []byte) (n int, err error) {
	for first := true; n < len(p) || first; first = false {
		g, err := c.gate(Out, len(p)-n)
		if err != nil {
			return n, err
		}
		if g.drop {
			return len(p), nil
		}
		if first {
			if err := c.waits[Out].wait(c.lateness(Out), c.closed); err != nil {
				return n, c.explain(Out, err)
			}
		}
		piece := p[n : n+g.size]
		if bits := c.garbled(Out); bits != 0 && len(piece) > 0 {
			piece = append([]byte(nil), piece...)
			piece[0] ^= bits
		}
		m, err := c.Conn.Write(piece)
		n += m
		c.count(Out, m)
		if err != nil {
			return n, c.explain(Out, err)
		}
		if err := c.waits[Out].wait(g.pace(m), c.closed); err != nil {
			return n, c.explain(Out, err)
		}
	}
	c.settleOutput()
	return n, nil
}

// settleOutput fires what the bytes just written have made due.
func (c *conn) settleOutput() {
	for {
		c.mu.Lock()
		a := c.due(Out)
		c.mu.Unlock()
		if a == nil {
			return
		}
		c.fire(a, Out)
	}
}

// Read reads what the rules let pass.
func (c *conn) Read(p []byte) (int, error) {
	for {
		g, err := c.gate(In, len(p))
		if err != nil {
			return 0, err
		}
		n := c.takePending(p[:g.size])
		if n == 0 {
			if n, err = c.Conn.Read(p[:g.size]); n == 0 {
				return 0, c.explain(In, err)
			}
			if c.changed(g) {
				c.putOff(p[:n])
				continue
			}
			if err := c.waits[In].wait(c.lateness(In)+g.pace(n), c.closed); err != nil {
				c.putOff(p[:n])
				return 0, c.explain(In, err)
			}
		}
		if n > 0 {
			p[0] ^= c.garbled(In)
		}
		c.count(In, n)
		return n, nil
	}
}

// changed tells whether a rule was armed or fired since the grant.
func (c *conn) changed(g grant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes != g.changes
}

// putOff keeps what was read for the next Read.
func (c *conn) putOff(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, b...)
}

func (c *conn) takePending(p []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.pending)
	if c.pending = c.pending[n:]; len(c.pending) == 0 {
		c.pending = nil
	}
	return n
}

// fire does what an armed rule says.
func (c *conn) fire(a *armed, dir Dir) {
	c.mu.Lock()
	at := -1
	for i := range c.armed {
		if c.armed[i] == a {
			at = i
		}
	}
	if at < 0 { // another goroutine was the faster one
		c.mu.Unlock()
		return
	}
	c.armed = append(c.armed[:at:at], c.armed[at+1:]...)
	c.changes++
	count, ok := a.take()
	if !ok {
		c.mu.Unlock()
		return
	}
	f := Fired{a.Rule, count, dir, c.lanes[dir].passed, c.LocalAddr(), c.RemoteAddr()}
	hears := c.hears
	c.mu.Unlock()
	for _, hear := range hears {
		hear(f)
	}
	c.do(a.shared, dir)
}

// do is the deed.
func (c *conn) do(r *shared, dir Dir) {
	switch r.Do {
	case Truncate:
		c.truncate(dir)
	case HalfClose:
		c.finish(Out, fmt.Errorf("fault do=half-close: %w", syscall.EPIPE))
		c.closeWrite()
	case Cut:
		c.finish(Out, fmt.Errorf("fault do=cut: %w", syscall.EPIPE))
		c.finish(In, io.EOF)
		c.closeWrite()
		_ = c.Conn.SetReadDeadline(past) // a Read that waits sees the end
	case Close:
		c.fail(fmt.Errorf("fault do=close: %w", net.ErrClosed))
		drain(c.Conn) // or the system would answer unread bytes with a reset
		_ = c.Conn.Close()
	case Reset:
		settle(c.Conn, &c.waits[Out], c.closed)
		c.fail(fmt.Errorf("fault do=reset: %w", syscall.ECONNRESET))
		abort(c.Conn)
	default:
		c.affect(r, dir)
	}
}

// affect changes how a direction moves from now on.
func (c *conn) affect(r *shared, at Dir) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Verb != "" && (r.Do == Slice || r.Do == Delay || r.Do == Throttle) {
		c.slowed = append(c.slowed, r)
	}
	for _, dir := range []Dir{In, Out} {
		l := &c.lanes[dir]
		if !r.Dir.takes(dir) {
			continue
		}
		switch r.Do {
		case Slice:
			l.slice = max(1, r.Size)
		case Delay:
			l.late = append(slices.Clip(l.late), r)
		case Throttle:
			l.rate = r.Rate
		case Garble:
			if dir == at {
				l.garble = append(l.garble, r)
			}
		case Stall:
			l.stalled, l.until = true, time.Time{}
			if r.Delay > 0 {
				l.until = time.Now().Add(r.Delay)
			}
		}
	}
}

// truncate ends a direction behind its sender's back.
func (c *conn) truncate(dir Dir) {
	if dir == In {
		c.finish(In, io.EOF)
		_ = c.Conn.SetReadDeadline(past)
		return
	}
	c.mu.Lock()
	c.lanes[Out].drop = true
	c.mu.Unlock()
	c.closeWrite()
}

// finish ends a direction.
func (c *conn) finish(dir Dir, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lanes[dir].end == nil {
		c.lanes[dir].end = err
	}
}

// fail ends the connection for our side.
func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.endWaits()
}

// endWaits lets every wait of ours end; c.mu is held.
func (c *conn) endWaits() {
	if !c.ended {
		c.ended = true
		close(c.closed)
	}
}

// past is a deadline that has expired.
var past = time.Unix(1, 0)

// closeWrite ends our half below, or all where there are no halves.
func (c *conn) closeWrite() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails where the connection has ended already
		return
	}
	_ = c.Conn.Close()
}

// Close closes the connection. Calls that wait return.
func (c *conn) Close() error {
	c.mu.Lock()
	c.endWaits()
	c.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends our half of the stream; errors.ErrUnsupported where the
// connection below has no halves.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// NetConn is the connection below, as crypto/tls names such a method.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SetDeadline bounds the waits of the connection below and of the rules.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline is SetDeadline for reads.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.waits[In].set(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline is SetDeadline for writes.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.waits[Out].set(t)
	return c.Conn.SetWriteDeadline(t)
}

var _ net.Conn = (*conn)(nil)

// Beside is a second connection of a conversation under the rules of the first,
// which has a Layer of this package somewhere in it: FTP's data connection.
// Rules with a verb that are armed there count here instead, from the start,
// and those that have changed how bytes move there change it here too. Where
// there are none it is data itself.
func Beside(control, data net.Conn) net.Conn {
	c := find(control)
	if c == nil {
		return data
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &conn{Conn: data, hears: c.hears, closed: make(chan struct{})}
	var stay []*armed
	for _, a := range c.armed {
		if a.Verb == "" {
			stay = append(stay, a)
			continue
		}
		d.armed = append(d.armed, &armed{a.shared, [3]int64{In: a.After, Out: a.After}})
	}
	if len(d.armed) == 0 && len(c.slowed) == 0 {
		return data
	}
	for _, r := range c.slowed { // at once with the verb, whose bytes flow here
		d.affect(r, Out)
	}
	c.armed, c.slowed = stay, nil
	c.changes++
	return d
}
