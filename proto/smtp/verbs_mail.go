package smtp

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/wire"
)

// mail begins a message.
func (s *session) mail(ctx context.Context, arg string) error {
	if r, ok := s.mayMail(); !ok {
		return s.fault(r)
	}
	from, err := ParseSender(arg)
	if err == nil {
		err = s.checkSender(from)
	}
	if err != nil {
		r, _ := refusal(err)
		return s.fault(r)
	}
	s.commands = 0
	if from.Size > s.h.limits.Message {
		s.refuse("MAIL", ErrTooBig)
		return nil
	}
	peer := s.who()
	var tx Transaction
	var refused error
	err = s.aside(PromptEnvelope, func() error { tx, refused = s.h.Backend.Mail(ctx, from, peer); return nil })
	if err != nil {
		return err
	}
	positive := isPositive(refused)
	if refused != nil && (!positive || tx == nil) {
		s.refuse("MAIL", refused)
		return nil
	}
	s.tx, s.from = tx, from
	if positive {
		s.refuse("MAIL", refused)
		return nil
	}
	s.reply(250, Status{2, 1, 0}, "OK")
	return nil
}

// isPositive tells a Backend's yes in its own words.
func isPositive(err error) bool {
	if err == nil {
		return false
	}
	r, ours := refusal(err)
	return !ours && r.Code/100 == 2
}

// mayMail tells whether a message may begin now.
func (s *session) mayMail() (Reply, bool) {
	h := s.h
	switch {
	case s.tx != nil:
		return replyNested, false
	case h.RequireTLS && !s.secured():
		return Reply{530, Status{5, 7, 0}, "Say STARTTLS first"}, false
	case h.Auth != nil && s.user == "" && (h.RequireAuth || h.Kind == Submission && !h.Anonymous):
		return Reply{530, Status{5, 7, 0}, "Log in first"}, false
	}
	return Reply{}, true
}

// checkSender tells what of a MAIL does not go here.
func (s *session) checkSender(from Sender) error {
	t := &s.h.traits
	m := from.Mailbox
	switch {
	case !s.esmtp && !from.plain():
		return Reply{555, Status{5, 5, 4}, "Parameters need EHLO"}
	case m.Domain == "" && !m.IsNull() && s.h.Kind != LMTP:
		return Reply{501, Status{5, 1, 7}, "The address has no domain"}
	case !m.ASCII() && !from.UTF8:
		return Reply{553, Status{5, 6, 7}, "This address needs SMTPUTF8"}
	case from.UTF8 && t.NoUTF8, from.Body == BodyBinary && !t.Binary, from.RequireTLS && t.NoRequireTLS,
		!t.DSN && (from.Return != ReturnUnsaid || from.EnvID != ""):
		return replyNoParams
	case from.RequireTLS && !s.secured():
		return Reply{530, Status{5, 7, 10}, "REQUIRETLS needs TLS here too"}
	}
	for _, p := range from.Extra {
		if !slices.ContainsFunc(s.h.more, func(x Extension) bool { return slices.Contains(x.Mail, p.Name) }) {
			return Reply{555, Status{5, 5, 4}, "Unknown parameter " + p.Name}
		}
	}
	return nil
}

// plain tells a MAIL without parameters.
func (s Sender) plain() bool {
	return s.Size == 0 && s.Body == BodyUnsaid && !s.UTF8 && !s.RequireTLS && s.Auth == "" &&
		s.Return == ReturnUnsaid && s.EnvID == "" && len(s.Extra) == 0
}

// rcpt adds a recipient.
func (s *session) rcpt(ctx context.Context, arg string) error {
	if s.tx == nil || s.body != nil {
		return s.fault(replySequence)
	}
	s.commands--
	if s.tried++; s.tried > s.h.limits.Recipients {
		if s.tried > 10*s.h.limits.Recipients {
			s.say(replyTooMany)
			return io.EOF
		}
		s.reply(452, Status{4, 5, 3}, "Too many recipients")
		return nil
	}
	to, err := ParseRecipient(arg)
	if err == nil {
		err = s.checkRecipient(to)
	}
	if err != nil {
		r, _ := refusal(err)
		return s.fault(r)
	}
	var refused error
	if err := s.aside(PromptEnvelope, func() error { refused = s.tx.Rcpt(ctx, to); return nil }); err != nil {
		return err
	}
	positive := isPositive(refused)
	if refused == nil || positive {
		s.to = append(s.to, to)
	}
	if refused != nil {
		s.refuse("RCPT", refused)
		return nil
	}
	s.reply(250, Status{2, 1, 5}, "OK")
	return nil
}

