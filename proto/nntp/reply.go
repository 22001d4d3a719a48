package nntp

import (
	"errors"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// ErrReply is a reply that is not what its command calls for.
var ErrReply = errors.New("nntp: malformed reply")

// A Reply is the first line of a server's answer (RFC 3977 section 3.2). One
// with a code of 400 and above is an error, which is what the client's methods
// return: errors.As finds it.
type Reply struct {
	Code int // three digits
	Text string
}

// Error is the reply as it stood on the wire.
func (r Reply) Error() string { return "nntp: " + string(r.Append(nil)) }

// Is tells errors.Is what a refusal means: ErrNoGroup (411), ErrNoArticle (420
// to 423, 430), ErrNotWanted (435, 437, 438, 439), ErrLater (400, 403, 431,
// 436), ErrNotAllowed (440, 480, 483, 502), ErrUnknown (500, 503),
// auth.ErrRefused (481), auth.ErrMechanism (503 to AUTHINFO is found out by who
// said it).
func (r Reply) Is(target error) bool {
	switch target {
	case ErrNoGroup:
		return r.Code == 411
	case ErrNoArticle:
		return r.Code >= 420 && r.Code <= 423 || r.Code == 430
	case ErrNotWanted:
		return r.Code == 435 || r.Code == 437 || r.Code == 438 || r.Code == 439
	case ErrLater:
		return r.Code == 400 || r.Code == 403 || r.Code == 431 || r.Code == 436
	case ErrNotAllowed:
		return r.Code == 440 || r.Code == 480 || r.Code == 483 || r.Code == 502
	case ErrUnknown:
		return r.Code == 500 || r.Code == 503
	case auth.ErrRefused:
		return r.Code == 481 || r.Code == 452
	}
	return false
}

// Append writes the reply as a line without its end. What would break the line
// becomes a blank.
func (r Reply) Append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(r.Code), 10)
	if r.Text == "" {
		return b
	}
	b = append(b, ' ')
	for i := range len(r.Text) {
		switch c := r.Text[i]; c {
		case '\r', '\n', 0:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return b
}

// ParseReply takes a line, without its end, apart. ErrReply: it is none.
func ParseReply(line []byte) (Reply, error) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' {
		return Reply{}, ErrReply
	}
	code := 0
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return Reply{}, ErrReply
		}
		code = 10*code + int(c-'0')
	}
	if code < 100 || code > 599 {
		return Reply{}, ErrReply
	}
	r := Reply{Code: code}
	if len(line) > 4 {
		r.Text = string(line[4:])
	}
	return r, nil
}

// word is the n-th word of the text, from 0; "" where there is none.
func (r Reply) word(n int) string {
	words := strings.Fields(r.Text)
	if n >= len(words) {
		return ""
	}
	return words[n]
}

// number is the n-th word, a number.
func (r Reply) number(n int) (int64, error) {
	v, err := parseNumber(r.word(n))
	if err != nil {
		return 0, ErrReply
	}
	return v, nil
}
