package conv

import (
	"net"
	"time"
)

// NetConn is c as a net.Conn, for code that wants one: reads take what the
// Reader holds first, writes leave at once. Close is c's.
func (c *Conn) NetConn() net.Conn {
	c.stream = true
	return &stream{c}
}

type stream struct{ c *Conn }

// Read takes what lies here, or reads past the Reader's storage.
func (s *stream) Read(p []byte) (int, error) {
	c := s.c
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
	if err := c.W.Flush(); err != nil {
		return 0, err
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
	n, err := s.c.W.Write(p)
	if err != nil {
		return n, err
	}
	return n, s.c.W.Flush()
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
