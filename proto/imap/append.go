package imap

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/farend-go/farend/proto/imap/internal/token"
	"github.com/farend-go/farend/wire"
)

// incoming is what stands before a message in APPEND.
type incoming struct {
	NewMessage
	token.Head
	wrapped bool // UTF8 (~{n}...) of RFC 6855: a parenthesis comes behind
}

// parseAppendHead reads "[(flags) ][date ]literal" where the literal is last.
func parseAppendHead(rest []byte) (h incoming, _ []byte, err error) {
	l := token.New(rest)
	if l.Peek() == '(' {
		h.Flags = lexFlags(l)
		l.SP()
	}
	if l.Peek() == '"' {
		h.Date = lexTime(l)
		l.SP()
	}
	if h.wrapped = l.TakeWord("UTF8"); h.wrapped {
		l.SP()
		l.Expect('(')
	}
	var ok bool
	if h.Head, ok = l.Head(); !ok {
		l.Fail("a literal")
	}
	h.NewMessage.Size = h.Head.Size
	return h, l.Rest(), l.End()
}

// append is APPEND, of one message or several (RFC 9051 section 6.3.12, RFC
// 3502). Whatever becomes of them, the messages are read.
func (s *session) append(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	names := nameReader{utf8: s.utf8()}
	name := names.read(l.AString())
	l.SP()
	head, _, err := parseAppendHead(l.Rest())
	if err := errors.Join(l.Err(), err); err != nil {
		return Status{}, err
	}
	if err := s.mayAppend(&head, 0); err != nil {
		return Status{}, s.refuseMessage(&head, err)
	}
	if names.err != nil {
		return Status{}, s.refuseMessage(&head, names.err)
	}
	to, err := s.account.Append(ctx, name)
	if err != nil {
		return Status{}, s.refuseMessage(&head, tryCreate(err))
	}
	defer to.Close()
	return s.receive(ctx, to, head)
}

// replace is REPLACE and UID REPLACE (RFC 8508).
func (s *session) replace(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	where := Where{UID: c.UID, Set: One(l.Positive())}
	l.SP()
	names := nameReader{utf8: s.utf8()}
	name := names.read(l.AString())
	l.SP()
	head, _, err := parseAppendHead(l.Rest())
	if err := errors.Join(l.Err(), err); err != nil {
		return Status{}, err
	}
	uids, err := s.resolve(where)
	switch {
	case err != nil:
	case len(uids) == 0:
		err = ErrGone
	case s.box.readOnly:
		err = ErrReadOnly
	default:
		err = errors.Join(names.err, s.mayAppend(&head, 0))
	}
	if err != nil {
		return Status{}, s.refuseMessage(&head, err)
	}
	to, err := s.account.(Replacer).Replace(ctx, s.box.box, uids[0].First, name)
	if err != nil {
		return Status{}, s.refuseMessage(&head, tryCreate(err))
	}
	defer to.Close()
	st, err := s.receive(ctx, to, head)
	if err != nil || st.Kind == BAD {
		return st, err
	}
	s.untagged(Status{OK, st.Code, "Replacement"}) // RFC 8508 section 3.3: before the EXPUNGE
	return s.expunged(ctx)
}

// mayAppend tells what is wrong with a message before it comes; n is how many
// came before it.
func (s *session) mayAppend(head *incoming, n int) error {
	for _, f := range head.Flags {
		if !f.Valid() && !f.Is(Recent) {
			return Status{Kind: BAD, Text: "No flag that can be set"}
		}
	}
	switch {
	case head.Head.Size > s.limits.Message:
		return ErrTooBig
	case head.Head.Size == 0: // RFC 9051 section 6.3.12: it cancels
		return Status{NO, Code{Name: CodeCannot}, "An empty message is none"}
	case n >= s.limits.Append:
		return ErrLimit
	}
	return nil
}

// refuseMessage refuses a command while the client wants to send a message: one
// that waits for a go-ahead does not get it; otherwise the rest is read, so
// that the conversation stays in step.
func (s *session) refuseMessage(head *incoming, why error) error {
	if head.Sync {
		return why
	}
	if head.Head.Size > s.limits.Message {
		s.untagged(Status{BYE, Code{Name: CodeTooBig}, "Message too large"})
		return &ending{io.EOF}
	}
	for n := 0; ; n++ {
		if _, err := s.talk.R.Literal(head.Head.Size); err != nil { // the next line drops it
			return &ending{err}
		}
		next, more, err := s.nextMessage(head)
		switch {
		case err != nil:
			return broken(err)
		case !more:
			return why
		case next.Sync: // no more will come
			return why
		case n > s.limits.Append || next.Head.Size > s.limits.Message:
			return &ending{io.EOF}
		}
		head = next
	}
}

