package nntp

import (
	"slices"
	"strings"
)

// Capabilities are what a server says that it can do (RFC 3977 section 3.3):
// labels in upper case, with their arguments.
type Capabilities map[string][]string

// Has tells whether a label is there, with that argument if one is given, in
// upper or lower case.
func (c Capabilities) Has(label string, argument ...string) bool {
	all, ok := c[label]
	for _, want := range argument {
		ok = ok && slices.ContainsFunc(all, func(a string) bool { return strings.EqualFold(a, want) })
	}
	return ok
}

// ParseCapabilities reads the lines of CAPABILITIES; one that is none is passed
// over.
func ParseCapabilities(lines []string) Capabilities {
	c := Capabilities{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) == 0 || !isKeyword([]byte(f[0])) {
			continue
		}
		label := strings.ToUpper(f[0])
		c[label] = append(c[label], f[1:]...)
	}
	return c
}

// Lines are the lines that say so, VERSION first, as it must be.
func (c Capabilities) Lines() []string {
	var lines []string
	for label, args := range c {
		lines = append(lines, strings.Join(append([]string{label}, args...), " "))
	}
	slices.SortFunc(lines, func(a, b string) int {
		if v := strings.HasPrefix(a, "VERSION "); v != strings.HasPrefix(b, "VERSION ") {
			if v {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return lines
}
