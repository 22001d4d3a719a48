package wire

import (
	"strconv"
	"strings"
)

// MaxReplyLines is how many lines a reply may have.
const MaxReplyLines = 1024

// A Reply is a numbered answer: three digits and one line of text or several
// (RFC 959 section 4.2, RFC 5321 section 4.2.1, RFC 3977 section 3.2).
type Reply struct {
	Code  int      // 100 to 599
	Lines []string // at least one, without code and line end
}

// Text is the reply's text, its lines joined by LF.
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// String is the reply as a person reads it.
func (r Reply) String() string { return strconv.Itoa(r.Code) + " " + r.Text() }

// Append writes the reply as it stands on the wire: "code-text" for every line
// but the last, "code text" for that. A line break inside a line would forge a
// reply; it becomes a blank.
func (r Reply) Append(b []byte) []byte {
	lines := r.Lines
	if len(lines) == 0 {
		lines = []string{""}
	}
	for i, line := range lines {
		b = strconv.AppendInt(b, int64(r.Code), 10)
		if i < len(lines)-1 {
			b = append(b, '-')
		} else {
			b = append(b, ' ')
		}
		for j := range len(line) {
			if c := line[j]; c == '\r' || c == '\n' {
				b = append(b, ' ')
			} else {
				b = append(b, c)
			}
		}
		b = append(b, '\r', '\n')
	}
	return b
}

// ParseReplyLine takes one line of a reply apart; more says that others
// follow.
func ParseReplyLine(line []byte) (code int, more bool, text string, err error) {
	if len(line) < 3 {
		return 0, false, "", ErrReply
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, "", ErrReply
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 || code > 599 {
		return 0, false, "", ErrReply
	}
	if len(line) == 3 {
		return code, false, "", nil
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, "", ErrReply
	}
	return code, line[3] == '-', string(line[4:]), nil
}

// Reply reads a reply, whole. In a reply of several lines FTP lets the lines
// between the first and the last begin with anything (RFC 959 section 4.2);
// where they begin with the code and a hyphen, as in SMTP, both are cut off.
func (r *Reader) Reply() (Reply, error) {
	line, err := r.Line()
	if err != nil {
		return Reply{}, err
	}
	code, more, text, err := ParseReplyLine(line)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{code, []string{text}}
	for more {
		if len(reply.Lines) >= MaxReplyLines {
			return reply, ErrReplyTooLong
		}
		if line, err = r.Line(); err != nil {
			return reply, err
		}
		c, cont, text, err := ParseReplyLine(line)
		if err != nil || c != code {
			reply.Lines = append(reply.Lines, string(line))
			continue
		}
		reply.Lines = append(reply.Lines, text)
		more = cont
	}
	return reply, nil
}
