package server

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// pollable tells whether the loops can accept from b.
func (b *bundle) pollable() bool {
	for _, l := range b.members {
		switch l.(type) {
		case *net.TCPListener, *net.UnixListener:
		default:
			return false
		}
	}
	return true
}

// takeOver is takeOver for a bundle. Descriptor i is for loop i modulo n. Where
// the sockets are fewer than the loops, every loop accepts from each of them:
// siblings are not added to a socket that outlives this process, because what
// waits in a sibling's queue is lost when it closes.
func (b *bundle) takeOver(n int) (fds []int, done func(), err error) {
	var own []int
	done = func() {
		for _, fd := range own {
			unix.Close(fd)
		}
		_ = b.closeMembers() // the paths of Unix sockets
	}
	for _, l := range b.members {
		fd, err := duplicate(l)
		if err != nil {
			done()
			return nil, nil, err
		}
		own = append(own, fd)
		if _, ok := l.(*net.TCPListener); !ok {
			continue
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := l.Close(); err != nil { // else Go's poller would wake for it too
			done()
			return nil, nil, err
		}
	}
	if len(own) >= n {
		return own, done, nil
	}
	for _, fd := range own {
		for range n {
			fds = append(fds, fd)
		}
	}
	return fds, done, nil
}

// isShared tells whether the descriptors of l stay open until Serve ends.
func isShared(l net.Listener) bool {
	switch l.(type) {
	case *net.UnixListener, *bundle:
		return true
	}
	return false
}

// outlast returns when ctx ends (false), or when l has finished and the last
// talk has ended (true).
func outlast(ctx context.Context, l net.Listener, sites []*site) bool {
	select {
	case <-ctx.Done():
		return false
	case <-finishing(l):
	}
	for _, st := range sites {
		st.lp.call(func() { st.lp.leave(st) })
	}
	for _, st := range sites {
		select {
		case <-ctx.Done():
			return false
		case <-st.ended:
		}
	}
	return true
}

// listenSiblings makes n listening sockets on the port of l, which it owns.
func listenSiblings(l net.Listener, n int) (net.Listener, error) {
	fds, _, err := takeOver(l, n)
	if err != nil {
		return nil, err
	}
	var members []net.Listener
	for i, fd := range fds {
		m, err := listenerOn(fd)
		if err != nil {
			for _, fd := range fds[i:] {
				unix.Close(fd)
			}
			return nil, errors.Join(err, newBundle(members...).closeMembers())
		}
		unix.Close(fd)
		members = append(members, m)
	}
	return newBundle(members...), nil
}
