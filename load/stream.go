package load

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
)

// directSize is how many bytes in flight the sockets' buffers surely hold, so
// that whoever sends them need not wait. More is sent by a goroutine of its own.
const directSize = 16 << 10

// stream asks over a stream. One goroutine reads; requests are sent by it in a
// closed loop, by the shard's scheduler at a fixed rate.
type stream struct {
	w     *worker
	nc    net.Conn
	buf   []byte
	match matcher
	batch []byte   // Depth messages in a row, or one that is large
	kick  chan int // how many to send, where another goroutine does
	times []int64  // scratch

	mu         sync.Mutex
	ring       []request // Depth of them
	head, tail uint64    // what is in flight
	dead       bool
	sent       uint64 // that count
	replies    uint64
}

// request is one in flight.
type request struct{ planned, sent int64 }

func newStream(w *worker, nc net.Conn) *stream {
	m := w.Message
	c := &stream{
		w: w, nc: nc, buf: make([]byte, readSize(m, w.Depth)), match: m.Expect.matcher(m.Send),
		ring: make([]request, w.Depth), times: make([]int64, 0, w.Depth), batch: m.Send,
	}
	switch {
	case len(m.Send)*w.Depth > directSize:
		c.kick = make(chan int, w.Depth)
	case w.Depth > 1:
		c.batch = bytes.Repeat(m.Send, w.Depth)
	}
	return c
}

// run asks until the connection fails or nothing is left to ask.
func (c *stream) run() (good bool, err error) {
	if c.kick != nil {
		var writer sync.WaitGroup
		writer.Go(c.writeAll)
		defer writer.Wait()
		defer c.nc.Close() // before waiting: it may be in the midst of a Write
		defer close(c.kick)
	}
	err = c.loop()
	c.end(err)
	return c.replies > 0, err
}

func (c *stream) loop() error {
	now := c.w.now()
	if err := c.nc.SetReadDeadline(c.w.at(now + int64(c.w.Timeout))); err != nil {
		return err
	}
	if c.w.over.Load() {
		return errDone
	}
	if c.w.Rate > 0 {
		for range c.w.Depth {
			c.w.shard.offer(c)
		}
	} else if err := c.refill(c.w.Depth, now); err != nil {
		return err
	}
	for reads := 1; ; reads++ {
		if c.w.Depth > 1 && reads%c.w.yieldAfter() == 0 {
			c.w.shard.yield()
		}
		n, err := c.nc.Read(c.buf)
		now = c.w.now()
		if n > 0 {
			if err := c.got(c.buf[:n], now); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := c.expired(now); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// got takes what came in, and asks again for each answer.
func (c *stream) got(b []byte, now int64) error {
	done, wrong := c.match.feed(b)
	if !c.complete(done, now, len(b)) {
		return errUnasked
	}
	if wrong >= 0 {
		return wrongAt(b, wrong)
	}
	if done == 0 {
		return nil
	}
	if c.w.Rate == 0 {
		return c.refill(done, now)
	}
	for range done {
		c.w.shard.offer(c)
	}
	return c.last()
}

// last is errDone when the end has come and nothing is in flight. If it comes
// after this, a wake comes too.
func (c *stream) last() error {
	if !c.w.over.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tail > c.head {
		return nil
	}
	return errDone
}

// complete takes the oldest requests off the ring; false if there were fewer.
func (c *stream) complete(done int, now int64, in int) bool {
	c.times = c.times[:0]
	c.mu.Lock()
	ok := uint64(done) <= c.tail-c.head
	for ; done > 0 && c.head < c.tail; done-- {
		c.times = append(c.times, c.ring[c.head%uint64(len(c.ring))].planned)
		c.head++
	}
	c.mu.Unlock()
	c.replies += uint64(len(c.times))
	c.w.shard.answered(c.times, now, in)
	return ok
}

// refill sends k requests now, or as many as are left; errDone when nothing is
// left to wait for either.
func (c *stream) refill(k int, now int64) error {
	k = c.w.take(k, now)
	c.mu.Lock()
	for range k {
		c.push(now, now)
	}
	waiting := c.tail > c.head
	c.mu.Unlock()
	if !waiting {
		return errDone
	}
	if k == 0 {
		return nil
	}
	return c.write(k)
}

// push notes a request; c.mu is held.
func (c *stream) push(planned, now int64) {
	c.ring[c.tail%uint64(len(c.ring))] = request{planned, now}
	c.tail++
	if planned >= c.w.from {
		c.sent++
	}
}

// ask is the scheduler's.
func (c *stream) ask(planned int64) bool {
	c.mu.Lock()
	if c.dead || c.tail-c.head == uint64(len(c.ring)) {
		c.mu.Unlock()
		return false
	}
	c.push(planned, c.w.now())
	if c.kick != nil {
		c.kick <- 1 // it has room for Depth; under the lock, so that it is not closed
		c.mu.Unlock()
		return true
	}
	c.mu.Unlock()
	_ = c.write(1) // where it fails, the reader hears of it
	return true
}

// write sends k requests.
func (c *stream) write(k int) error {
	if c.kick != nil {
		c.kick <- k
		return nil
	}
	_, err := c.nc.Write(c.batch[:k*len(c.w.Message.Send)])
	return err
}

// writeAll sends large messages until the channel is closed. Where that fails,
// the reader hears of it.
func (c *stream) writeAll() {
	for k := range c.kick {
		for range k {
			_, _ = c.nc.Write(c.batch)
		}
	}
}

// expired finds out for whom the deadline was, and sets the next one.
func (c *stream) expired(now int64) error {
	for {
		c.mu.Lock()
		waiting, oldest := c.tail > c.head, now
		if waiting {
			oldest = c.ring[c.head%uint64(len(c.ring))].sent
		}
		c.mu.Unlock()
		switch {
		case c.w.cut.Load(), !waiting && c.w.over.Load():
			return errDone
		case waiting && now-oldest >= int64(c.w.Timeout):
			return os.ErrDeadlineExceeded
		}
		if err := c.nc.SetReadDeadline(c.w.at(oldest + int64(c.w.Timeout))); err != nil {
			return err
		}
		if !c.w.cut.Load() && (waiting || !c.w.over.Load()) { // else a wake may have been undone just now
			return nil
		}
	}
}

// end counts what was in flight as failed.
func (c *stream) end(err error) {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.w.shard.wrote(c.sent, c.sent*uint64(len(c.w.Message.Send)))
	if err == errDone || c.w.cut.Load() { //nolint:errorlint // it comes bare
		return
	}
	n := int(c.tail - c.head)
	if n == 0 && c.w.over.Load() {
		return
	}
	c.w.fail(max(n, 1), err)
}
