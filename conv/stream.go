package conv

import (
	"net"
	"sync"
	"time"
)

// NetConn is c as a net.Conn, for code that wants one: reads take what the
// Reader holds first, writes leave at once, behind what the Writer holds. Close
// is c's. As with any net.Conn one goroutine may read, or Upgrade c, while another
// writes or closes; c itself is not to be used otherwise meanwhile, and a Tap then
// hears from both.
func (c *Conn) NetConn() net.Conn {
	if !c.stream { // the Close of an earlier one may be looking
		c.TellTurn() // Finish tells no more of it
		c.stream = true
	}
	return &stream{c: c}
}

type stream struct {
	c     *Conn
	mu    sync.Mutex // held by a write
	flush sync.Once  // of what the Writer held
	err   error      // of that
}

// first flushes what was written before the stream took over.
func (s *stream) first() error {
	s.flush.Do(func() { s.err = s.c.W.Flush() })
	return s.err
}

// Read takes what lies here, or reads past the Reader's storage.
func (s *stream) Read(p []byte) (int, error) {
	c := s.c
	if !c.Here {
		if err := s.first(); err != nil {
			return 0, err
		}
	}
	if c.R.Buffered() > 0 || len(p) == 0 || c.Here {
		n, err := c.R.Read(p)
		if c.tap != nil {
			c.tellRead()
		}
		return n, err
	}
	if c.tap != nil {
		c.tellRead()
	}
	c.R.Own()
	n, err := (&portConn{c.port, true}).Read(p)
	if c.tap != nil {
		c.tellBytes(false, p[:n])
		if n == 0 {
			c.tellEnd(err)
		}
	}
	return n, err
}

func (s *stream) Write(p []byte) (int, error) {
	if err := s.first(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c.tap != nil {
		s.c.tellBytes(true, p)
	}
	if err := s.c.port.Send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *stream) Close() error         { return s.c.Close() }
func (s *stream) CloseWrite() error    { return s.c.CloseWrite() }
func (s *stream) LocalAddr() net.Addr  { return s.c.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.c.RemoteAddr() }

func (s *stream) SetDeadline(t time.Time) error {
	if d, ok := s.c.port.(deadliner); ok {
		return d.SetDeadline(t)
	}
	return nil
}

func (s *stream) SetReadDeadline(t time.Time) error {
	if d, ok := s.c.port.(interface{ SetReadDeadline(time.Time) error }); ok {
		return d.SetReadDeadline(t)
	}
	return s.SetDeadline(t)
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	if d, ok := s.c.port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}