// checkRecipient tells what of a RCPT does not go here.
func (s *session) checkRecipient(to Recipient) error {
	m := to.Mailbox
	switch {
	case !s.esmtp && (to.Notify != 0 || to.ORcpt != "" || len(to.Extra) > 0):
		return Reply{555, Status{5, 5, 4}, "Parameters need EHLO"}
	case m.Domain == "" && s.h.Kind != LMTP && !strings.EqualFold(m.Local, "postmaster"):
		return Reply{501, Status{5, 1, 3}, "The address has no domain"}
	case !m.ASCII() && !s.from.UTF8:
		return Reply{553, Status{5, 6, 7}, "This address needs SMTPUTF8"}
	case !s.h.traits.DSN && (to.Notify != 0 || to.ORcpt != ""):
		return replyNoParams
	}
	for _, p := range to.Extra {
		if !slices.ContainsFunc(s.h.more, func(x Extension) bool { return slices.Contains(x.Rcpt, p.Name) }) {
			return Reply{555, Status{5, 5, 4}, "Unknown parameter " + p.Name}
		}
	}
	return nil
}

// mayBody tells whether the message itself may come now.
func (s *session) mayBody() (Reply, bool) {
	switch {
	case s.tx == nil:
		return replySequence, false
	case len(s.to) == 0 && s.h.Kind == LMTP:
		return Reply{503, Status{5, 5, 1}, "No valid recipients"}, false // RFC 2033 section 4.2
	case len(s.to) == 0:
		return Reply{554, Status{5, 5, 1}, "No valid recipients"}, false
	}
	return Reply{}, true
}

// begin begins the message with its trace lines.
func (s *session) begin() *body {
	if s.body == nil {
		s.body = &body{buf: wire.Get(4096), bare: s.from.Body == BodyBinary}
		s.out = s.appendTrace(s.out[:0])
		s.body.write(s.out)
	}
	return s.body
}

