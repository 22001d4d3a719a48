package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

const (
	maxDatagram = 65507   // UDP's over IPv4
	maxSlots    = 1 << 16 // a number's low half is its slot
	numberSize  = 8       // of a Numbered message
)

// packet asks over a datagram socket. A lost answer frees its slot when its
// time is over; it holds nothing else up.
type packet struct {
	w     *worker
	nc    net.Conn
	buf   []byte
	match matcher
	good  bool

	mu    sync.Mutex
	out   []byte // what is sent; its number changes
	slots []slot
	free  []int
	dead  bool
	sent  uint64 // that count
}

// slot is one request in flight, or room for one.
type slot struct {
	request
	busy  bool
	round uint64 // how often it was used: the high part of the number
}

func newPacket(w *worker, nc net.Conn) *packet {
	p := &packet{
		w: w, nc: nc, buf: make([]byte, maxDatagram+1), match: w.Message.Expect.matcher(w.Message.Send),
		out: append([]byte(nil), w.Message.Send...), slots: make([]slot, w.Depth),
	}
	if size := max(len(p.out), p.match.n); p.match.kind != line {
		p.buf = p.buf[:min(size+1, len(p.buf))] // one more, to see when it is too long
	}
	for i := range p.slots {
		p.free = append(p.free, i)
	}
	return p
}

func (p *packet) run() (good bool, err error) {
	err = p.loop()
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.w.shard.wrote(p.sent, p.sent*uint64(len(p.out)))
	if err != errDone { //nolint:errorlint // it comes bare
		p.w.fail(max(p.waiting(), 1), err)
	}
	return p.good, err
}

func (p *packet) loop() error {
	now := p.w.now()
	if err := p.nc.SetReadDeadline(p.w.at(now + int64(p.w.Timeout))); err != nil {
		return err
	}
	if p.w.over.Load() {
		return errDone
	}
	for range p.w.Depth {
		if err := p.next(now); err != nil {
			return err
		}
	}
	for reads := 1; ; reads++ {
		if p.w.Depth > 1 && reads%p.w.yieldAfter() == 0 {
			p.w.shard.yield()
		}
		n, err := p.nc.Read(p.buf)
		now = p.w.now()
		switch {
		case err == nil:
			if err := p.got(p.buf[:n], now); err != nil {
				return err
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := p.expired(now); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// next uses a free slot: at once in a closed loop, else when the scheduler asks.
func (p *packet) next(now int64) error {
	if p.w.Rate > 0 {
		if p.w.over.Load() && p.waiting() == 0 {
			return errDone
		}
		p.w.shard.offer(p)
		return nil
	}
	if p.w.take(1, now) == 0 {
		if p.waiting() == 0 {
			return errDone
		}
		return nil
	}
	_, err := p.send(now, now)
	return err
}

func (p *packet) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.slots) - len(p.free)
}

// send sends one datagram; ok is false when there is no slot for it.
func (p *packet) send(planned, now int64) (ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead || len(p.free) == 0 {
		return false, nil
	}
	i := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	s := &p.slots[i]
	*s = slot{request{planned, now}, true, s.round + 1}
	if p.w.Message.Numbered {
		binary.BigEndian.PutUint64(p.out, s.round<<16|uint64(i))
	}
	if planned >= p.w.from {
		p.sent++
	}
	_, err = p.nc.Write(p.out)
	return true, err
}

// ask is the scheduler's. A socket reports on an earlier datagram (refused)
// when the next one is sent.
func (p *packet) ask(planned int64) bool {
	ok, err := p.send(planned, p.w.now())
	if err != nil {
		p.w.fail(1, err)
	}
	return ok
}

// got takes an answer.
func (p *packet) got(b []byte, now int64) error {
	i, err := p.answers(b)
	if i < 0 {
		if now >= p.w.from {
			p.w.shard.missed(0, 1)
			p.w.shard.received(len(b), now)
		}
		return nil
	}
	p.mu.Lock()
	planned := [1]int64{p.slots[i].planned}
	p.release(i)
	p.mu.Unlock()
	if err != nil {
		p.w.fail(1, err)
		p.w.shard.received(len(b), now)
	} else {
		p.good = true
		p.w.shard.answered(planned[:], now, len(b))
	}
	return p.next(now)
}

// answers finds the slot that b answers, -1 for none: it was given up already.
func (p *packet) answers(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.w.Message.Numbered {
		i := p.oldest()
		if i >= 0 && !p.match.whole(b) {
			return i, fmt.Errorf("%w: %q", ErrWrong, b[:min(len(b), 32)])
		}
		return i, nil
	}
	if len(b) < numberSize {
		return p.oldest(), fmt.Errorf("%w: %q", ErrWrong, b)
	}
	number := binary.BigEndian.Uint64(b)
	i := int(number % maxSlots)
	switch {
	case i >= len(p.slots) || number>>16 > p.slots[i].round:
		return p.oldest(), fmt.Errorf("%w: %q", ErrWrong, b[:min(len(b), 32)])
	case number>>16 < p.slots[i].round, !p.slots[i].busy:
		return -1, nil
	case string(b[numberSize:]) != string(p.out[numberSize:]):
		return i, fmt.Errorf("%w: %q", ErrWrong, b[:min(len(b), 32)])
	}
	return i, nil
}

// oldest is the slot that has waited longest; p.mu is held.
func (p *packet) oldest() int {
	oldest := -1
	for i, s := range p.slots {
		if s.busy && (oldest < 0 || s.sent < p.slots[oldest].sent) {
			oldest = i
		}
	}
	return oldest
}

// release frees a slot; p.mu is held.
func (p *packet) release(i int) {
	p.slots[i].busy = false
	p.free = append(p.free, i)
}

// expired gives up what has waited too long, and sets the next deadline.
func (p *packet) expired(now int64) error {
	if p.w.cut.Load() {
		return errDone
	}
	for range p.giveUp(now) {
		if err := p.next(now); err != nil {
			return err
		}
	}
	p.mu.Lock()
	deadline := now + int64(p.w.Timeout)
	i := p.oldest()
	if i >= 0 {
		deadline = p.slots[i].sent + int64(p.w.Timeout)
	}
	p.mu.Unlock()
	if err := p.nc.SetReadDeadline(p.w.at(deadline)); err != nil {
		return err
	}
	if p.w.cut.Load() || i < 0 && p.w.over.Load() {
		return errDone
	}
	return nil
}

// giveUp frees the slots of datagrams that are lost and tells how many.
func (p *packet) giveUp(now int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	given, lost := 0, uint64(0)
	for i := range p.slots {
		s := &p.slots[i]
		if !s.busy || now-s.sent < int64(p.w.Timeout) {
			continue
		}
		p.release(i)
		given++
		if s.planned >= p.w.from {
			lost++
		}
	}
	if lost > 0 {
		p.w.shard.missed(lost, 0)
	}
	return given
}
