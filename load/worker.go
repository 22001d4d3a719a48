package load

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// errDone is the good end of a connection: there is nothing more to send.
var errDone = errors.New("done")

// worker keeps one connection, one after another if it must.
type worker struct {
	*runner
	shard *shard

	mu sync.Mutex
	nc net.Conn // the present one
}

// set makes nc the connection that wake and interrupt know; false when it is
// too late for a new one.
func (w *worker) set(nc net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if (nc == nil) != (w.nc == nil) {
		if nc == nil {
			w.live.Add(-1)
		} else {
			w.live.Add(1)
		}
	}
	w.nc = nc
	return nc == nil || !w.cut.Load()
}

// wake has a reader look whether it still waits for something.
func (w *worker) wake() {
	if w.Conversation != nil {
		return // its Exchange has a deadline, and nothing else waits
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nc != nil {
		_ = w.nc.SetReadDeadline(past()) // fails only where it is closed
	}
}

// interrupt ends reads and writes.
func (w *worker) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nc != nil {
		_ = w.nc.SetDeadline(past()) // fails only where it is closed
	}
}

// run asks until there is nothing more to ask. dialing ends when sending does.
func (w *worker) run(ctx, dialing context.Context) {
	if w.Reconnect {
		w.connected.Done()
		<-w.gate
		w.converse(ctx, dialing, nil)
		return
	}
	nc := w.first(ctx)
	<-w.gate
	if w.Conversation != nil {
		w.converse(ctx, dialing, nc)
		return
	}
	var pause backoff
	for {
		if nc == nil {
			if nc = w.again(dialing, &pause); nc == nil {
				return
			}
		}
		good, err := w.exchange(nc)
		nc = nil
		if err == errDone { //nolint:errorlint // it comes bare
			return
		}
		if good {
			pause.reset()
		}
	}
}

// first opens the connection that is there before the first request.
func (w *worker) first(ctx context.Context) net.Conn {
	defer w.connected.Done()
	w.slots <- struct{}{}
	nc, err := w.connectOnce(ctx)
	<-w.slots
	if err != nil {
		if ctx.Err() == nil {
			w.shard.failed(1, err)
		}
		return nil
	}
	w.opened.Add(1)
	return nc
}

// again opens a connection after another one, or after attempts that failed;
// nil when none is needed any more.
func (w *worker) again(dialing context.Context, pause *backoff) net.Conn {
	for {
		if !pause.wait(w.overC) || w.exhausted() {
			return nil
		}
		nc, err := w.connectOnce(dialing)
		switch {
		case err == nil:
			return nc
		case dialing.Err() != nil:
			return nil
		}
		w.fail(1, err)
		w.take(1, w.now()) // or a limited number of requests would never end
	}
}

// fail counts errors, but for those before counting began.
func (w *worker) fail(n int, err error) {
	if w.now() >= w.from {
		w.shard.failed(uint64(n), err)
	}
}

// exchange asks over nc, which it closes. good tells whether there was any
// answer; err is why it ended, and has been counted.
func (w *worker) exchange(nc net.Conn) (good bool, err error) {
	defer nc.Close()
	if !w.set(nc) {
		return false, errDone
	}
	defer w.set(nil)
	if w.packet {
		return newPacket(w, nc).run()
	}
	return newStream(w, nc).run()
}

// backoff is the pause before connecting anew. The first one is none.
type backoff struct{ next time.Duration }

func (b *backoff) reset() { b.next = 0 }

func (b *backoff) wait(over <-chan struct{}) bool {
	d := b.next
	b.next = min(max(2*d, 10*time.Millisecond), time.Second)
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}
