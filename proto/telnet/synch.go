package telnet

import (
	"net"
	"syscall"

	"github.com/farend-go/farend/socket"
)

// urgent is the urgent data of a connection, which is had in line: the DM of a
// Synch stands where it was sent (RFC 1123 section 3.2.4). nil is a connection
// without: by TLS, or not of TCP.
type urgent struct {
	raw  syscall.RawConn
	look func(fd uintptr)
	seen bool
}

// newUrgent asks for urgent data in line; nil where that cannot be had. sc is
// what gives the socket.
func newUrgent(sc syscall.Conn, peer net.Addr) *urgent {
	if _, tcp := peer.(*net.TCPAddr); !tcp {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil || !urgentInline(raw) {
		return nil
	}
	u := &urgent{raw: raw}
	u.look = func(fd uintptr) { u.seen, _ = socket.UrgentAhead(fd) } // a socket that is gone has none
	return u
}

// ahead tells whether urgent data lies ahead of what was read.
func (u *urgent) ahead() bool {
	if u == nil {
		return false
	}
	u.seen = false
	_ = u.raw.Control(u.look) // as above
	return u.seen
}

// Urgent says whether urgent data of the peer's lies ahead of what Next is given
// from here on. Then, up to the DM that comes with it, data is thrown away and
// commands count, but for EC and EL (RFC 854, RFC 1123 section 3.2.4). Whoever
// has no urgent data never calls it: DM alone is a Told like any other.
func (n *NVT) Urgent(ahead bool) {
	n.ahead = ahead
	n.synch = n.synch || ahead
}

// dropped tells what is thrown away during a Synch, and ends it with its DM:
// that of the last one, where several are under way.
func (n *NVT) dropped(e Event) bool {
	switch {
	case !n.synch:
		return false
	case e.Kind == Data:
		return true
	case e.Kind != Told:
		return false
	}
	if e.Command == DM {
		n.synch = n.ahead
	}
	return e.Command == EC || e.Command == EL
}

// Synch has the peer throw away what it has not read, up to here: DM goes behind
// what was written, as urgent data where the connection has it (TCP in clear, on
// Unix).
func (c *Conn) Synch() error {
	if err := c.flush(true); err != nil {
		return err
	}
	var u *urgent
	sent, err := c.alone(func() bool {
		if u = c.urgent; u == nil && !c.nvt.follows[1] {
			c.nvt.Tell(DM)
		}
		return u == nil || c.nvt.follows[1]
	}, func() error { return u.mark() })
	if !sent {
		return c.flush(true)
	}
	if err != nil {
		c.fail(err)
	}
	return err
}

// synch is Conn's, for a session.
func (s *session) synch() error {
	if s.nvt().follows[1] { // nothing more is said in clear
		return nil
	}
	if s.urgent == nil {
		s.nvt().Tell(DM)
		return s.send()
	}
	if err := s.send(); err != nil {
		return err
	}
	if err := s.talk.W.Flush(); err != nil {
		return err
	}
	return s.urgent.mark()
}
