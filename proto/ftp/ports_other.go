//go:build !linux

package ftp

import (
	"context"
	"net"
	"slices"
)

// door is a listener with a goroutine that lets in who comes.
type door struct{ net.Listener }

func (p *passive) open(shared *sharedPort, l net.Listener) (door, error) {
	go p.accept(shared, l)
	return door{l}, nil
}

func (p *passive) accept(shared *sharedPort, l net.Listener) {
	for {
		c, err := l.Accept()
		p.mu.Lock()
		if err != nil {
			p.broke(shared)
			p.mu.Unlock()
			return
		}
		p.deliver(shared, arrival{c}, addrOf(c.RemoteAddr()))
		p.mu.Unlock()
	}
}

// broke ends a port whose listener was closed or fails; with mu held.
func (p *passive) broke(shared *sharedPort) {
	p.shut(shared)
	p.idle = slices.DeleteFunc(p.idle, func(other *sharedPort) bool { return other == shared })
	for _, e := range shared.waiting {
		if !e.came {
			e.came = true
			close(e.conns)
		}
	}
}

// look has nothing to do: the goroutine lets them in.
func (p *passive) look(*sharedPort, *expectation) error { return nil }

// open waits for the connection.
func (e *expectation) open(ctx context.Context) (net.Conn, error) {
	defer e.release()
	select {
	case a, ok := <-e.conns:
		if !ok {
			return nil, net.ErrClosed
		}
		return a.Conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// arrival is a connection that was let in.
type arrival struct{ net.Conn }

func (a arrival) conn() (net.Conn, error) { return a.Conn, nil }

// send leaves it to those who may wait.
func (a arrival) send([]byte) (int, error) { return 0, nil }
