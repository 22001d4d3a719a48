package smtp

import "slices"

// Lack has the client believe that the server has not said these.
func (c *Client) Lack(names ...string) {
	c.caps = slices.DeleteFunc(c.caps, func(e Capability) bool { return slices.Contains(names, e.Name) })
}
