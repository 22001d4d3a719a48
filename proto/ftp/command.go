package ftp

import (
	"bytes"
	"errors"
	"strings"
)

// ErrCommand is a line that is no command.
var ErrCommand = errors.New("ftp: malformed command")

// maxVerb is how long a verb may be: XSHA512 and its like are the longest seen.
const maxVerb = 10

// A Command is a request (RFC 959 section 5.3): a verb in upper case and, after
// one blank, everything else of the line as it stands.
type Command struct{ Verb, Arg string }

// Append writes the command as a line without its end, for wire.Writer.Line,
// which refuses one with a line break inside. The byte 255 is doubled, for the
// control connection is Telnet's (RFC 959 section 3.3).
func (c Command) Append(b []byte) []byte {
	b = append(b, c.Verb...)
	if c.Arg == "" {
		return b
	}
	b = append(b, ' ')
	for i := range len(c.Arg) {
		if c.Arg[i] == iac {
			b = append(b, iac)
		}
		b = append(b, c.Arg[i])
	}
	return b
}

// String is the command as a person reads it.
func (c Command) String() string {
	if c.Arg == "" {
		return c.Verb
	}
	return c.Verb + " " + c.Arg
}

// ParseCommand takes a line, without its end, apart. Telnet's commands are
// dropped, as clients send them before ABOR. ErrCommand: there is no verb, or a
// NUL, which no name may have.
func ParseCommand(line []byte) (Command, error) {
	line = untelnet(line)
	verb, arg, _ := bytes.Cut(line, []byte(" "))
	if len(verb) == 0 || len(verb) > maxVerb || bytes.IndexByte(arg, 0) >= 0 {
		return Command{}, ErrCommand
	}
	for _, c := range verb {
		if !isLetter(c) && (c < '0' || c > '9') {
			return Command{}, ErrCommand
		}
	}
	return Command{strings.ToUpper(string(verb)), string(arg)}, nil
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

// Telnet's bytes (RFC 854).
const (
	iac       = 255
	telnetIP  = 244
	telnetDM  = 242
	telnetSE  = 240
	telnetOpt = 251 // WILL, WONT, DO, DONT: an option follows
)

// untelnet drops Telnet's commands. A lone IAC is what the urgent Data Mark
// leaves behind in a stream that keeps urgent data apart.
func untelnet(line []byte) []byte {
	if bytes.IndexByte(line, iac) < 0 {
		return line
	}
	clean := make([]byte, 0, len(line))
	for i := 0; i < len(line); i++ {
		if line[i] != iac {
			clean = append(clean, line[i])
			continue
		}
		if i+1 == len(line) {
			break
		}
		switch next := line[i+1]; {
		case next == iac:
			clean = append(clean, iac)
			i++
		case next >= telnetOpt:
			i += 2
		case next >= telnetSE:
			i++
		}
	}
	return clean
}
