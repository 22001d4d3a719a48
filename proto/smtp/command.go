package smtp

import (
	"bytes"
	"errors"
	"strings"
)

// ErrCommand is a line that is no command.
var ErrCommand = errors.New("smtp: malformed command")

// maxVerb is how long a verb may be: STARTTLS and XFORWARD are the longest in
// use.
const maxVerb = 16

// A Command is a request (RFC 5321 section 4.1.1): a verb in upper case and,
// after one blank, everything else of the line without the blanks at its end.
type Command struct{ Verb, Arg string }

// Append writes the command as a line without its end, for wire.Writer.Line,
// which refuses one with a line break inside.
func (c Command) Append(b []byte) []byte {
	b = append(b, c.Verb...)
	if c.Arg != "" {
		b = append(append(b, ' '), c.Arg...)
	}
	return b
}

// String is the command as a person reads it.
func (c Command) String() string { return string(c.Append(nil)) }

// ParseCommand takes a line, without its end, apart. Blanks at its end are
// dropped (RFC 5321 section 4.1.1 asks servers to bear with them). ErrCommand:
// there is no verb, or a NUL.
func ParseCommand(line []byte) (Command, error) {
	line = bytes.TrimRight(line, " \t")
	verb, arg, _ := bytes.Cut(line, []byte(" "))
	if len(verb) == 0 || len(verb) > maxVerb || bytes.IndexByte(arg, 0) >= 0 {
		return Command{}, ErrCommand
	}
	for _, c := range verb {
		if !isLetter(c) && !isDigit(c) {
			return Command{}, ErrCommand
		}
	}
	return Command{verbOf(verb), string(bytes.TrimLeft(arg, " "))}, nil
}

// verbOf gives the verb in upper case; the common ones cost no allocation.
func verbOf(b []byte) string {
	switch string(b) {
	case "MAIL":
		return "MAIL"
	case "RCPT":
		return "RCPT"
	case "DATA":
		return "DATA"
	case "BDAT":
		return "BDAT"
	case "RSET":
		return "RSET"
	case "NOOP":
		return "NOOP"
	case "QUIT":
		return "QUIT"
	case "EHLO":
		return "EHLO"
	}
	return strings.ToUpper(string(b))
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
