package smtp

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/wire"
)

// A Reply is a server's answer (RFC 5321 section 4.2). A negative one is an
// error: it is what the client's methods return, and what a Backend returns to
// have it said. Replies can be compared.
type Reply struct {
	Code   int
	Status Status // the enhanced code, zero where there is none
	Text   string // without codes; lines are joined by LF
}

// Status is an enhanced status code (RFC 2034, RFC 3463): class, subject and
// detail, as in Status{5, 1, 1}. The zero Status is none.
type Status [3]uint16

// String is the status as it is written, "5.1.1".
func (s Status) String() string { return string(s.append(nil)) }

func (s Status) append(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(s[0]), 10)
	b = strconv.AppendUint(append(b, '.'), uint64(s[1]), 10)
	return strconv.AppendUint(append(b, '.'), uint64(s[2]), 10)
}

// ErrReply is an answer that is no reply, or not one that its command calls
// for.
var ErrReply = wire.ErrReply

// Error is the reply on one line.
func (r Reply) Error() string {
	text := strings.ReplaceAll(r.Text, "\n", " / ")
	if r.Status != (Status{}) {
		text = r.Status.String() + " " + text
	}
	return "smtp: " + strconv.Itoa(r.Code) + " " + text
}

// Positive tells 2yz and 3yz: so far it is well.
func (r Reply) Positive() bool { return r.Code >= 200 && r.Code < 400 }

// Temporary tells 4yz: the same may go well later.
func (r Reply) Temporary() bool { return r.Code/100 == 4 }

// Permanent tells 5yz: the same will never go well.
func (r Reply) Permanent() bool { return r.Code/100 == 5 }

// Append writes the reply as it stands on the wire, the enhanced code on each
// line (RFC 2034 section 4). ParseReply of it gives the same reply again where
// its text does not itself begin like a status.
func (r Reply) Append(b []byte) []byte {
	for text := r.Text; ; {
		line, rest, more := strings.Cut(text, "\n")
		b = strconv.AppendInt(b, int64(r.Code), 10)
		if more {
			b = append(b, '-')
		} else {
			b = append(b, ' ')
		}
		if r.Status != (Status{}) {
			b = append(r.Status.append(b), ' ')
		}
		for i := range len(line) { // a line break would forge a reply
			if c := line[i]; c == '\r' || c == 0 {
				b = append(b, ' ')
			} else {
				b = append(b, c)
			}
		}
		b = append(b, '\r', '\n')
		if !more {
			return b
		}
		text = rest
	}
}

// ParseReply reads a reply, whole. Lines that begin with an enhanced code of
// the reply's class lose it.
func ParseReply(r *wire.Reader) (Reply, error) {
	got, err := r.Reply()
	if err != nil {
		return Reply{Code: got.Code, Text: got.Text()}, err
	}
	return replyOf(got.Code, got.Lines), nil
}

func replyOf(code int, lines []string) Reply {
	r := Reply{Code: code}
	status, text, ok := cutStatus(lines[0])
	if ok && int(status[0]) == code/100 {
		r.Status, lines[0] = status, text
		for i, line := range lines[1:] {
			if s, text, ok := cutStatus(line); ok && s == status {
				lines[i+1] = text
			}
		}
	}
	r.Text = strings.Join(lines, "\n")
	return r
}

// cutStatus takes an enhanced code off a line.
func cutStatus(line string) (s Status, text string, ok bool) {
	word, text, _ := strings.Cut(line, " ")
	if len(word) < 5 || word[1] != '.' || word[0] != '2' && word[0] != '4' && word[0] != '5' {
		return s, line, false
	}
	s[0] = uint16(word[0] - '0')
	subject, detail, found := strings.Cut(word[2:], ".")
	for i, part := range []string{subject, detail} {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || !found || len(part) > 3 || len(part) > 1 && part[0] == '0' {
			return Status{}, line, false
		}
		s[i+1] = uint16(n)
	}
	return s, text, true
}

// parseReplyText reads a reply from a text, as a rule of faults has it: "451
// 4.3.0 later". What has no code gets 451.
func parseReplyText(text string) Reply {
	code, more, rest, err := wire.ParseReplyLine([]byte(text))
	if err != nil || more {
		return Reply{451, Status{4, 3, 0}, text}
	}
	return replyOf(code, []string{rest})
}
