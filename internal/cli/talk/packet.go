package talk

import (
	"net"
	"sync"
	"time"
)

// Answering makes a conversation of a datagram socket that listens: the first
// datagram tells who the peer is, and whoever else sends is not heard. It is a
// net.Conn; a Write waits until the peer is known.
type Answering struct {
	net.PacketConn
	// Anyone hears every sender, and answers the latest.
	Anyone bool
	// Met, if set, is called with each new peer, by the goroutine that reads.
	Met func(net.Addr)

	first  chan struct{} // closed when the peer is known
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex
	peer   net.Addr
}

// Answer listens on pc, which it owns.
func Answer(pc net.PacketConn) *Answering {
	return &Answering{PacketConn: pc, first: make(chan struct{}), closed: make(chan struct{})}
}

// Read gives the next datagram of the peer.
func (a *Answering) Read(b []byte) (int, error) {
	for {
		n, from, err := a.ReadFrom(b)
		if err != nil {
			return n, err
		}
		if a.meet(from) {
			return n, nil
		}
	}
}

// meet tells whether to hear somebody.
func (a *Answering) meet(from net.Addr) bool {
	a.mu.Lock()
	before := a.peer
	switch {
	case before == nil:
		a.peer = named(from)
		close(a.first)
	case a.Anyone:
		a.peer = named(from)
	case before.String() != named(from).String():
		a.mu.Unlock()
		return false
	}
	now := a.peer
	a.mu.Unlock()
	if a.Met != nil && (before == nil || before.String() != now.String()) {
		a.Met(now)
	}
	return true
}

// named stands for a Unix socket that has no address: nobody to answer.
func named(from net.Addr) net.Addr {
	if from == nil {
		return &net.UnixAddr{Net: "unixgram"}
	}
	return from
}

// Write answers the peer.
func (a *Answering) Write(b []byte) (int, error) {
	select {
	case <-a.first:
	case <-a.closed:
		return 0, net.ErrClosed
	}
	return a.WriteTo(b, a.RemoteAddr())
}

// RemoteAddr is the peer; nil before it is known.
func (a *Answering) RemoteAddr() net.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.peer
}

func (a *Answering) known() bool { return a.RemoteAddr() != nil }

// Close closes the socket; a Write that waits ends with net.ErrClosed.
func (a *Answering) Close() error {
	a.once.Do(func() { close(a.closed) })
	return a.PacketConn.Close()
}

// SetReadDeadline bounds the reads.
func (a *Answering) SetReadDeadline(t time.Time) error { return a.PacketConn.SetReadDeadline(t) }

var _ net.Conn = (*Answering)(nil)
