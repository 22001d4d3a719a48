package talk

// crlf turns line feeds into CR LF as nc -C does: one that has its carriage
// return already stays as it is, also where the two come apart.
type crlf struct {
	on   bool
	last byte // of what went before
	buf  []byte
}

// translate gives what to send for b; it is valid until the next call.
func (c *crlf) translate(b []byte) []byte {
	if !c.on || len(b) == 0 {
		return b
	}
	c.buf = c.buf[:0]
	for _, x := range b {
		if x == '\n' && c.last != '\r' {
			c.buf = append(c.buf, '\r')
		}
		c.buf = append(c.buf, x)
		c.last = x
	}
	return c.buf
}
