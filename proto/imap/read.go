package imap

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
	"github.com/farend-go/farend/wire"
)

// This file reads commands off the stream: lines, and the literals in them.

// read reads a command with its literals, but for the message of an APPEND or a
// REPLACE: there Args end with the head of its literal. A *fault is answered
// with BAD.
func (s *session) read() (Command, error) {
	line, err := s.readLine()
	if err != nil {
		return Command{}, err
	}
	secret := s.secretAt(line)
	if secret > 0 {
		s.talk.Redact(secret)
	}
	head, more := token.Trailing(line)
	if !more {
		return s.parse(line)
	}
	whole := bytes.Clone(line)
	collect := func() error {
		whole, err = s.collect(whole, head)
		return err
	}
	if secret > 0 {
		err = s.talk.Secret(collect)
	} else {
		err = collect()
	}
	if err != nil {
		return Command{}, err
	}
	return s.parse(whole)
}

// secretAt is where, in a line, what nobody else may see begins; 0: nowhere.
// Before a login what is no command may be one mistyped.
func (s *session) secretAt(line []byte) int {
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	word, _, found := bytes.Cut(rest, []byte(" "))
	if !found {
		return 0
	}
	v := s.h.verbs[strings.ToUpper(string(word))]
	if v != nil && !v.secret || v == nil && s.account != nil {
		return 0
	}
	return len(tag) + len(word) + 2
}

// parse reads a command that is whole. Its Args are a copy where more is to be
// read from the stream.
func (s *session) parse(line []byte) (Command, error) {
	c, err := ParseCommand(line)
	if err != nil {
		return c, &fault{c.Tag, "No command: " + syntaxText(err)}
	}
	return c, nil
}

func syntaxText(err error) string { return strings.TrimPrefix(err.Error(), "imap: ") }

// readLine reads a line; what is wrong with it is a *fault.
func (s *session) readLine() ([]byte, error) {
	line, err := s.talk.R.Line()
	switch {
	case errors.Is(err, wire.ErrLineTooLong): // whether a literal follows stood at its end
		s.untagged(Status{BYE, Code{Name: CodeTooBig}, "Line too long"})
		return nil, io.EOF
	case errors.Is(err, wire.ErrBareLF), errors.Is(err, wire.ErrBareCR):
		return nil, &fault{"", "Lines end with CRLF"}
	}
	return line, err
}

func tagOf(line []byte) string {
	tag, _, _ := bytes.Cut(line, []byte(" "))
	if len(tag) > 100 || !token.IsTag(string(tag)) {
		return ""
	}
	return string(tag)
}

// collect reads the literals of a command that begins with whole, and the lines
// between, until a line has no literal at its end or a message is to come.
func (s *session) collect(whole []byte, head token.Head) ([]byte, error) {
	for {
		if isMessageNext(whole) {
			return whole, nil
		}
		limit := shyLine
		if s.account != nil {
			limit = s.limits.Command
		}
		if head.Size > int64(limit-len(whole)) {
			return nil, s.tooBig(whole, head)
		}
		whole = append(whole, "\r\n"...)
		n := len(whole)
		whole = append(whole, make([]byte, head.Size)...)
		if err := s.literal(head, whole[n:]); err != nil {
			return nil, err
		}
		line, err := s.readLine()
		if err != nil {
			if f, ok := errors.AsType[*fault](err); ok {
				f.tag = tagOf(whole)
			}
			return nil, err
		}
		if len(whole)+len(line) > limit+s.talk.R.Limit() {
			return nil, &fault{tagOf(whole), "Command too long"}
		}
		whole = append(whole, line...)
		var more bool
		if head, more = token.Trailing(line); !more {
			return whole, nil
		}
	}
}

// goAhead lets the client send a literal.
func (s *session) goAhead(head token.Head) {
	if head.Sync {
		s.write([]byte("+ Go ahead\r\n"))
	}
}

// literal reads a literal that has room in p.
func (s *session) literal(head token.Head, p []byte) error {
	s.goAhead(head)
	l, err := s.talk.R.Literal(head.Size)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(l, p)
	return err
}

// tooBig refuses a literal. If the client waits for a go-ahead, it sends
// nothing; otherwise the literal is on its way, and the connection ends (RFC
// 7888 section 4).
func (s *session) tooBig(whole []byte, head token.Head) error {
	if head.Sync {
		return &fault{tagOf(whole), "Literal too large"}
	}
	s.untagged(Status{BYE, Code{Name: CodeTooBig}, "Literal too large"})
	return io.EOF
}

// isMessageNext tells whether a command that ends with the head of a literal is
// an APPEND or a REPLACE whose message comes next.
func isMessageNext(whole []byte) bool {
	c, err := ParseCommand(whole)
	if err != nil {
		return false
	}
	_, next := messageOf(c)
	return next
}

// messageOf gives the head of the message that comes behind an APPEND or a
// REPLACE.
func messageOf(c Command) (head incoming, next bool) {
	l := token.New(c.Args)
	switch c.Name {
	case "APPEND":
	case "REPLACE":
		l.Digits(1<<32 - 1)
		l.SP()
	default:
		return head, false
	}
	if _, _, err := parseAppendHead(l.Rest()); err == nil {
		return head, false // the literal is the mailbox's name
	}
	l.AString()
	l.SP()
	head, _, err := parseAppendHead(l.Rest())
	return head, err == nil && l.Err() == nil
}
