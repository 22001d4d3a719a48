package load

import (
	"math/bits"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// lateAfter is how much later than planned a request is late.
	lateAfter = int64(time.Millisecond)
	// slowSYN is how soon the first SYN is sent again (RFC 6298 section 2.1).
	slowSYN = int64(time.Second)
)

// shard counts for some of the connections, and plans their requests.
type shard struct {
	r       *runner
	index   int
	idle    chan asker // connections that can send one more, once for each
	latency *hdrhistogram.Histogram
	connect *hdrhistogram.Histogram
	naps    chan sleeper // for yield

	mu                                 sync.Mutex
	sent, replies, inTime, lost, stale uint64
	in, out, slow                      uint64
	errors                             map[Failure]uint64
	first                              map[Failure]error

	late, starved, unsent uint64 // the scheduler's
	maxLate               int64
	freeAt                int64 // when a connection that was waited for became free
}

// asker is a connection that can send a request.
type asker interface {
	// ask sends one that was planned for this time; false: it cannot any more.
	ask(planned int64) bool
}

func newShard(r *runner, index, connections int) *shard {
	s := &shard{
		r: r, index: index, idle: make(chan asker, 2*connections*r.Depth+1),
		latency: newHistogram(), connect: newHistogram(), naps: make(chan sleeper, 1),
		errors: map[Failure]uint64{}, first: map[Failure]error{},
	}
	if r.Depth > 1 {
		s.naps <- r.sleep()
	}
	return s
}

// close gives back what the shard has of the system.
func (s *shard) close() {
	select {
	case nap := <-s.naps:
		nap.close()
	default:
	}
}

// yieldAfter is how many reads in a row one connection has before the others
// have theirs: as many as it has requests in flight, so that all wait alike.
func (r *runner) yieldAfter() int { return max(r.Depth, 8) }

// yield lets the other connections read. One with many requests in flight may
// always find an answer, so that it never waits; and while a goroutine can run,
// Go does not ask its poller who else could: Gosched alone would come back at
// once. A nap on a descriptor makes it ask.
func (s *shard) yield() {
	select {
	case nap := <-s.naps:
		nap.sleep(1)
		s.naps <- nap
	default:
		runtime.Gosched()
	}
}

// offer says that a can send one more request.
func (s *shard) offer(a asker) {
	select {
	case s.idle <- a:
	default:
		select {
		case s.idle <- a:
		case <-s.r.overC:
		}
	}
}

// planned is the time of this shard's request number n: the shards take turns.
func (s *shard) planned(n uint64) (t int64, ok bool) {
	whole := n*uint64(len(s.r.shards)) + uint64(s.index)
	if s.r.Rate == float64(uint64(s.r.Rate)) { // exact for ever
		hi, lo := bits.Mul64(whole, uint64(time.Second))
		if hi >= uint64(s.r.Rate) {
			return 0, false
		}
		q, _ := bits.Div64(hi, lo, uint64(s.r.Rate))
		return s.r.begin + int64(q), q < 1<<62
	}
	f := float64(whole) / s.r.Rate * float64(time.Second)
	return s.r.begin + int64(f), f < 1<<62
}

// schedule sends a request at each planned time, or as soon after it as a
// connection is free. A late one delays none of the others.
func (s *shard) schedule() {
	sl := s.r.sleep()
	defer sl.close()
	for n := uint64(0); ; n++ {
		t, ok := s.planned(n)
		if !ok || t >= s.r.end || s.r.cut.Load() {
			return
		}
		now := s.r.now()
		for now < t {
			if !sl.sleep(time.Duration(min(t-now, int64(longestNap)))) || s.r.cut.Load() {
				return
			}
			now = s.r.now()
		}
		if now >= s.r.end {
			s.leave(n)
			return
		}
		if s.r.take(1, now) == 0 {
			return
		}
		if !s.send(t) {
			s.leave(n)
			return
		}
	}
}

// longestNap is how long a sleeper may not notice that it is to stop.
const longestNap = 50 * time.Millisecond

// send finds a connection for the request; false when the end came first.
func (s *shard) send(t int64) bool {
	for {
		var a asker
		select {
		case a = <-s.idle:
		default:
			if a = s.await(); a == nil {
				return false
			}
			s.freeAt = s.r.now()
		}
		lag := s.r.now() - t
		if !a.ask(t) {
			continue
		}
		if t >= s.r.from {
			s.noteLag(lag, t < s.freeAt)
		}
		return true
	}
}

// await waits for a free connection, until the end, or until there has been
// none at all for so long that none is to be expected.
func (s *shard) await() asker {
	for {
		patience := max(s.r.Timeout, time.Second)
		end := min(s.r.end, s.r.now()+int64(patience))
		timer := time.NewTimer(time.Duration(end - s.r.now()))
		select {
		case a := <-s.idle:
			timer.Stop()
			return a
		case <-s.r.overC:
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if end == s.r.end || s.r.Duration == 0 && s.r.live.Load() == 0 && !s.r.Reconnect {
			return nil
		}
	}
}

func (s *shard) noteLag(lag int64, starved bool) {
	s.maxLate = max(s.maxLate, lag)
	if lag <= lateAfter {
		return
	}
	s.late++
	if starved { // it, or one before it that it had to wait for
		s.starved++
	}
}

// leave counts the requests from number n on that were planned and not sent.
func (s *shard) leave(n uint64) {
	for ; ; n++ {
		t, ok := s.planned(n)
		if !ok || t >= s.r.end || t >= s.r.now() {
			return
		}
		if t >= s.r.from {
			s.unsent++
		}
	}
}

// answered counts replies that came now, to requests planned at these times.
func (s *shard) answered(planned []int64, now int64, in int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now < s.r.from {
		return
	}
	if now <= s.r.end {
		s.inTime += uint64(len(planned))
	}
	s.in += uint64(in)
	for _, t := range planned {
		if t >= s.r.from {
			s.replies++
			record(s.latency, now-t)
		}
	}
}

// received counts bytes that completed no reply.
func (s *shard) received(n int, now int64) {
	if n > 0 {
		s.answered(nil, now, n)
	}
}

// failed counts n requests, or attempts to connect, that failed.
func (s *shard) failed(n uint64, err error) {
	kind := failureOf(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors[kind] += n
	if s.first[kind] == nil {
		s.first[kind] = err
	}
}

// wrote counts requests that were sent.
func (s *shard) wrote(requests, bytes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += requests
	s.out += bytes
}

// missed counts datagrams that were lost, or answered too late.
func (s *shard) missed(lost, stale uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost += lost
	s.stale += stale
}

func (s *shard) connectedIn(d int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record(s.connect, d)
	if d >= slowSYN {
		s.slow++
	}
}
