package pop3

import (
	"slices"
	"strings"
)

// Capabilities are what a server says that it can do (RFC 2449 section 5): tags
// in upper case, with their arguments.
type Capabilities map[string][]string

// Has tells whether a tag is there.
func (c Capabilities) Has(tag string) bool {
	_, ok := c[tag]
	return ok
}

// add reads one line; one that is none is passed over.
func (c Capabilities) add(line string) {
	f := strings.Fields(line)
	if len(f) == 0 {
		return
	}
	tag := strings.ToUpper(f[0])
	c[tag] = append(c[tag], f[1:]...)
}

// ParseCapabilities reads the lines of CAPA.
func ParseCapabilities(lines []string) Capabilities {
	c := Capabilities{}
	for _, line := range lines {
		c.add(line)
	}
	return c
}

// Lines are the lines that say so, by their tags.
func (c Capabilities) Lines() []string {
	var lines []string
	for tag, args := range c {
		lines = append(lines, strings.Join(append([]string{tag}, args...), " "))
	}
	slices.Sort(lines)
	return lines
}
