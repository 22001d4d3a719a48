package faults

import (
	"net"
	"os"
	"sync"
	"time"
)

// deadline is the time until which a wait of ours may last, as SetDeadline set
// it; the connection below keeps its own.
type deadline struct {
	mu      sync.Mutex
	timer   *time.Timer
	expired chan struct{} // closed when the time has come
}

// set replaces the time; zero is none.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	old := d.expired
	if old == nil || isDone(old) {
		d.expired = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	expired := d.expired
	left := time.Until(t)
	if left <= 0 {
		close(expired)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == timer { // else another time has been set meanwhile
			d.timer = nil
			close(expired)
		}
	})
	d.timer = timer
}

func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expired == nil {
		d.expired = make(chan struct{})
	}
	return d.expired
}

// wait waits for the time to pass (negative: for ever), the deadline, or the
// end of the connection.
func (d *deadline) wait(t time.Duration, closed <-chan struct{}) error {
	if t == 0 {
		return nil
	}
	var after <-chan time.Time
	if t > 0 {
		timer := time.NewTimer(t)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
		return nil
	case <-d.done():
		return os.ErrDeadlineExceeded
	case <-closed:
		return net.ErrClosed
	}
}

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
