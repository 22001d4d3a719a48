package imap

import "github.com/farend-go/farend/proto/imap/internal/token"

// An Envelope is the parsed header of a message (RFC 9051 section 7.5.2): the
// text is as it stands in the header, unfolded and not decoded. What is missing
// is empty.
type Envelope struct {
	Date, Subject                      string
	From, Sender, ReplyTo, To, Cc, Bcc []Address
	InReplyTo, MessageID               string
}

// An Address is one of an Envelope. A group begins with an address that has a
// Mailbox, its name, and no Host, and ends with one that has neither.
type Address struct {
	Name    string // display name, not decoded
	Route   string // of RFC 822; obsolete
	Mailbox string // local part
	Host    string
}

// Append writes the envelope.
func (e *Envelope) Append(st Style, b []byte) []byte {
	b = st.NString(append(b, '('), e.Date)
	b = st.NString(append(b, ' '), e.Subject)
	for _, list := range [...][]Address{e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc} {
		b = appendAddresses(st, append(b, ' '), list)
	}
	b = st.NString(append(b, ' '), e.InReplyTo)
	b = st.NString(append(b, ' '), e.MessageID)
	return append(b, ')')
}

func appendAddresses(st Style, b []byte, list []Address) []byte {
	if len(list) == 0 {
		return append(b, "NIL"...)
	}
	b = append(b, '(')
	for _, a := range list {
		b = st.NString(append(b, '('), a.Name)
		b = st.NString(append(b, ' '), a.Route)
		b = st.NString(append(b, ' '), a.Mailbox)
		b = st.NString(append(b, ' '), a.Host)
		b = append(b, ')')
	}
	return append(b, ')')
}

// ParseEnvelope reads what Append writes. The error is ErrSyntax.
func ParseEnvelope(b []byte) (*Envelope, error) {
	l := token.New(b)
	e := lexEnvelope(l)
	return e, l.End()
}

func lexEnvelope(l *token.Lexer) *Envelope {
	e := &Envelope{}
	l.Open()
	e.Date, _ = l.NString()
	l.SP()
	e.Subject, _ = l.NString()
	for _, list := range [...]*[]Address{&e.From, &e.Sender, &e.ReplyTo, &e.To, &e.Cc, &e.Bcc} {
		l.SP()
		*list = lexAddresses(l)
	}
	l.SP()
	e.InReplyTo, _ = l.NString()
	l.SP()
	e.MessageID, _ = l.NString()
	l.Close()
	return e
}

func lexAddresses(l *token.Lexer) []Address {
	if l.Nil() {
		return nil
	}
	var list []Address
	l.Open()
	for l.More() && l.Peek() != ')' {
		var a Address
		l.Open()
		a.Name, _ = l.NString()
		l.SP()
		a.Route, _ = l.NString()
		l.SP()
		a.Mailbox, _ = l.NString()
		l.SP()
		a.Host, _ = l.NString()
		l.Close()
		list = append(list, a)
		l.Take(' ') // some servers write one
	}
	l.Close()
	return list
}
