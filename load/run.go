package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// connectsAtOnce is how many connections are being opened at a time.
const connectsAtOnce = 256

// Run puts the plan's load on its target and returns when every request has
// its answer, or has been given up. The end of ctx ends it at once; then the
// Result is what was measured so far, and Interrupted.
//
// What goes wrong with requests is in the Result. An error is a plan that
// cannot be carried out, or a target to which not even one connection could be
// opened. Nothing is left open or running. Runs may go on at the same time.
func Run(ctx context.Context, p Plan) (*Result, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	r := &runner{Plan: p, t0: time.Now(), gate: make(chan struct{}), overC: make(chan struct{})}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	defer r.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, r.interrupt)
	defer stop()
	var done sync.WaitGroup
	dialing, noMore := context.WithCancel(ctx)
	defer noMore()
	r.noMore = noMore
	for _, w := range r.workers {
		done.Go(func() { w.run(ctx, dialing) })
	}
	r.connected.Wait()
	if err := r.open(ctx); err != nil {
		cancel()
		r.finish()
		close(r.gate)
		done.Wait()
		return nil, err
	}
	own := startEffort()
	close(r.gate)
	var watching sync.WaitGroup
	watching.Go(r.watch)
	r.schedule()
	done.Wait()
	r.finish()
	watching.Wait()
	return r.result(ctx, own), nil
}

// runner is one Run. Times are nanoseconds since t0.
type runner struct {
	Plan
	target  *target
	packet  bool
	t0      time.Time
	shards  []*shard
	workers []*worker

	connected sync.WaitGroup
	slots     chan struct{} // connectsAtOnce
	opened    atomic.Int64  // connections, before the gate
	live      atomic.Int64  // connections, now
	gate      chan struct{} // closed when the three below are set
	begin     int64         // of the first request
	from      int64         // of what counts
	end       int64         // of sending

	tickets atomic.Int64 // requests that may still be sent, if they are limited
	once    sync.Once
	over    atomic.Bool   // nothing more is sent
	overC   chan struct{} // closed with over
	cut     atomic.Bool   // and nobody waits for answers
	noMore  context.CancelFunc
}

func (r *runner) now() int64 { return int64(time.Since(r.t0)) }

// prepare finds the target and makes shards and workers.
func (r *runner) prepare(ctx context.Context) error {
	if r.dial == nil {
		t, err := newTarget(ctx, &r.Plan)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		r.target, r.packet = t, t.endpoint.Scheme.Packet()
		r.dial = t.dial
	}
	switch {
	case r.packet && (r.Reconnect || r.Conversation != nil):
		return errors.New("load: datagrams carry messages, without connections to renew")
	case r.packet && len(r.Message.Send) > maxDatagram:
		return fmt.Errorf("load: a datagram of more than %d bytes", maxDatagram)
	case r.Timeout == 0 && r.packet:
		r.Timeout = time.Second
	case r.Timeout == 0:
		r.Timeout = 5 * time.Second
	}
	if r.Reconnect && r.Conversation == nil {
		r.Conversation = messages{r.Message}
	}
	if r.sleep == nil {
		r.sleep = newSleeper
	}
	if r.Requests > 0 {
		r.tickets.Store(int64(min(r.Requests, math.MaxInt64)))
	}
	r.slots = make(chan struct{}, connectsAtOnce)
	n := min(runtime.GOMAXPROCS(0), r.Connections)
	for i := range n {
		r.shards = append(r.shards, newShard(r, i, (r.Connections+n-1)/n))
	}
	for i := range r.Connections {
		r.workers = append(r.workers, &worker{runner: r, shard: r.shards[i%n]})
	}
	r.connected.Add(r.Connections)
	return nil
}

func (r *runner) close() {
	for _, s := range r.shards {
		s.close()
	}
}

// open sets the times, when all connections have been tried.
func (r *runner) open(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("load: connecting: %w", context.Cause(ctx))
	}
	if r.opened.Load() == 0 && !r.Reconnect {
		for _, s := range r.shards {
			for _, err := range s.first {
				return fmt.Errorf("load: no connection: %w", err)
			}
		}
	}
	r.begin = r.now()
	r.from = r.begin + int64(r.Warmup)
	r.end = math.MaxInt64
	if r.Duration > 0 {
		r.end = r.from + int64(r.Duration)
	}
	if r.Ready != nil {
		s := Setup{Connections: int(r.opened.Load())}
		if r.target != nil {
			s.Sources, s.Ports, s.Short = r.target.sources, r.target.ports, r.target.short
		}
		r.Ready(s)
	}
	return nil
}

