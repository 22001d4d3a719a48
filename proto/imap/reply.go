package imap

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Kind is the word of a status response (RFC 9051 section 7.1).
type Kind string

// The kinds.
const (
	OK      Kind = "OK"
	NO      Kind = "NO"
	BAD     Kind = "BAD"
	PREAUTH Kind = "PREAUTH"
	BYE     Kind = "BYE"
)

// A Status is a status response. As NO, BAD and BYE it is an error: a client's
// calls return it, and a Backend's methods may, to say what the client is told.
type Status struct {
	Kind Kind
	Code Code
	Text string
}

// A Code is a response code: its name in capitals, and what follows it as it
// stands on the wire. See AppendUID, CopyUID and ParseSet for readers of it.
type Code struct{ Name, Args string }

// Codes that errors are told apart by (RFC 9051 section 7.1, RFC 5530).
const (
	CodeAlreadyExists   = "ALREADYEXISTS"
	CodeAuthFailed      = "AUTHENTICATIONFAILED"
	CodeAuthorization   = "AUTHORIZATIONFAILED"
	CodeBadCharset      = "BADCHARSET"
	CodeCannot          = "CANNOT"
	CodeClientBug       = "CLIENTBUG"
	CodeContactAdmin    = "CONTACTADMIN"
	CodeCorruption      = "CORRUPTION"
	CodeExpungeIssued   = "EXPUNGEISSUED"
	CodeHasChildren     = "HASCHILDREN"
	CodeInUse           = "INUSE"
	CodeLimit           = "LIMIT"
	CodeNonExistent     = "NONEXISTENT"
	CodeNoPerm          = "NOPERM"
	CodeNotSaved        = "NOTSAVED"
	CodeOverQuota       = "OVERQUOTA"
	CodeParse           = "PARSE"
	CodePrivacyRequired = "PRIVACYREQUIRED"
	CodeReadOnly        = "READ-ONLY"
	CodeServerBug       = "SERVERBUG"
	CodeTooBig          = "TOOBIG"
	CodeTryCreate       = "TRYCREATE"
	CodeUnavailable     = "UNAVAILABLE"
	CodeUnknownCTE      = "UNKNOWN-CTE"
	CodeUseAttr         = "USEATTR"
)

// Error is the status as a sentence.
func (s Status) Error() string {
	text := "imap: " + string(s.Kind)
	if s.Code.Name != "" {
		text += " [" + s.Code.String() + "]"
	}
	return strings.TrimSpace(text + " " + s.Text)
}

// Is makes errors.Is find a Status by its kind and the name of its code, where
// target has them: errors.Is(err, imap.ErrNonExistent).
func (s Status) Is(target error) bool {
	t, ok := target.(Status)
	return ok && (t.Kind == "" || t.Kind == s.Kind) && (t.Code.Name == "" || t.Code.Name == s.Code.Name)
}

// String is the code without its brackets.
func (c Code) String() string {
	if c.Args == "" {
		return c.Name
	}
	return c.Name + " " + c.Args
}

// Append writes the status without a tag and CRLF. Line breaks and other
// controls become spaces.
func (s Status) Append(b []byte) []byte {
	b = append(append(b, s.Kind...), ' ')
	if s.Code.Name != "" {
		b = append(append(append(b, '['), tame(s.Code.String())...), "] "...)
	}
	return append(b, tame(s.Text)...)
}

// tame makes controls spaces.
func tame(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// ParseStatus reads what Append writes. The error is ErrSyntax.
func ParseStatus(line []byte) (Status, error) {
	word, rest, _ := bytes.Cut(line, []byte(" "))
	s := Status{Kind: Kind(strings.ToUpper(string(word)))}
	switch s.Kind {
	case OK, NO, BAD, PREAUTH, BYE:
	default:
		return Status{}, fmt.Errorf("%w: OK, NO, BAD, PREAUTH or BYE expected", ErrSyntax)
	}
	if bytes.HasPrefix(rest, []byte("[")) {
		end := codeEnd(rest)
		name, args, _ := strings.Cut(tame(string(rest[min(1, end):end])), " ")
		if token.IsAtom(name) {
			s.Code = Code{strings.ToUpper(name), args}
			rest = bytes.TrimPrefix(rest[end+1:], []byte(" "))
		}
	}
	s.Text = tame(string(rest))
	return s, nil
}

// codeEnd is where the "]" of a code is, which may have quoted strings inside;
// 0: it is no code.
func codeEnd(b []byte) int {
	if len(b) < 2 || b[1] == ']' || b[1] == ' ' {
		return 0
	}
	quoted := false
	for i := 1; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ']' && !quoted:
			return i
		}
	}
	return 0
}