// data reads a message up to the dot (RFC 5321 section 4.1.1.4).
func (s *session) data(ctx context.Context, _ string) error {
	r, ok := s.mayBody()
	if ok && (s.body != nil || s.from.Body == BodyBinary) { // RFC 3030 sections 2 and 3
		r, ok = replySequence, false
	}
	if !ok {
		return s.fault(r)
	}
	s.say(Reply{Code: 354, Text: "End with <CRLF>.<CRLF>"})
	block := s.talk.R.Block()
	var from io.Reader = block
	repair := s.h.Repair && s.h.Kind == Submission
	if repair {
		from = &crlfReader{r: block}
	}
	b := s.begin()
	for {
		room, err := s.room(ctx, b)
		if err != nil {
			return err
		}
		n, err := from.Read(room)
		b.add(n, s.h.limits.Message)
		if b.err == nil && !repair && block.Bare() {
			b.err = ErrBareBreaks
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	return s.deliver(ctx)
}

// parseChunk reads the argument of BDAT.
func parseChunk(arg string) (size int64, last bool, err error) {
	number, rest, _ := strings.Cut(arg, " ")
	n, err := strconv.ParseUint(number, 10, 62)
	rest = strings.TrimSpace(rest)
	if err != nil || rest != "" && !strings.EqualFold(rest, "LAST") {
		return 0, false, Reply{501, Status{5, 5, 4}, "Usage: BDAT size [LAST]"}
	}
	return int64(n), rest != "", nil
}

// bdat reads a chunk (RFC 3030 section 2). Whatever it answers, the chunk has
// been consumed.
func (s *session) bdat(ctx context.Context, arg string) error {
	size, last, err := parseChunk(arg)
	if err != nil { // nobody knows where the next command begins
		r, _ := refusal(err)
		s.say(r)
		return io.EOF
	}
	if size > 0 {
		s.commands--
	}
	if r, ok := s.mayBody(); !ok {
		if err := s.skip(size); err != nil {
			return err
		}
		return s.fault(r)
	}
	if err := s.chunk(ctx, size); err != nil {
		return err
	}
	b := s.body
	if last {
		if b.cr && b.err == nil {
			b.err = ErrBareBreaks
		}
		return s.deliver(ctx)
	}
	if b.err != nil {
		s.refuse("BDAT", b.err)
		s.abort()
		return nil
	}
	s.reply(250, Status{2, 0, 0}, strconv.FormatInt(size, 10)+" bytes received")
	return nil
}

// skip consumes a chunk that nobody wants.
func (s *session) skip(size int64) error {
	for size > 0 {
		n := min(size, 1<<20)
		if err := s.talk.R.Discard(n); err != nil {
			return err
		}
		size -= n
		s.talk.Progress()
	}
	return nil
}

// chunk adds the bytes of a chunk to the message.
func (s *session) chunk(ctx context.Context, size int64) error {
	literal, err := s.talk.R.Literal(size)
	if err != nil {
		return err
	}
	b := s.begin()
	for literal.Left() > 0 {
		room, err := s.room(ctx, b)
		if err != nil {
			return err
		}
		n, err := literal.Read(room)
		if !b.bare && b.breaks(room[:n]) && b.err == nil {
			b.err = ErrBareBreaks
		}
		b.add(n, s.h.limits.Message)
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver ends the message and answers, for each recipient in LMTP.
func (s *session) deliver(ctx context.Context) error {
	tx, b, n := s.tx, s.body, len(s.to)
	s.tx, s.body, s.from, s.to, s.tried = nil, nil, Sender{}, nil, 0
	outcome, err := s.finish(ctx, tx, b)
	if err != nil {
		return err
	}
	if s.h.Kind == LMTP {
		s.sayEach(n, outcome)
		return nil
	}
	if outcome = whole(outcome); outcome != nil {
		s.refuse("DATA", outcome)
		return nil
	}
	s.reply(250, Status{2, 0, 0}, "OK")
	return nil
}

// finish ends the message and commits it; nil: it is taken. The error is the
// talk's.
func (s *session) finish(ctx context.Context, tx Transaction, b *body) (outcome, err error) {
	ended := false
	defer func() {
		if !ended { // the peer has gone before that
			b.drop()
			tx.Abort()
		}
		b.release()
	}()
	call := func() error {
		ended = true
		outcome = b.finish(ctx, tx)
		return nil
	}
	switch {
	case b.feed != nil:
		err = s.talk.Detour(call)
		return outcome, err
	case s.h.traits.Pace < PromptBody:
		err = s.aside(PromptBody, call)
		return outcome, err
	}
	if outcome = b.hand(ctx, tx); outcome != nil {
		ended = true
		return outcome, nil
	}
	b.release() // the wait may be long
	err = s.aside(Prompt, func() error {
		ended = true
		outcome = tx.Commit(ctx)
		return nil
	})
	return outcome, err
}

// whole makes one outcome of Results: no, as long as one is no.
func whole(outcome error) error {
	results, ok := outcome.(Results) //nolint:errorlint // it is Commit's own, or it is not meant
	if !ok {
		return outcome
	}
	i := slices.IndexFunc(results, func(err error) bool { return err != nil && !isPositive(err) })
	if i < 0 {
		return nil
	}
	return results[i]
}

// sayEach answers for each of n recipients (RFC 2033 section 4.2).
func (s *session) sayEach(n int, outcome error) {
	results, _ := outcome.(Results) //nolint:errorlint // as in whole
	for i := range n {
		err := outcome
		if results != nil {
			err = nil
			if i < len(results) {
				err = results[i]
			}
		}
		if err != nil {
			s.refuse("DATA", err)
			continue
		}
		s.reply(250, Status{2, 0, 0}, "OK")
	}
}
