package telnet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/farend-go/farend/conv"
)

// A Conn is an NVT on a connection: data goes in and out, and negotiations are
// answered meanwhile by whoever reads. One goroutine may read while others
// write.
type Conn struct {
	c *conv.Conn

	mu      sync.Mutex // guards what follows
	idle    sync.Cond  // sending has become false
	nvt     *NVT
	sending bool
	err     error // of a write
	spare   []byte
	half    bool // our half ends behind the handshake

	lead     []byte // data that comes first
	skip     bool   // an LF in front is the end of a line that was taken
	in, rest []byte // the reader's
	ended    error  // why nothing more is read: a step up to TLS that failed
	heard    func(Event) error
	// upgrade shakes hands; nil: never.
	upgrade  func(ctx context.Context) error
	options  Options
	progress func() // somebody reads or writes; nil: nobody cares
	wire     net.Conn
	urgent   *urgent // nil: there is none
}

func newConn(c *conv.Conn, n *NVT) *Conn {
	out := &Conn{c: c, nvt: n, wire: c.NetConn()}
	out.idle.L = &out.mu
	return out
}

// Do runs f with our end of the conversation, and sends what that wants sent.
// f must not wait.
func (c *Conn) Do(f func(n *NVT)) error {
	c.mu.Lock()
	f(c.nvt)
	c.mu.Unlock()
	return c.flush(true)
}

// Peer is what the peer has told of itself.
func (c *Conn) Peer() Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.nvt.Peer
	p.Terminals, p.Variables = slices.Clone(p.Terminals), slices.Clone(p.Variables)
	return p
}

// Notify has f called by whoever reads, for each event that is no data. It must
// not wait, nor use the Conn but by Do; Data of the event is valid during the
// call. An error of f ends that Read. It is set before the first Read.
func (c *Conn) Notify(f func(Event) error) { c.heard = f }

// Interrupt has a Read that waits, and later ones, return
// os.ErrDeadlineExceeded.
func (c *Conn) Interrupt() error { return c.readUntil(time.Unix(1, 0)) }

// readUntil bounds reads.
func (c *Conn) readUntil(t time.Time) error {
	c.mu.Lock()
	wire := c.wire
	c.mu.Unlock()
	return wire.SetReadDeadline(t)
}

// Write sends data: 255 is doubled, and what CR needs is added. It has left
// when Write returns, but for what is written while both ends step up to TLS:
// that leaves behind the handshake, which whoever reads makes.
func (c *Conn) Write(b []byte) (int, error) {
	c.room()
	if err := c.Do(func(n *NVT) { _, _ = n.Write(b) }); err != nil {
		return 0, err
	}
	return len(b), nil
}

// mostHeld is how much is held for behind a handshake; who writes more waits.
const mostHeld = 1 << 20

// room waits until there is room for what is to be written.
func (c *Conn) room() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.nvt.follows[1] && len(c.nvt.held) >= mostHeld && c.err == nil {
		c.idle.Wait()
	}
}

// fail has every write fail from now on, and those that wait.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = cmp.Or(c.err, err)
	c.idle.Broadcast()
}

// Read reads data. What else comes is dealt with on the way.
func (c *Conn) Read(p []byte) (int, error) { return c.read(context.Background(), p) }

// read is Read; ctx bounds a handshake, nothing else.
func (c *Conn) read(ctx context.Context, p []byte) (int, error) {
	n, err := c.readData(ctx, p)
	if c.skip && n > 0 {
		c.skip = false
		if p[0] == '\n' {
			if n = copy(p, p[1:n]); n == 0 && err == nil {
				return c.readData(ctx, p)
			}
		}
	}
	return n, err
}

