package imap

import "github.com/farend-go/farend/proto/imap/internal/token"

// A Command is a line from the client, with the literals in it. Args is read by
// the type that belongs to the command, such as ParseFetch.
type Command struct {
	Tag  string
	UID  bool   // "UID FETCH" and the like
	Name string // in capitals
	Args []byte // without the space before it; literals as they came: "{3}\r\nabc"
}

// Append writes the command without its last CRLF.
func (c Command) Append(b []byte) []byte {
	b = append(append(b, c.Tag...), ' ')
	if c.UID {
		b = append(b, "UID "...)
	}
	b = append(b, c.Name...)
	if len(c.Args) > 0 {
		b = append(append(b, ' '), c.Args...)
	}
	return b
}

// ParseCommand reads a command. Its Args point into line. On an error, which is
// ErrSyntax, Tag is there if it could be read.
func ParseCommand(line []byte) (Command, error) {
	l := token.New(line)
	c := Command{Tag: l.Tag()}
	if l.Err() != nil {
		c.Tag = ""
	}
	l.SP()
	c.Name = l.Name()
	if c.Name == "UID" {
		c.UID = true
		l.SP()
		c.Name = l.Name()
	}
	if l.More() {
		if l.SP(); !l.More() {
			l.Fail("an argument behind the space")
		}
	}
	if err := l.Err(); err != nil {
		return Command{Tag: c.Tag}, err
	}
	if len(l.Rest()) > 0 {
		c.Args = l.Rest()
	}
	return c, nil
}
