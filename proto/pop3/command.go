package pop3

import (
	"bytes"
	"errors"
	"strings"
)

// ErrCommand is a line that is no command.
var ErrCommand = errors.New("pop3: malformed command")

// A Command is a request (RFC 2449 section 3): a keyword in upper case and,
// after one blank, everything else of the line as it stands, for a password may
// have blanks in it (RFC 1939 section 7).
type Command struct{ Verb, Arg string }

// Append writes the command as a line without its end, for wire.Writer.Line,
// which refuses one with a line break inside.
func (c Command) Append(b []byte) []byte {
	b = append(b, c.Verb...)
	if c.Arg == "" {
		return b
	}
	return append(append(b, ' '), c.Arg...)
}

// String is the command as a person reads it.
func (c Command) String() string { return string(c.Append(nil)) }

// ParseCommand takes a line, without its end, apart. ErrCommand: the keyword has
// not three or four letters or digits, or there is a NUL.
func ParseCommand(line []byte) (Command, error) {
	verb, arg, _ := bytes.Cut(line, []byte(" "))
	if len(verb) < 3 || len(verb) > 4 || bytes.IndexByte(arg, 0) >= 0 {
		return Command{}, ErrCommand
	}
	for _, c := range verb {
		if l := c | 0x20; (l < 'a' || l > 'z') && (c < '0' || c > '9') {
			return Command{}, ErrCommand
		}
	}
	return Command{strings.ToUpper(string(verb)), string(arg)}, nil
}
