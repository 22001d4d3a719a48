package server

import (
	"errors"
	"io"
	"net"
	"sync"
)

// gathering brings what several goroutines accept to one Accept. A connection
// that nobody has asked for yet stays with its bringer, so that the end of a
// listener loses none.
type gathering struct {
	ready chan arrival
	over  chan struct{} // closed: what nobody has asked for is closed
	ended chan struct{} // closed: nobody brings any more
	wg    sync.WaitGroup
	once  sync.Once
	mu    sync.Mutex
	err   error // why it ended
}

// arrival is what an Accept returned.
type arrival struct {
	nc  net.Conn
	err error
}

func newGathering() *gathering {
	return &gathering{ready: make(chan arrival), over: make(chan struct{}), ended: make(chan struct{})}
}

// start begins to bring from each of ls; take gets each connection.
func (g *gathering) start(ls []net.Listener, take func(net.Conn)) {
	for _, l := range ls {
		g.wg.Go(func() { g.bring(l, take) })
	}
	go func() {
		g.wg.Wait()
		close(g.ended)
	}()
}

func (g *gathering) bring(l net.Listener, take func(net.Conn)) {
	for {
		nc, err := l.Accept()
		if err == nil {
			take(nc)
			continue
		}
		ends := errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
		if !ends && !g.offer(arrival{err: err}) {
			return
		}
		if ends || !isPassing(err) {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.err == nil {
				g.err = err
			}
			return
		}
	}
}

// offer waits until the arrival is asked for; false when the end came first.
func (g *gathering) offer(a arrival) bool {
	select {
	case g.ready <- a:
		return true
	case <-g.over:
		if a.nc != nil {
			a.nc.Close()
		}
		return false
	}
}

func (g *gathering) accept() (net.Conn, error) {
	select {
	case a := <-g.ready:
		return a.nc, a.err
	case <-g.ended:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return nil, net.ErrClosed
	}
	return nil, g.err
}

// stop closes what nobody has asked for.
func (g *gathering) stop() { g.once.Do(func() { close(g.over) }) }
