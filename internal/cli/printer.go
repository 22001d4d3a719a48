package cli

import (
	"io"
	"sync"
	"time"
)

// printer writes to a stream that somebody may be slow to read, from
// goroutines that must not wait for long, event loops among them. What does not
// fit in its queue makes them wait, until hurry is called: then it is dropped.
type printer struct {
	lines  chan []byte
	rushed chan struct{} // closed: nobody waits any more
	over   chan struct{} // closed: nobody prints any more
	done   chan struct{} // closed: everything is written
	once   sync.Once
}

const (
	printerQueue = 1024
	printerGrace = time.Second // for the queue at the end
)

func newPrinter(w io.Writer) *printer {
	p := &printer{
		lines: make(chan []byte, printerQueue), rushed: make(chan struct{}),
		over: make(chan struct{}), done: make(chan struct{}),
	}
	go func() {
		defer close(p.done)
		for {
			select {
			case b := <-p.lines:
				_, _ = w.Write(b) // a reader that has gone is no reason to stop serving
			case <-p.over:
				p.rest(w)
				return
			}
		}
	}()
	return p
}

// rest writes what is queued.
func (p *printer) rest(w io.Writer) {
	for {
		select {
		case b := <-p.lines:
			_, _ = w.Write(b)
		default:
			return
		}
	}
}

// print queues b, which is the printer's from now on.
func (p *printer) print(b []byte) {
	select {
	case p.lines <- b:
		return
	default:
	}
	select {
	case p.lines <- b:
	case <-p.rushed:
	}
}

// Write is print for a copy of b.
func (p *printer) Write(b []byte) (int, error) {
	p.print(append([]byte(nil), b...))
	return len(b), nil
}

// hurry lets nobody wait for a slow reader any more.
func (p *printer) hurry() { p.once.Do(func() { close(p.rushed) }) }

// close writes what is queued, if the reader takes it within the grace. It is
// called once, when nobody prints any more.
func (p *printer) close() {
	p.hurry()
	close(p.over)
	grace := time.NewTimer(printerGrace)
	defer grace.Stop()
	select {
	case <-p.done:
	case <-grace.C:
	}
}
