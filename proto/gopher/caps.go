package gopher

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// Caps is what a server tells of itself in its caps.txt, a convention: keys and
// values in their order. "CapsVersion", "ExpireCapsAfter", "PathDelimeter"
// (spelled so), "ServerSoftware", "ServerAdmin", "ServerTLSPort".
type Caps []Cap

// A Cap is one line of it.
type Cap struct{ Key, Value string }

// Get is the value of a key, "" where there is none.
func (c Caps) Get(key string) string {
	for _, cap := range c {
		if cap.Key == key {
			return cap.Value
		}
	}
	return ""
}

// maxCaps bounds a caps.txt.
const maxCaps = 64 << 10

// ParseCaps reads a caps.txt. What does not begin with the word CAPS is none:
// fs.ErrNotExist, for many servers answer with an error as a text.
func ParseCaps(r io.Reader) (Caps, error) {
	s := bufio.NewScanner(io.LimitReader(r, maxCaps))
	if !s.Scan() || strings.TrimSpace(s.Text()) != "CAPS" {
		return nil, errors.Join(fs.ErrNotExist, s.Err())
	}
	var c Caps
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			c = append(c, Cap{strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return c, s.Err()
}

// String is the file.
func (c Caps) String() string {
	var b strings.Builder
	b.WriteString("CAPS\r\n\r\n")
	for _, cap := range c {
		b.WriteString(visible(cap.Key) + "=" + visible(cap.Value) + "\r\n")
	}
	return b.String()
}
