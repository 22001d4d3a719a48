package server

import (
	"errors"
	"io"
	"net"
	"sync"
)

// bundle is a listener of one or several sockets that is served as one:
// inherited sockets, or siblings on one port. The events engine takes its
// sockets as they are and adds none. Unlike another listener it can finish:
// accepting stops, and what was accepted goes on.
type bundle struct {
	members  []net.Listener
	finished chan struct{}
	finishes sync.Once
	starts   sync.Once
	gather   *gathering
}

func newBundle(members ...net.Listener) *bundle {
	return &bundle{members: members, finished: make(chan struct{}), gather: newGathering()}
}

// Accept takes from any of the sockets. io.EOF: the bundle has finished, and
// everything that was accepted has been handed out.
func (b *bundle) Accept() (net.Conn, error) {
	nc, err := b.accept()
	if errors.Is(err, net.ErrClosed) && b.isFinished() {
		return nil, io.EOF
	}
	return nc, err
}

func (b *bundle) accept() (net.Conn, error) {
	if len(b.members) == 1 {
		return b.members[0].Accept()
	}
	b.starts.Do(func() {
		b.gather.start(b.members, func(nc net.Conn) { b.gather.offer(arrival{nc: nc}) })
	})
	return b.gather.accept()
}

// Addr is the address of the first socket.
func (b *bundle) Addr() net.Addr { return b.members[0].Addr() }

// Close closes the sockets.
func (b *bundle) Close() error {
	b.gather.stop()
	return b.closeMembers()
}

func (b *bundle) closeMembers() error {
	var errs []error
	for _, l := range b.members {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// finish ends accepting because somebody else accepts from now on: the path of
// a Unix socket stays.
func (b *bundle) finish() error {
	var err error
	b.finishes.Do(func() {
		for _, l := range b.members {
			if u, ok := l.(*net.UnixListener); ok {
				u.SetUnlinkOnClose(false)
			}
		}
		close(b.finished)
		err = b.closeMembers()
	})
	return err
}

func (b *bundle) isFinished() bool {
	select {
	case <-b.finished:
		return true
	default:
		return false
	}
}

// finishing is closed when l finishes; nil where it never does.
func finishing(l net.Listener) <-chan struct{} {
	if b, ok := l.(*bundle); ok {
		return b.finished
	}
	return nil
}

// once is a listener for a connection that exists already: Accept gives it
// once, and then io.EOF.
type once struct {
	mu   sync.Mutex
	nc   net.Conn
	addr net.Addr
}

func newOnce(nc net.Conn) *once { return &once{nc: nc, addr: nc.LocalAddr()} }

func (o *once) take() net.Conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	nc := o.nc
	o.nc = nil
	return nc
}

// Accept gives the connection.
func (o *once) Accept() (net.Conn, error) {
	if nc := o.take(); nc != nil {
		return nc, nil
	}
	return nil, io.EOF
}

// Close closes the connection, unless Accept gave it away.
func (o *once) Close() error {
	if nc := o.take(); nc != nil {
		return nc.Close()
	}
	return nil
}

// Addr is our end of the connection.
func (o *once) Addr() net.Addr { return o.addr }
