package smtp

import (
	"slices"
	"strconv"
	"strings"
)

// A Sender is what MAIL says (RFC 5321 section 4.1.1.2): the reverse path, and
// what the sender asks for. The zero values of all fields but Mailbox say
// nothing.
type Sender struct {
	Mailbox    Mailbox // the zero Mailbox for notices, to which nobody answers
	Size       int64   // bytes of the message (RFC 1870)
	Body       Body    // RFC 6152, 3030
	UTF8       bool    // SMTPUTF8 (RFC 6531)
	RequireTLS bool    // RFC 8689
	Auth       string  // who submitted it first, "<>" for nobody known (RFC 4954 section 5)
	Return     Return  // what a notice brings back (RFC 3461 section 4.3)
	EnvID      string  // what a notice calls the envelope (RFC 3461 section 4.4)
	Extra      []Param // of other extensions
}

// A Recipient is what RCPT says (RFC 5321 section 4.1.1.3).
type Recipient struct {
	Mailbox Mailbox
	Notify  Notify  // when the sender wants a notice (RFC 3461 section 4.1)
	ORcpt   string  // the address as it first was, "rfc822;ann@example.test" (RFC 3461 section 4.2)
	Extra   []Param // of other extensions
}

// A Param is a parameter of MAIL or RCPT; its name is in upper case.
type Param struct{ Name, Value string }

// Body says of which bytes a message is made.
type Body uint8

// Bodies.
const (
	BodyUnsaid Body = iota
	Body7Bit        // US-ASCII in lines
	Body8Bit        // any bytes but NUL, in lines
	BodyBinary      // any bytes (RFC 3030); sent by BDAT
)

var bodies = [...]string{"", "7BIT", "8BITMIME", "BINARYMIME"}

// String is the parameter's value.
func (b Body) String() string { return bodies[b] }

// Return is RET.
type Return uint8

// What a notice brings back.
const (
	ReturnUnsaid Return = iota
	ReturnFull          // the whole message
	ReturnHeader        // its header
)

var returns = [...]string{"", "FULL", "HDRS"}

// String is the parameter's value.
func (r Return) String() string { return returns[r] }

// Notify is NOTIFY, a set.
type Notify uint8

// When a notice is wanted; NotifyNever stands alone.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

var notices = [...]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}

