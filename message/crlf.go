package message

import "io"

// NewCRLFReader gives what r has with every line ended by CRLF: a file of this
// or another system becomes what goes over the wire. An LF alone is a line end,
// so are any CRs before one LF, and so is a CR alone. A last line without an
// end is left so. Errors are r's.
func NewCRLFReader(r io.Reader) io.Reader { return &crlfReader{r: r} }

type crlfReader struct {
	r      io.Reader
	in     []byte
	out    []byte
	unread []byte
	crs    int // CRs held: what they are, the next octet tells
	err    error
}

func (c *crlfReader) Read(p []byte) (int, error) {
	if c.in == nil {
		c.in = make([]byte, 8<<10)
	}
	for len(c.unread) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		var n int
		n, c.err = c.r.Read(c.in)
		c.out = c.convert(c.out[:0], c.in[:n])
		if c.err == io.EOF {
			c.out = c.breaks(c.out)
		}
		c.unread = c.out
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *crlfReader) convert(out, in []byte) []byte {
	for _, b := range in {
		switch b {
		case '\r':
			c.crs++
		case '\n':
			c.crs = 0
			out = append(out, '\r', '\n')
		default:
			out = append(c.breaks(out), b)
		}
		if c.crs > len(c.in) { // nothing but CRs: each is a line by now
			out = c.breaks(out)
		}
	}
	return out
}

// breaks writes the CRs that no LF followed.
func (c *crlfReader) breaks(out []byte) []byte {
	for ; c.crs > 0; c.crs-- {
		out = append(out, '\r', '\n')
	}
	return out
}
