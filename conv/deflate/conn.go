package deflate

import (
	"bytes"
	"compress/flate"
	"net"
	"sync"
)

// New puts raw deflate over a connection, in both directions, at either end: it
// is the wrap that conv.Conn.Upgrade wants. Writing keeps no state: each piece
// is compressed for itself, by what all connections share. Reading keeps what
// the peer may point back to, and after a temporary error of the connection
// below the next Read goes on. As with the connection below one goroutine may
// read while another writes.
func New(below net.Conn) net.Conn { return &conn{below, NewReader(below)} }

type conn struct {
	net.Conn
	r *Reader
}

func (c *conn) Read(p []byte) (int, error) { return c.r.Read(p) }

// A deflater is a compressor and what it wrote. At rest all connections share
// them; each takes some hundred kilobytes.
type deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.w, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails for a wrong level only
	return d
}}

// Write compresses p and sends it.
func (c *conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	z := deflaters.Get().(*deflater)
	defer deflaters.Put(z)
	z.out.Reset()
	z.w.Reset(&z.out)
	if _, err := z.w.Write(p); err != nil {
		return 0, err
	}
	if err := z.w.Flush(); err != nil {
		return 0, err
	}
	if _, err := c.Conn.Write(z.out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
