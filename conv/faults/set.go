package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/farend-go/farend/conv"
)

// A Set is the rules of a program, with their counts. Its methods may be
// called by several goroutines at once; a nil Set has no rules.
type Set struct {
	rules []*shared
	fired func(Fired)
}

// NewSet makes a set of rules. fired, if not nil, is called for every fault,
// by the goroutine to which it happens; it must be quick.
func NewSet(rules []Rule, fired func(Fired)) *Set {
	s := &Set{fired: fired}
	for i, r := range rules {
		s.rules = append(s.rules, &shared{Rule: r, rng: rand.New(rand.NewPCG(r.Seed, uint64(i)))})
	}
	return s
}

// Fired tells of a fault that happened.
type Fired struct {
	Rule          Rule
	Count         int   // how often the rule has fired, this time included
	Dir           Dir   // the direction that fired it; Both for a reply
	At            int64 // bytes that had passed in that direction, of the connection; for a datagram its number
	Local, Remote net.Addr
}

// String is a line for a log or a transcript: "FAULT 1/2 echo do=close times=2".
func (f Fired) String() string {
	count := fmt.Sprint(f.Count)
	if f.Rule.Times > 0 {
		count += fmt.Sprintf("/%d", f.Rule.Times)
	}
	return "FAULT " + count + " " + f.Rule.String()
}

// shared is a rule with what all connections count together.
type shared struct {
	Rule
	mu    sync.Mutex
	seen  int
	fired int
	rng   *rand.Rand
}

// occurs counts an occasion to arm the rule and tells whether to.
func (r *shared) occurs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	switch {
	case r.N > 0 && r.seen != r.N:
		return false
	case r.Times > 0 && r.fired >= r.Times:
		return false
	case r.P > 0 && r.P < 1:
		return r.rng.Float64() < r.P
	}
	return true
}

// take counts the firing; false: it has fired as often as it may.
func (r *shared) take() (count int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Times > 0 && r.fired >= r.Times {
		return 0, false
	}
	r.fired++
	return r.fired, true
}

// late is Delay, give or take Jitter.
func (r *shared) late() time.Duration {
	if r.Jitter <= 0 {
		return r.Delay
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(0, r.Delay+time.Duration(r.rng.Int64N(2*int64(r.Jitter)+1))-r.Jitter)
}

// bit is a byte with one bit set.
func (r *shared) bit() byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return 1 << r.rng.IntN(8)
}

// of gives the rules of a service that act on streams, or those that act on
// datagrams.
func (s *Set) of(service string, streams bool) []*shared {
	if s == nil {
		return nil
	}
	var out []*shared
	for _, r := range s.rules {
		d := knownDeed(r.Do)
		if r.Service == service && d != nil && (streams && d.stream || !streams && d.packet) {
			out = append(out, r)
		}
	}
	return out
}

// Layer is what the service's rules do to each of its connections; nil when
// there are none.
func (s *Set) Layer(service string) conv.Layer {
	rules := s.of(service, true)
	if len(rules) == 0 {
		return nil
	}
	return func(nc net.Conn) net.Conn { return newConn(nc, rules, s.fired) }
}

// Answers is Reply for a service; nil when it has no rule with reply=.
func (s *Set) Answers(service string) func(line string) (text string, ok bool) {
	if s == nil || !slices.ContainsFunc(s.rules, func(r *shared) bool { return r.Reply != "" && r.Service == service }) {
		return nil
	}
	return func(line string) (string, bool) { return s.Reply(service, line) }
}

// Reply is the answer that a rule with reply= gives instead of the session's
// own to this line, without its end; ok is false when there is none. A session
// asks once for each request.
func (s *Set) Reply(service, line string) (text string, ok bool) {
	if s == nil {
		return "", false
	}
	for _, r := range s.rules {
		if r.Reply == "" || r.Service != service || !r.matches(line) || !r.occurs() {
			continue
		}
		if count, ok := r.take(); ok {
			if s.fired != nil {
				s.fired(Fired{Rule: r.Rule, Count: count})
			}
			return r.Reply, true
		}
	}
	return "", false
}

// Layer is what the rules do to each connection that it wraps, whatever their
// Service. Rules with a Verb need a [Tap]; rules for datagrams do nothing.
func Layer(rules ...Rule) conv.Layer {
	s := NewSet(rules, nil)
	var all []*shared
	for _, r := range s.rules {
		if d := knownDeed(r.Do); d != nil && d.stream {
			all = append(all, r)
		}
	}
	return func(nc net.Conn) net.Conn { return newConn(nc, all, nil) }
}

// Tap is the ear that the rules with a verb need on a connection with a Layer
// of this package somewhere in it (nc, and what its NetConn gives, are looked
// through); nil when there is none or no rule has a verb. fired, if not nil, is
// called for each fault on this connection, by the goroutine to which it
// happens.
func Tap(nc net.Conn, fired func(Fired)) conv.Tap {
	c := find(nc)
	if c == nil {
		return nil
	}
	if fired != nil {
		c.mu.Lock()
		c.hears = append(c.hears, fired)
		c.mu.Unlock()
	}
	for _, r := range c.rules {
		if r.Verb != "" {
			return &ear{c: c, open: r.Service == "http" || r.Service == "https"}
		}
	}
	return nil
}

// find looks for a Layer's connection in nc.
func find(nc net.Conn) *conn {
	for nc != nil {
		if c, ok := nc.(*conn); ok {
			return c
		}
		nc = inside(nc)
	}
	return nil
}

// inside is the connection that nc wraps, nil when it wraps none.
func inside(nc net.Conn) net.Conn {
	if w, ok := nc.(interface{ NetConn() net.Conn }); ok {
		return w.NetConn()
	}
	return nil
}

// base is the innermost connection.
func base(nc net.Conn) net.Conn {
	for {
		in := inside(nc)
		if in == nil {
			return nc
		}
		nc = in
	}
}

// maxVerb is how much of a line is looked at.
const maxVerb = 512

// ear arms rules by what the peer says.
type ear struct {
	c    *conn
	line []byte
	open bool // a request may end without a line end, as a body does: an answer ends it
}

// Hear collects the peer's lines. What follows in secret ends a line: a verb
// stands before it.
func (e *ear) Hear(u conv.Utterance) {
	if u.Event != conv.Said {
		return
	}
	if u.Ours {
		if e.open {
			e.line = e.line[:0]
		}
		return
	}
	if u.Secret {
		e.end()
		return
	}
	for _, b := range u.Bytes {
		switch {
		case b == '\n':
			e.end()
		case len(e.line) < maxVerb:
			e.line = append(e.line, b)
		}
	}
}

func (e *ear) end() {
	if n := len(e.line); n > 0 && e.line[n-1] == '\r' {
		e.line = e.line[:n-1]
	}
	for _, r := range e.c.rules {
		if r.Verb != "" && r.matches(string(e.line)) {
			e.c.arm(r)
		}
	}
	e.line = e.line[:0]
}
