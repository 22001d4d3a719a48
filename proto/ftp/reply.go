package ftp

import (
	"errors"
	"strconv"
	"strings"

	"github.com/farend-go/farend/wire"
)

// A Reply is a server's answer. A negative one is an error, which is what the
// client's methods return: errors.As finds it.
type Reply struct {
	Code  int
	Lines []string // at least one, without code and line end
}

// ErrReply is a reply that is not what its command calls for.
var ErrReply = errors.New("ftp: malformed reply")

// Error is the reply on one line.
func (r Reply) Error() string {
	return "ftp: " + strconv.Itoa(r.Code) + " " + strings.Join(r.Lines, " / ")
}

// Text is the reply's text, its lines joined by LF.
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// Preliminary tells 1yz: another reply follows.
func (r Reply) Preliminary() bool { return r.Code/100 == 1 }

// Completed tells 2yz: it is done.
func (r Reply) Completed() bool { return r.Code/100 == 2 }

// Intermediate tells 3yz: the next command is part of this one.
func (r Reply) Intermediate() bool { return r.Code/100 == 3 }

// Temporary tells 4yz: the same may go well later.
func (r Reply) Temporary() bool { return r.Code/100 == 4 }

// Append writes the reply as it stands on the wire; ParseReply of it gives the
// same reply again where no line holds a line break. Lines between the first
// and the last begin with a blank where they might be taken for the last.
func (r Reply) Append(b []byte) []byte {
	if len(r.Lines) < 2 {
		b = append(strconv.AppendInt(b, int64(r.Code), 10), ' ')
		if len(r.Lines) == 1 {
			b = appendText(b, r.Lines[0])
		}
		return append(b, '\r', '\n')
	}
	last := len(r.Lines) - 1
	b = strconv.AppendInt(b, int64(r.Code), 10)
	b = append(appendText(append(b, '-'), r.Lines[0]), '\r', '\n')
	for _, line := range r.Lines[1:last] { // a reader that knows SMTP alone wants a code, RFC 2389's FEAT a blank
		if !strings.HasPrefix(line, " ") {
			b = append(b, ' ')
		}
		b = append(appendText(b, line), '\r', '\n')
	}
	b = strconv.AppendInt(b, int64(r.Code), 10)
	return append(appendText(append(b, ' '), r.Lines[last]), '\r', '\n')
}

// appendText writes a line's text; a break within it would forge a reply, and
// byte 255 is Telnet's.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\r', '\n', 0:
			b = append(b, ' ')
		case iac:
			b = append(b, iac, iac)
		default:
			b = append(b, c)
		}
	}
	return b
}

// ParseReply reads a reply, whole.
func ParseReply(r *wire.Reader) (Reply, error) {
	reply, err := r.Reply()
	for i, line := range reply.Lines {
		if strings.IndexByte(line, iac) >= 0 {
			reply.Lines[i] = string(untelnet([]byte(line)))
		}
	}
	return Reply(reply), err
}

// path257 takes the name out of `257 "name" text` (RFC 959 appendix II): a
// quote inside is doubled.
func path257(text string) (string, error) {
	_, rest, ok := strings.Cut(text, `"`)
	if !ok {
		return "", ErrReply
	}
	var name strings.Builder
	for {
		j := strings.IndexByte(rest, '"')
		if j < 0 {
			return "", ErrReply
		}
		name.WriteString(rest[:j])
		if !strings.HasPrefix(rest[j+1:], `"`) {
			return name.String(), nil
		}
		name.WriteByte('"')
		rest = rest[j+2:]
	}
}

// quote257 is the other way.
func quote257(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
