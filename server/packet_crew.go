package server

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// crew runs handlers that may block, each datagram on a goroutine that stays
// for the next.
type crew struct {
	handle func(p *Packet)
	via    func() answerer // a way to reply, for one datagram at a time
	jobs   chan *job
	room   chan struct{}
	idle   atomic.Int32
	wg     sync.WaitGroup
	spare  sync.Pool
}

// job is a datagram that a handler works on, with its own copy of the data.
type job struct {
	Packet
	via answerer
	buf []byte
}

const (
	// maxHandlers is how many blocking handlers of one socket run at once; over
	// it, datagrams wait in the socket's buffer.
	maxHandlers = 1024
	// maxIdle is how many goroutines wait for work.
	maxIdle = 64
)

func newCrew(handle func(p *Packet), via func() answerer) *crew {
	return &crew{handle: handle, via: via, jobs: make(chan *job), room: make(chan struct{}, maxHandlers)}
}

// take has a copy of p handled; false when ctx ended before a handler was free.
func (c *crew) take(ctx context.Context, p *Packet) bool {
	j, _ := c.spare.Get().(*job)
	if j == nil {
		j = &job{via: c.via()}
	}
	j.Packet = *p
	j.buf = append(j.buf[:0], p.Data...)
	j.Data = slices.Clip(j.buf)
	j.Packet.via = j.via
	select {
	case c.jobs <- j:
		return true
	default:
	}
	select {
	case c.jobs <- j:
	case c.room <- struct{}{}:
		c.wg.Go(func() { c.work(j) })
	case <-ctx.Done():
		return false
	}
	return true
}

func (c *crew) work(j *job) {
	defer func() { <-c.room }()
	for j != nil {
		c.handle(&j.Packet)
		c.spare.Put(j)
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		j = <-c.jobs
		c.idle.Add(-1)
	}
}

// finish waits for the handlers. Nothing is taken any more.
func (c *crew) finish() {
	close(c.jobs)
	c.wg.Wait()
}