// watch opens and closes the Window, and ends a closed loop in time.
func (r *runner) watch() {
	if !r.waitUntil(r.from) {
		return
	}
	r.window(true)
	r.waitUntil(r.end)
	r.window(false)
	if r.Rate == 0 {
		r.finish()
	}
}

func (r *runner) window(open bool) {
	if r.Window != nil {
		r.Window(open)
	}
}

// waitUntil is false when the run was over before.
func (r *runner) waitUntil(t int64) bool {
	timer := time.NewTimer(time.Duration(t - r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.overC:
		return false
	}
}

// schedule has the shards send at the planned times, if there are any, and
// returns when all of them have come.
func (r *runner) schedule() {
	if r.Rate == 0 {
		return
	}
	var all sync.WaitGroup
	for _, s := range r.shards {
		all.Go(s.schedule)
	}
	all.Wait()
	if r.Duration > 0 && (r.Requests == 0 || r.tickets.Load() > 0) {
		r.waitUntil(r.end) // the last request may have been planned long before
	}
	r.finish()
}

// take gives leave to send k requests, or fewer, or none any more.
func (r *runner) take(k int, now int64) int {
	if now >= r.end || r.over.Load() {
		return 0
	}
	if r.Requests == 0 {
		return k
	}
	if left := r.tickets.Add(-int64(k)); left < 0 {
		k = max(k+int(max(left, -int64(k))), 0)
	}
	return k
}

// exhausted tells whether no connection is needed any more. At a fixed rate
// the scheduler may hold the last ticket, and tells when it is over.
func (r *runner) exhausted() bool {
	return r.over.Load() || r.now() >= r.end || r.Rate == 0 && r.Requests > 0 && r.tickets.Load() <= 0
}

// finish is the end of sending. Whoever waits for an answer goes on waiting.
func (r *runner) finish() {
	r.once.Do(func() {
		r.over.Store(true)
		close(r.overC)
		r.noMore()
		for _, w := range r.workers {
			w.wake()
		}
	})
}

// interrupt is the end of everything.
func (r *runner) interrupt() {
	r.cut.Store(true)
	r.finish()
	for _, w := range r.workers {
		w.interrupt()
	}
}

// past is a deadline that ends a read at once.
func past() time.Time { return time.Unix(1, 0) }

// at is the time t as a deadline.
func (r *runner) at(t int64) time.Time { return r.t0.Add(time.Duration(t)) }

// result adds the shards up.
func (r *runner) result(ctx context.Context, own effort) *Result {
	last := min(r.now(), r.end)
	res := &Result{
		Target: r.Target, Connections: r.Connections, Depth: r.Depth, Wanted: r.Rate,
		Seconds: max(float64(last-r.from)/1e9, 0), Errors: map[Failure]uint64{}, Examples: map[Failure]string{},
		Interrupted: ctx.Err() != nil, latency: newHistogram(), Own: own.end(), Opening: time.Duration(r.begin),
	}
	connect := newHistogram()
	for _, k := range Failures() {
		res.Errors[k] = 0
	}
	for _, s := range r.shards {
		res.latency.Merge(s.latency)
		connect.Merge(s.connect)
		res.Sent += s.sent
		res.Replies += s.replies
		res.InTime += s.inTime
		res.Lost += s.lost
		res.Stale += s.stale
		res.Late += s.late
		res.Starved += s.starved
		res.Unsent += s.unsent
		res.MaxLate = max(res.MaxLate, time.Duration(s.maxLate))
		res.BytesOut += s.out
		res.BytesIn += s.in
		res.SlowSYN += s.slow
		for k, n := range s.errors {
			res.Errors[k] += n
			res.Examples[k] = s.first[k].Error()
		}
	}
	if res.Seconds > 0 {
		res.Rate = float64(res.InTime) / res.Seconds
	}
	res.Latency, res.Connect = distribution(res.latency), distribution(connect)
	return res
}

// connectOnce opens a connection and says how that went; open is for those
// that are opened before the gate.
func (w *worker) connectOnce(ctx context.Context) (net.Conn, error) {
	began := w.now()
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	nc, err := w.dial(ctx)
	if err != nil {
		return nil, err
	}
	w.shard.connectedIn(w.now() - began)
	return nc, nil
}
