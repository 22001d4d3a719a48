package smtp

import (
	"bytes"
	"io"
)

// breaks tells whether a CR or LF stands alone in p, which follows what it was
// told before. Whether the last CR does is b.cr, until more comes.
func (b *body) breaks(p []byte) bool {
	if len(p) == 0 {
		return false
	}
	cr := b.cr
	b.cr = p[len(p)-1] == '\r'
	pairs := 0
	if cr {
		if p[0] != '\n' {
			return true
		}
		p = p[1:]
	}
	for rest := p; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if i == 0 || rest[i-1] != '\r' {
			return true
		}
		pairs++
		rest = rest[i+1:]
	}
	crs := bytes.Count(p, []byte{'\r'})
	if b.cr && len(p) > 0 {
		crs--
	}
	return crs != pairs
}

// crlfReader makes CRLF of a CR or LF that stands alone, in what comes from r.
type crlfReader struct {
	r    io.Reader
	buf  [2048]byte
	in   []byte
	cr   bool // a CR came, and was written with its LF
	held byte // the LF for which there was no room; 0: none
	err  error
}

func (c *crlfReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n := c.fill(p)
		if n > 0 {
			return n, nil
		}
		if c.err != nil {
			err := c.err
			if err != io.EOF {
				c.err = nil // the caller may come again
			}
			return 0, err
		}
		var k int
		k, c.err = c.r.Read(c.buf[:])
		c.in = c.buf[:k]
	}
}

// fill writes what lies here to p.
func (c *crlfReader) fill(p []byte) int {
	n := 0
	if c.held != 0 {
		p[0], c.held = c.held, 0
		n = 1
	}
	for n < len(p) && len(c.in) > 0 {
		if c.cr {
			c.cr = false
			if c.in[0] == '\n' { // it was written already
				c.in = c.in[1:]
				continue
			}
		}
		i := bytes.IndexAny(c.in[:min(len(c.in), len(p)-n)], "\r\n")
		if i < 0 {
			k := copy(p[n:], c.in)
			c.in = c.in[k:]
			n += k
			continue
		}
		n += copy(p[n:], c.in[:i])
		c.cr = c.in[i] == '\r'
		c.in = c.in[i+1:]
		p[n] = '\r'
		n++
		if n == len(p) {
			c.held = '\n'
			break
		}
		p[n] = '\n'
		n++
	}
	return n
}