func (c *Conn) readData(ctx context.Context, p []byte) (int, error) {
	if len(c.lead) > 0 {
		n := copy(p, c.lead)
		c.lead = c.lead[n:]
		return n, nil
	}
	if c.ended != nil {
		return 0, c.ended
	}
	for n := 0; ; {
		for len(c.rest) > 0 && n < len(p) {
			more, err := c.next(ctx, p[n:])
			if n += more; err != nil {
				return n, err
			}
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// fill waits for input.
func (c *Conn) fill() error {
	if c.in == nil {
		c.in = make([]byte, 16<<10)
	}
	n, err := c.wire.Read(c.in)
	if c.progress != nil {
		c.progress()
	}
	if c.rest = c.in[:n]; n == 0 {
		c.mu.Lock()
		follows := c.nvt.follows[1]
		c.mu.Unlock()
		if follows && !errors.Is(err, os.ErrDeadlineExceeded) { // there will be no handshake
			c.fail(fmt.Errorf("telnet: before the handshake: %w", err))
		}
		return err
	}
	if c.urgent != nil {
		c.mu.Lock()
		c.nvt.Urgent(c.urgent.ahead())
		c.mu.Unlock()
	}
	return nil
}

// next takes data off what has come, as much as fits in p, up to the first
// event that is no data, which it deals with.
func (c *Conn) next(ctx context.Context, p []byte) (n int, err error) {
	c.mu.Lock()
	e := Event{Kind: Data}
	for e.Kind == Data && len(c.rest) > 0 && n < len(p) {
		here := c.rest[:min(len(c.rest), len(p)-n)] // data never grows when it is decoded
		var rest []byte
		e, rest = c.nvt.Next(here)
		c.rest = c.rest[len(here)-len(rest):]
		if e.Kind == Data {
			n += copy(p[n:], e.Data)
		}
	}
	answers := len(c.nvt.out)+len(c.nvt.last) > 0
	c.mu.Unlock()
	if answers {
		// Whoever cannot answer any more, having closed his half, may read on.
		_ = c.flush(false)
	}
	if e.Kind == Data || e.Kind == Nothing {
		return n, nil
	}
	if e.Kind == Sub && e.Option == StartTLS {
		if err := c.startTLS(ctx); err != nil {
			return n, err
		}
	}
	if c.heard == nil {
		return n, nil
	}
	return n, c.heard(e)
}

// flush sends what is to be sent. Somebody who sends already sends it too; with
// wait it has left when flush returns.
func (c *Conn) flush(wait bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sending {
		if !wait {
			return nil
		}
		c.idle.Wait()
	}
	c.sending = true
	for c.err == nil {
		b := c.nvt.Out()
		if len(b) == 0 {
			break
		}
		if c.nvt.out = c.spare; c.nvt.out != nil {
			c.nvt.out = c.nvt.out[:0]
		}
		c.spare = nil
		c.mu.Unlock()
		_, err := c.wire.Write(b)
		if c.progress != nil {
			c.progress()
		}
		c.mu.Lock()
		if c.err = err; cap(b) <= keptOut {
			c.spare = b[:0]
		}
	}
	if c.err != nil {
		c.nvt.out = c.nvt.out[:0]
	}
	c.sending = false
	c.idle.Broadcast()
	return c.err
}

// startTLS shakes hands when both ends have said so. What had come behind that
// was said in clear, by nobody knows whom.
func (c *Conn) startTLS(ctx context.Context) error {
	c.mu.Lock()
	follows := c.nvt.TLSFollows()
	c.mu.Unlock()
	if !follows || c.upgrade == nil {
		return nil
	}
	if c.ended = c.stepUp(ctx); c.ended != nil {
		c.fail(c.ended)
		return c.ended
	}
	_ = c.flush(false) // what was held; whoever cannot send may read on
	c.mu.Lock()
	half := c.half
	c.mu.Unlock()
	if half {
		_ = c.closeWrite() // as above
	}
	return nil
}

func (c *Conn) stepUp(ctx context.Context) error {
	if len(c.rest) > 0 {
		return conv.ErrEarly
	}
	if err := c.flush(true); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sending {
		c.idle.Wait()
	}
	if c.err = c.upgrade(ctx); c.err != nil {
		return c.err
	}
	c.wire, c.urgent = c.c.NetConn(), nil
	c.nvt.Reset(c.options)
	return nil
}

// alone runs f while nobody else sends, unless quiet says that nothing may be
// said now.
func (c *Conn) alone(quiet func() bool, f func() error) (ran bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sending {
		c.idle.Wait()
	}
	if quiet() {
		return false, nil
	}
	c.sending = true
	c.mu.Unlock()
	err = f()
	c.mu.Lock()
	c.sending = false
	c.idle.Broadcast()
	return true, err
}

// closeWrite ends our half of the stream: behind the handshake, where one
// follows.
func (c *Conn) closeWrite() error {
	_, err := c.alone(func() bool {
		c.half = c.nvt.follows[1]
		return c.half
	}, c.c.CloseWrite)
	return err
}