// misfit answers a command that cannot be now, and reads the message that it
// may have: its lines are no commands.
func (s *session) misfit(c Command, f *fault) error {
	head, next := messageOf(c)
	if next && s.account == nil && !head.Sync && head.Head.Size > shyLine {
		return s.tooBig(nil, head.Head)
	}
	if next {
		if end, ok := errors.AsType[*ending](s.refuseMessage(&head, f)); ok {
			return end.error
		}
	}
	return s.fault(f)
}

// nextMessage reads what comes behind a message: the end of the command, or
// another message's head.
func (s *session) nextMessage(last *incoming) (next *incoming, more bool, err error) {
	line, err := s.readLine()
	if err != nil {
		return nil, false, broken(err)
	}
	if last.wrapped {
		var closed bool
		if line, closed = bytes.CutPrefix(line, []byte(")")); !closed {
			return nil, false, ErrSyntax
		}
	}
	if len(line) == 0 {
		return nil, false, nil
	}
	rest, spaced := bytes.CutPrefix(line, []byte(" "))
	h, _, err := parseAppendHead(rest)
	if err != nil || !spaced {
		if _, literal := token.Trailing(line); literal { // out of step: its bytes may be on the way
			return nil, false, &ending{ErrSyntax}
		}
		return nil, false, ErrSyntax
	}
	return &h, true, nil
}

// receive takes the messages of an APPEND, from the head of the first.
func (s *session) receive(ctx context.Context, to Appender, first incoming) (Status, error) {
	head := &first
	for n := 1; ; n++ {
		if err := s.receiveOne(ctx, to, head); err != nil {
			return Status{}, err
		}
		next, more, err := s.nextMessage(head)
		if err != nil {
			return Status{}, err
		}
		if !more {
			break
		}
		if err := s.mayAppend(next, n); err != nil {
			return Status{}, s.refuseMessage(next, err)
		}
		head = next
	}
	uid, err := to.Commit(ctx)
	if err != nil {
		return Status{}, err
	}
	return Status{Code: Code{"APPENDUID", string(uid.Append(nil))}}, nil
}

// receiveOne streams one message to the backend. After an error of the
// backend's the rest of the command is read; if it comes before the first Read,
// a client that waits for a go-ahead need not send the message.
func (s *session) receiveOne(ctx context.Context, to Appender, head *incoming) error {
	body := &body{s: s, head: head.Head}
	m := head.NewMessage
	m.Flags = settable(m.Flags)
	err := to.Add(ctx, m, body)
	switch {
	case body.err != nil:
		return &ending{body.err}
	case err != nil && body.l == nil:
		return s.refuseMessage(head, err)
	case err == nil && (body.l == nil || body.l.Left() > 0):
		err = errors.New("imap: the backend has not read a message to its end")
	case err == nil && body.nul:
		err = Status{NO, Code{Name: CodeCannot}, "NUL in a message that is no literal8"}
	}
	if err == nil {
		return nil
	}
	read := *head // the message itself is behind us, or dropped by the next line
	read.Sync, read.Head.Size = false, 0
	return s.refuseMessage(&read, err)
}

// settable leaves out \Recent, which some clients copy.
func settable(flags []Flag) []Flag {
	var out []Flag
	for _, f := range flags {
		if !f.Is(Recent) && !HasFlag(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// body is a message on its way to the backend. It lets the client send it when
// it is first read, keeps the connection's errors apart from the backend's, and
// looks for NUL.
type body struct {
	s    *session
	head token.Head
	l    *wire.Literal
	nul  bool
	err  error
}

func (b *body) Read(p []byte) (int, error) {
	if b.l == nil {
		b.s.goAhead(b.head)
		if b.l, b.err = b.s.talk.R.Literal(b.head.Size); b.err != nil {
			return 0, b.err
		}
	}
	n, err := b.l.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	if !b.head.Binary && !b.nul && bytes.IndexByte(p[:n], 0) >= 0 {
		b.nul = true
	}
	return n, err
}
