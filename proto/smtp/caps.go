package smtp

import (
	"strconv"
	"strings"
)

// Capabilities are what a server says of itself after EHLO (RFC 5321 section
// 4.1.1.1), in its order.
type Capabilities []Capability

// A Capability is one extension: its keyword in upper case and what stands
// behind it.
type Capability struct{ Name, Param string }

// Get is what stands behind a keyword; ok: it is there.
func (c Capabilities) Get(name string) (param string, ok bool) {
	for _, e := range c {
		if e.Name == name {
			return e.Param, true
		}
	}
	return "", false
}

// Has tells whether a keyword is there.
func (c Capabilities) Has(name string) bool {
	_, ok := c.Get(name)
	return ok
}

// Number is the number behind a keyword, or behind one of its words NAME=N as
// LIMITS has them (RFC 9422); 0: there is none.
func (c Capabilities) Number(name, word string) int64 {
	param, _ := c.Get(name)
	for field := range strings.FieldsSeq(param) {
		key, value, has := strings.Cut(field, "=")
		if !has {
			key, value = "", field
		}
		if !strings.EqualFold(key, word) {
			continue
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// Reply is the answer to EHLO.
func (c Capabilities) Reply(greeting string) Reply {
	var b strings.Builder
	b.WriteString(greeting)
	for _, e := range c {
		b.WriteByte('\n')
		b.WriteString(e.Name)
		if e.Param != "" {
			b.WriteByte(' ')
			b.WriteString(e.Param)
		}
	}
	return Reply{Code: 250, Text: b.String()}
}

// ParseCapabilities reads the answer to EHLO: its first line, and the
// extensions. Lines that name none are left out, and where one comes twice the
// first counts. Old servers' AUTH=LOGIN is read as AUTH.
func ParseCapabilities(r Reply) (greeting string, c Capabilities) {
	greeting, rest, _ := strings.Cut(r.Text, "\n")
	for line := range strings.SplitSeq(rest, "\n") {
		name, param, _ := strings.Cut(strings.TrimSpace(line), " ")
		if mechanism, old := strings.CutPrefix(strings.ToUpper(name), "AUTH="); old {
			name, param = "AUTH", strings.TrimSpace(mechanism+" "+param)
		}
		if name = strings.ToUpper(name); isKeyword(name) && !c.Has(name) {
			c = append(c, Capability{name, strings.TrimSpace(param)})
		}
	}
	return greeting, c
}
