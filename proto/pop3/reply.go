package pop3

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// ErrReply is a reply that is not what its command calls for.
var ErrReply = errors.New("pop3: malformed reply")

// Response codes (RFC 2449 section 8, RFC 3206, RFC 6856 section 5).
const (
	CodeInUse      = "IN-USE"      // the password was right, but another session has the maildrop
	CodeLoginDelay = "LOGIN-DELAY" // the last login was not long enough ago
	CodeAuth       = "AUTH"        // it is the credentials
	CodeTemporary  = "SYS/TEMP"    // it may go well later
	CodePermanent  = "SYS/PERM"    // somebody has to look after the server
	CodeUTF8       = "UTF8"        // the message wants UTF8 first
)

// A Reply is the first line of a server's answer. A negative one is an error,
// which is what the client's methods return: errors.As finds it.
type Reply struct {
	OK   bool
	Code string // in upper case, without its brackets; "" where there was none
	Text string
}

// Error is the reply as it stood on the wire.
func (r Reply) Error() string { return "pop3: " + string(r.Append(nil)) }

// Has tells whether the code is that one, or one below it: SYS/TEMP is SYS too
// (RFC 2449 section 8).
func (r Reply) Has(code string) bool {
	rest, ok := strings.CutPrefix(r.Code, code)
	return ok && (rest == "" || rest[0] == '/')
}

// Is tells errors.Is of a refusal that has to do with the credentials, or that
// does not say what it has to do with, that it is an auth.ErrRefused, and that
// IN-USE is ErrInUse.
func (r Reply) Is(target error) bool {
	switch target {
	case auth.ErrRefused:
		return !r.OK && (r.Code == "" || r.Has(CodeAuth))
	case ErrInUse:
		return !r.OK && r.Has(CodeInUse)
	}
	return false
}

// Append writes the reply as a line without its end. What would break the line
// or look like a code becomes a blank or stands behind one.
func (r Reply) Append(b []byte) []byte {
	if r.OK {
		b = append(b, "+OK"...)
	} else {
		b = append(b, "-ERR"...)
	}
	if r.Code != "" {
		b = append(append(append(b, " ["...), r.Code...), ']')
	}
	if r.Text == "" {
		return b
	}
	b = append(b, ' ')
	if r.Text[0] == '[' && r.Code == "" {
		b = append(b, ' ')
	}
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
	var r Reply
	rest, ok := bytes.CutPrefix(line, []byte("+OK"))
	if ok {
		r.OK = true
	} else if rest, ok = bytes.CutPrefix(line, []byte("-ERR")); !ok {
		return r, ErrReply
	}
	text := string(rest)
	if text != "" && text[0] != ' ' { // "+OK[code]", as RFC 2449 has it for greetings, and servers that leave the blank out
		if r.Code, text = cutCode(text); r.Code == "" && r.OK {
			return Reply{}, ErrReply
		}
		r.Text = strings.TrimPrefix(text, " ")
		return r, nil
	}
	r.Code, text = cutCode(strings.TrimPrefix(text, " "))
	if r.Code != "" {
		text = strings.TrimPrefix(text, " ")
	}
	r.Text = text
	return r, nil
}

// cutCode takes a response code off the beginning of a text.
func cutCode(text string) (code, rest string) {
	if !strings.HasPrefix(text, "[") {
		return "", text
	}
	code, rest, ok := strings.Cut(text[1:], "]")
	if !ok || rest != "" && rest[0] != ' ' {
		return "", text
	}
	for level := range strings.SplitSeq(code, "/") {
		if level == "" || strings.ContainsFunc(level, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return "", text
		}
	}
	return strings.ToUpper(code), rest
}

// numbers reads so many decimal numbers off the beginning of a text, one blank
// between them; what follows may be anything (RFC 1939 section 5).
func numbers(text string, into ...*int64) error {
	for _, n := range into {
		word, rest, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
		v, err := strconv.ParseInt(word, 10, 64)
		if err != nil || v < 0 {
			return ErrReply
		}
		*n, text = v, rest
	}
	return nil
}

// An Entry is a message in a listing.
type Entry struct {
	Number int    // from 1
	Size   int64  // in octets as RETR sends them; -1 where it was not asked for
	UID    string // "" where it was not asked for
}

// appendScan writes a line of LIST.
func (e Entry) appendScan(b []byte) []byte {
	b = strconv.AppendInt(b, int64(e.Number), 10)
	return strconv.AppendInt(append(b, ' '), e.Size, 10)
}

// appendUID writes a line of UIDL.
func (e Entry) appendUID(b []byte) []byte {
	b = strconv.AppendInt(b, int64(e.Number), 10)
	return append(append(b, ' '), e.UID...)
}

// parseScan reads a line of LIST.
func parseScan(text string) (Entry, error) {
	var n, size int64
	if err := numbers(text, &n, &size); err != nil || n < 1 || n > maxNumber {
		return Entry{}, ErrReply
	}
	return Entry{Number: int(n), Size: size}, nil
}

// parseUID reads a line of UIDL. Servers are known to send longer ones than the
// 70 octets of RFC 1939, but none with blanks inside.
func parseUID(text string) (Entry, error) {
	var n int64
	if err := numbers(text, &n); err != nil || n < 1 || n > maxNumber {
		return Entry{}, ErrReply
	}
	_, uid, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
	uid = strings.Trim(uid, " ")
	if !validUID(uid) {
		return Entry{}, ErrReply
	}
	return Entry{Number: int(n), Size: -1, UID: uid}, nil
}

// maxNumber is how large a message's number may be.
const maxNumber = 1<<31 - 1

// validUID tells whether a listing can say it.
func validUID(uid string) bool {
	if uid == "" || len(uid) > 1000 {
		return false
	}
	for i := range len(uid) {
		if uid[i] <= ' ' || uid[i] == 0x7f {
			return false
		}
	}
	return true
}
