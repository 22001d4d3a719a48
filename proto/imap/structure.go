package imap

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// A BodyStructure is the MIME structure of a message or a part (RFC 9051
// section 7.5.2). A part with Parts is a multipart.
type BodyStructure struct {
	Type, Subtype string // in lower case
	Params        []Param
	ID            string // Content-ID
	Description   string
	Encoding      string // Content-Transfer-Encoding; lower case, "7bit" where there is none
	Size          int64  // in octets, as encoded
	Lines         int64  // of text and of messages

	// Of message/rfc822 and message/global; both or neither is there.
	Envelope *Envelope
	Message  *BodyStructure

	Parts []BodyStructure // of a multipart

	// Extension data: not in BODY, only in BODYSTRUCTURE.
	MD5         string
	Disposition string // lower case
	DispParams  []Param
	Languages   []string
	Location    string
}

// A Param is an attribute and its value.
type Param struct{ Name, Value string }

// hasLines tells which kinds of part say how many lines they have.
func (s *BodyStructure) hasLines() bool { return s.Type == "text" || s.Message != nil }

// Append writes the structure; extended: with the extension data.
func (s *BodyStructure) Append(st Style, b []byte, extended bool) []byte {
	b = append(b, '(')
	if len(s.Parts) > 0 {
		for i := range s.Parts {
			b = s.Parts[i].Append(st, b, extended)
		}
		b = st.String(append(b, ' '), s.Subtype)
		if extended {
			b = appendParams(st, append(b, ' '), s.Params)
			b = s.appendExtension(st, b)
		}
		return append(b, ')')
	}
	b = st.String(b, s.Type)
	b = st.String(append(b, ' '), s.Subtype)
	b = appendParams(st, append(b, ' '), s.Params)
	b = st.NString(append(b, ' '), s.ID)
	b = st.NString(append(b, ' '), s.Description)
	b = st.String(append(b, ' '), s.Encoding)
	b = strconv.AppendInt(append(b, ' '), s.Size, 10)
	if s.Message != nil {
		b = s.Envelope.Append(st, append(b, ' '))
		b = s.Message.Append(st, append(b, ' '), extended)
	}
	if s.hasLines() {
		b = strconv.AppendInt(append(b, ' '), s.Lines, 10)
	}
	if extended {
		b = st.NString(append(b, ' '), s.MD5)
		b = s.appendExtension(st, b)
	}
	return append(b, ')')
}

func (s *BodyStructure) appendExtension(st Style, b []byte) []byte {
	b = append(b, ' ')
	if s.Disposition == "" {
		b = append(b, "NIL"...)
	} else {
		b = st.String(append(b, '('), s.Disposition)
		b = append(appendParams(st, append(b, ' '), s.DispParams), ')')
	}
	b = append(b, ' ')
	switch len(s.Languages) {
	case 0:
		b = append(b, "NIL"...)
	case 1:
		b = st.String(b, s.Languages[0])
	default:
		b = token.List(b, s.Languages, st.String)
	}
	return st.NString(append(b, ' '), s.Location)
}

func appendParams(st Style, b []byte, params []Param) []byte {
	if len(params) == 0 {
		return append(b, "NIL"...)
	}
	return token.List(b, params, func(b []byte, p Param) []byte {
		return st.String(append(st.String(b, p.Name), ' '), p.Value)
	})
}

// ParseBodyStructure reads what Append writes, with extension data or without.
// Extensions that nobody knows are passed by. The error is ErrSyntax.
func ParseBodyStructure(b []byte) (*BodyStructure, error) {
	l := token.New(b)
	s := lexStructure(l)
	return s, l.End()
}

func lexStructure(l *token.Lexer) *BodyStructure {
	s := &BodyStructure{}
	l.Open()
	if l.Peek() == '(' {
		for l.Peek() == '(' {
			s.Parts = append(s.Parts, *lexStructure(l))
			if l.Peek() != ' ' { // between parts some servers write one
				continue
			}
			if rest := l.Rest(); len(rest) > 1 && rest[1] == '(' {
				l.SP()
			}
		}
		s.Type = "multipart"
		l.SP()
		s.Subtype = strings.ToLower(l.String())
		if l.Take(' ') {
			s.Params = lexParams(l)
			s.lexExtension(l)
		}
		l.Close()
		return s
	}
	s.Type = strings.ToLower(l.String())
	l.SP()
	s.Subtype = strings.ToLower(l.String())
	l.SP()
	s.Params = lexParams(l)
	l.SP()
	s.ID, _ = l.NString()
	l.SP()
	s.Description, _ = l.NString()
	l.SP()
	s.Encoding, _ = l.NString()
	if s.Encoding = strings.ToLower(s.Encoding); s.Encoding == "" {
		s.Encoding = "7bit"
	}
	l.SP()
	s.Size = l.Number64()
	s.lexMessage(l)
	if l.Take(' ') {
		s.MD5, _ = l.NString()
		s.lexExtension(l)
	}
	l.Close()
	return s
}

// lexMessage reads what only messages and texts have. A message that its server
// could not open has none of it.
func (s *BodyStructure) lexMessage(l *token.Lexer) {
	if s.Type == "message" && (s.Subtype == "rfc822" || s.Subtype == "global") {
		if rest := l.Rest(); len(rest) > 1 && rest[0] == ' ' && rest[1] == '(' {
			l.SP()
			s.Envelope = lexEnvelope(l)
			l.SP()
			s.Message = lexStructure(l)
		}
	}
	if !s.hasLines() {
		return
	}
	if rest := l.Rest(); len(rest) > 1 && rest[0] == ' ' && rest[1] >= '0' && rest[1] <= '9' {
		l.SP()
		s.Lines = l.Number64()
	}
}

func (s *BodyStructure) lexExtension(l *token.Lexer) {
	if !l.Take(' ') {
		return
	}
	if !l.Nil() {
		l.Open()
		s.Disposition = strings.ToLower(l.String())
		l.SP()
		s.DispParams = lexParams(l)
		l.Close()
	}
	if !l.Take(' ') {
		return
	}
	if l.Peek() == '(' {
		l.List(func() { s.Languages = append(s.Languages, l.String()) })
	} else if lang, ok := l.NString(); ok {
		s.Languages = []string{lang}
	}
	if !l.Take(' ') {
		return
	}
	s.Location, _ = l.NString()
	for l.Take(' ') {
		l.Skip()
	}
}

func lexParams(l *token.Lexer) []Param {
	if l.Nil() {
		return nil
	}
	var params []Param
	l.List(func() {
		var p Param
		p.Name = l.String()
		l.SP()
		p.Value, _ = l.NString() // NIL is not allowed, and is seen
		params = append(params, p)
	})
	return params
}