// A Response is a line from the server, with the literals in it: an untagged
// one ("*"), a go-ahead ("+") or the status that ends a command.
type Response struct {
	Tag    string // "*", "+", or the command's
	Number uint32 // of "* 23 EXISTS"; 0 where none stands there, too
	Name   string // in capitals: "OK", "EXISTS", "FETCH"; "" behind "+"
	Rest   []byte // what follows, for the reader that Name asks for
}

// Append writes the response without CRLF.
func (r Response) Append(b []byte) []byte {
	b = append(append(b, r.Tag...), ' ')
	if r.Name == "" {
		return append(b, r.Rest...)
	}
	if numbered(r.Name) {
		b = append(strconv.AppendUint(b, uint64(r.Number), 10), ' ')
	}
	b = append(b, r.Name...)
	if len(r.Rest) > 0 {
		b = append(append(b, ' '), r.Rest...)
	}
	return b
}

// numbered tells which responses have a number before their name.
func numbered(name string) bool {
	switch name {
	case "EXISTS", "RECENT", "EXPUNGE", "FETCH":
		return true
	}
	return false
}

// ParseResponse reads a response, without its last CRLF. Its Rest points into
// line. The error is ErrSyntax.
func ParseResponse(line []byte) (Response, error) {
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	r := Response{Tag: string(tag)}
	switch {
	case r.Tag == "+":
		r.Rest = append(r.Rest, rest...)
		return r, nil
	case r.Tag != "*" && !token.IsTag(r.Tag):
		return Response{}, fmt.Errorf("%w: a tag expected", ErrSyntax)
	}
	name, rest, _ := bytes.Cut(rest, []byte(" "))
	if n, err := strconv.ParseUint(string(name), 10, 32); err == nil && r.Tag == "*" {
		r.Number = uint32(n)
		if name, rest, _ = bytes.Cut(rest, []byte(" ")); !numbered(strings.ToUpper(string(name))) {
			return Response{}, fmt.Errorf("%w: EXISTS, RECENT, EXPUNGE or FETCH expected", ErrSyntax)
		}
	} else if numbered(strings.ToUpper(string(name))) {
		return Response{}, fmt.Errorf("%w: a number expected", ErrSyntax)
	}
	r.Name = strings.ToUpper(string(name))
	if !token.IsAtom(r.Name) {
		return Response{}, fmt.Errorf("%w: a response's name expected", ErrSyntax)
	}
	if len(rest) > 0 {
		r.Rest = rest
	}
	return r, nil
}

// Status reads a Response whose Name is a Kind.
func (r Response) Status() (Status, error) {
	return ParseStatus(append([]byte(r.Name+" "), r.Rest...))
}

// AppendUID says which UIDs appended messages got (RFC 4315): the arguments of
// the code APPENDUID.
type AppendUID struct {
	UIDValidity uint32
	UIDs        Set
}

// Append writes the code's arguments.
func (a AppendUID) Append(b []byte) []byte {
	return a.UIDs.Append(append(strconv.AppendUint(b, uint64(a.UIDValidity), 10), ' '))
}

// ParseAppendUID reads the code's arguments. The error is ErrSyntax.
func ParseAppendUID(args string) (AppendUID, error) {
	l := token.New([]byte(args))
	var a AppendUID
	a.UIDValidity = l.Positive()
	l.SP()
	a.UIDs = lexSet(l)
	return a, l.End()
}

// CopyUID says which UIDs copied or moved messages got (RFC 4315): the n-th of
// Source is the n-th of Dest. It is the arguments of the code COPYUID.
type CopyUID struct {
	UIDValidity  uint32
	Source, Dest Set
}

// Append writes the code's arguments.
func (c CopyUID) Append(b []byte) []byte {
	b = c.Source.Append(append(strconv.AppendUint(b, uint64(c.UIDValidity), 10), ' '))
	return c.Dest.Append(append(b, ' '))
}

// ParseCopyUID reads the code's arguments. The error is ErrSyntax.
func ParseCopyUID(args string) (CopyUID, error) {
	l := token.New([]byte(args))
	var c CopyUID
	c.UIDValidity = l.Positive()
	l.SP()
	c.Source = lexSet(l)
	l.SP()
	c.Dest = lexSet(l)
	return c, l.End()
}
