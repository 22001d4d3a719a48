package load

import (
	"context"
	"net"
	"time"
)

// talker asks by a Conversation: one request at a time, on one goroutine.
type talker struct {
	*worker
	plan  chan int64 // where the scheduler asks
	conn  *counted
	ex    Exchanger
	out   uint64
	sent  uint64
	pause backoff
}

// counted counts bytes.
type counted struct {
	net.Conn
	in, out uint64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in += uint64(n)
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.out += uint64(n)
	return n, err
}

// converse makes exchanges until nothing is left to ask; nc is the first
// connection, or nil.
func (w *worker) converse(ctx, dialing context.Context, nc net.Conn) {
	t := &talker{worker: w, plan: make(chan int64, 1)}
	defer t.finish()
	if nc != nil {
		t.begin(ctx, nc)
	}
	for {
		if t.conn == nil && !w.Reconnect && !t.renew(ctx, dialing) {
			return
		}
		planned, ok := t.wait()
		if !ok {
			return
		}
		t.once(ctx, planned)
	}
}

// finish closes what is open and counts what was sent.
func (t *talker) finish() {
	t.drop()
	t.shard.wrote(t.sent, t.out)
}

// renew connects anew; false when that is not needed any more.
func (t *talker) renew(ctx, dialing context.Context) bool {
	for t.conn == nil {
		nc := t.again(dialing, &t.pause)
		if nc == nil {
			return false
		}
		if !t.begin(ctx, nc) {
			t.take(1, t.now()) // or a limited number of requests would never end
		}
	}
	return true
}

// begin says what comes before the first request.
func (t *talker) begin(ctx context.Context, nc net.Conn) bool {
	t.conn = &counted{Conn: nc}
	_ = nc.SetDeadline(time.Now().Add(t.Timeout)) // the first use tells what is wrong
	err := net.ErrClosed
	if t.set(nc) {
		t.ex, err = t.Conversation.Open(ctx, t.conn)
	}
	if err == nil {
		return true
	}
	if !t.cut.Load() {
		t.fail(1, err)
	}
	t.drop()
	return false
}

// drop closes the connection.
func (t *talker) drop() {
	if t.conn == nil {
		return
	}
	t.set(nil)
	t.conn.Close()
	t.out += t.conn.out
	t.conn, t.ex = nil, nil
}

// wait gives the planned time of the next request, when that has come.
func (t *talker) wait() (planned int64, ok bool) {
	if t.Rate == 0 {
		now := t.now()
		return now, t.take(1, now) == 1
	}
	t.shard.offer(t)
	select {
	case planned = <-t.plan:
		return planned, true
	case <-t.overC:
	}
	select { // it may have been asked before that
	case planned = <-t.plan:
		return planned, true
	default:
		return 0, false
	}
}

// ask is the scheduler's.
func (t *talker) ask(planned int64) bool {
	t.plan <- planned
	return true
}

// once makes one request.
func (t *talker) once(ctx context.Context, planned int64) {
	if planned >= t.from {
		t.sent++
	}
	if t.conn == nil {
		nc, err := t.connectOnce(ctx)
		if err != nil {
			t.failed(err)
			return
		}
		if !t.begin(ctx, nc) {
			t.pause.wait(t.overC)
			return
		}
	}
	before := t.conn.in
	_ = t.conn.SetDeadline(time.Now().Add(t.Timeout)) // the exchange tells what is wrong
	if t.cut.Load() {                                 // and the deadline may have undone that
		return
	}
	err := t.ex.Exchange(ctx)
	in := int(t.conn.in - before)
	if err != nil {
		t.shard.received(in, t.now())
		t.drop()
		t.failed(err)
		return
	}
	t.pause.reset()
	times := [1]int64{planned}
	t.shard.answered(times[:], t.now(), in)
	if t.Reconnect {
		t.drop()
	}
}

// failed counts an error and waits before the next attempt, unless connecting
// anew will.
func (t *talker) failed(err error) {
	if t.cut.Load() {
		return
	}
	t.fail(1, err)
	if t.Reconnect {
		t.pause.wait(t.overC)
	}
}