// String is the parameter's value.
func (n Notify) String() string {
	var names []string
	for i, name := range notices {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

var errParam = Reply{501, Status{5, 5, 4}, "Bad value of a parameter"}

// Append writes the argument of MAIL; ParseSender of it gives the same Sender.
func (s Sender) Append(b []byte) []byte {
	b = s.Mailbox.appendPath(append(b, "FROM:"...))
	if s.Size > 0 {
		b = strconv.AppendInt(append(b, " SIZE="...), s.Size, 10)
	}
	if s.Body != BodyUnsaid {
		b = append(append(b, " BODY="...), s.Body.String()...)
	}
	if s.UTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	if s.RequireTLS {
		b = append(b, " REQUIRETLS"...)
	}
	switch s.Auth {
	case "":
	case "<>":
		b = append(b, " AUTH=<>"...)
	default:
		b = appendXtext(append(b, " AUTH="...), s.Auth)
	}
	if s.Return != ReturnUnsaid {
		b = append(append(b, " RET="...), s.Return.String()...)
	}
	if s.EnvID != "" {
		b = appendXtext(append(b, " ENVID="...), s.EnvID)
	}
	return appendParams(b, s.Extra)
}

// ParseSender reads the argument of MAIL. The error is a Reply.
func ParseSender(arg string) (Sender, error) {
	var s Sender
	err := parseArg(arg, "FROM:", &s.Mailbox, s.set)
	return s, err
}

// set takes a parameter in.
func (s *Sender) set(p Param) bool {
	var ok bool
	switch p.Name {
	case "SIZE":
		n, err := strconv.ParseUint(p.Value, 10, 63) // 20 digits at most (RFC 1870 section 3)
		s.Size, ok = int64(n), err == nil && isDigit(p.Value[0])
	case "BODY":
		i := slices.Index(bodies[:], strings.ToUpper(p.Value))
		if ok = i > 0; ok {
			s.Body = Body(i)
		}
	case "SMTPUTF8":
		s.UTF8, ok = true, p.Value == ""
	case "REQUIRETLS":
		s.RequireTLS, ok = true, p.Value == ""
	case "AUTH":
		s.Auth, ok = parseXtext(p.Value)
		ok = ok && s.Auth != ""
	case "RET":
		i := slices.Index(returns[:], strings.ToUpper(p.Value))
		if ok = i > 0; ok {
			s.Return = Return(i)
		}
	case "ENVID":
		s.EnvID, ok = parseXtext(p.Value)
		ok = ok && s.EnvID != "" && len(p.Value) <= 100
	default:
		s.Extra, ok = append(s.Extra, p), true
	}
	return ok
}

// Append writes the argument of RCPT; ParseRecipient of it gives the same
// Recipient.
func (r Recipient) Append(b []byte) []byte {
	b = r.Mailbox.appendPath(append(b, "TO:"...))
	if r.Notify != 0 {
		b = append(append(b, " NOTIFY="...), r.Notify.String()...)
	}
	if kind, address, ok := strings.Cut(r.ORcpt, ";"); ok {
		b = append(append(append(b, " ORCPT="...), kind...), ';')
		if strings.EqualFold(kind, "utf-8") { // has an encoding of its own (RFC 6533 section 3)
			b = append(b, address...)
		} else {
			b = appendXtext(b, address)
		}
	}
	return appendParams(b, r.Extra)
}

// ParseRecipient reads the argument of RCPT. The error is a Reply.
func ParseRecipient(arg string) (Recipient, error) {
	var r Recipient
	err := parseArg(arg, "TO:", &r.Mailbox, r.set)
	if err == nil && r.Mailbox.IsNull() {
		err = errBad
	}
	return r, err
}

func (r *Recipient) set(p Param) bool {
	switch p.Name {
	case "NOTIFY":
		for name := range strings.SplitSeq(strings.ToUpper(p.Value), ",") {
			i := slices.Index(notices[:], name)
			if i < 0 {
				return false
			}
			r.Notify |= 1 << i
		}
		return r.Notify == NotifyNever || r.Notify&NotifyNever == 0
	case "ORCPT":
		kind, address, ok := strings.Cut(p.Value, ";")
		if !ok || !isKeyword(kind) || address == "" || len(p.Value) > 500 {
			return false
		}
		if !strings.EqualFold(kind, "utf-8") {
			address, ok = parseXtext(address)
		}
		r.ORcpt = kind + ";" + address
		return ok && address != ""
	}
	r.Extra = append(r.Extra, p)
	return true
}

// parseArg reads the keyword, the path and the parameters.
func parseArg(arg, keyword string, m *Mailbox, set func(Param) bool) (err error) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return Reply{501, Status{5, 5, 4}, "Expected " + keyword + "<address>"}
	}
	rest := strings.TrimLeft(arg[len(keyword):], " ") // no blank may stand there, and from many it does
	if *m, rest, err = path(rest); err != nil {
		return err
	}
	if rest != "" && rest[0] != ' ' {
		return errBad
	}
	var seen []string
	for word := range strings.FieldsSeq(rest) {
		name, value, has := strings.Cut(word, "=")
		p := Param{strings.ToUpper(name), value}
		if !isKeyword(name) || has && value == "" || slices.Contains(seen, p.Name) || !isParamValue(value) {
			return errParam
		}
		seen = append(seen, p.Name)
		if !set(p) {
			return Reply{501, Status{5, 5, 4}, "Bad value of " + p.Name}
		}
	}
	return nil
}

func appendParams(b []byte, params []Param) []byte {
	for _, p := range params {
		b = append(append(b, ' '), p.Name...)
		if p.Value != "" {
			b = append(append(b, '='), p.Value...)
		}
	}
	return b
}

// isKeyword tells an esmtp-keyword (RFC 5321 section 4.1.2).
func isKeyword(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

// isParamValue tells an esmtp-value; with UTF-8 for RFC 6533's addresses.
func isParamValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
