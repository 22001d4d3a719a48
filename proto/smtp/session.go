package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// Kind is which of the three protocols a Handler speaks.
type Kind uint8

// Kinds.
const (
	SMTP       Kind = iota // between hosts (RFC 5321)
	Submission             // from programs that write mail, after a login (RFC 6409)
	LMTP                   // into mailboxes, an answer for each recipient (RFC 2033)
)

// String is the kind's name, in lower case.
func (k Kind) String() string { return [...]string{"smtp", "submission", "lmtp"}[k] }

// A Handler serves SMTP, submission or LMTP. Its fields are set before it
// serves and not changed afterwards; one Handler may serve any number of
// listeners.
type Handler struct {
	Backend  Backend
	Kind     Kind
	Hostname string // what it calls itself; "": the system's name
	Welcome  string // text of the greeting, behind the name; "": "ready"

	// TLS makes STARTTLS possible. For TLS from the beginning (port 465) the
	// server's own TLS field is set.
	TLS        *tls.Config
	RequireTLS bool // no mail in clear (530)
	// Auth checks logins; nil: AUTH is not offered. Where it is set, Submission
	// takes mail only after a login, and so does whoever has RequireAuth.
	Auth        *auth.Authenticator
	RequireAuth bool
	Anonymous   bool // Submission takes mail without a login all the same

	// Relay says that the Backend sends mail on: then no Return-Path is put in
	// front of it (RFC 5321 section 4.4).
	Relay bool
	// Repair has Submission make CRLF of a CR or LF that stands alone, instead
	// of refusing the message. The end of the message stays CRLF.CRLF.
	Repair bool
	// Delay holds the greeting back; a client that does not wait for it is
	// turned away. 0: it comes at once.
	Delay time.Duration
	// TrustXClient are the proxies that may say by XCLIENT for whom they talk.
	TrustXClient []netip.Prefix

	Limits Limits
	// Answer, if not nil, is asked for each command, and its answer is given
	// instead of the session's own: for faults.Set's Reply.
	Answer func(line string) (reply string, ok bool)
	Log    *slog.Logger // hears of a Backend's faults; nil: silent

	once   sync.Once
	host   string
	verbs  map[string]*verb
	traits Traits
	limits Limits
	more   []Extension
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Line       int   // bytes of a command, CRLF included; AUTH may have 12,288; 0: 2048
	Message    int64 // bytes of a message; 0: 25 MiB
	Recipients int   // that RCPT may name for a message, the refused ones included; 0: 1000
	Errors     int   // commands that were refused for what they are, until the connection ends; 0: 20
	Commands   int   // before a MAIL, and from one to the next, beside RCPT and BDAT; 0: 100
	Logins     int   // refused logins until the connection ends; clients try one mechanism after the other; 0: 10
}

func (l Limits) filled() Limits {
	or := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	or(&l.Line, 2048)
	or(&l.Recipients, 1000)
	or(&l.Errors, 20)
	or(&l.Commands, 100)
	or(&l.Logins, 10)
	if l.Message == 0 {
		l.Message = 25 << 20
	}
	return l
}

var _ server.Handler = (*Handler)(nil)

// Mode is Waits: a Turn waits for its peer, and goes round the Backend's calls
// by a Detour where they may block.
func (h *Handler) Mode() server.Mode { return server.Waits }

// start is done once, before the first session.
func (h *Handler) start() {
	h.limits = h.Limits.filled()
	if h.host = h.Hostname; h.host == "" {
		h.host = "localhost"
		if name, err := os.Hostname(); err == nil && isKeyword(string(bytes.ReplaceAll([]byte(name), []byte("."), nil))) {
			h.host = name
		}
	}
	h.verbs = verbTable()
	if t, ok := h.Backend.(Traiter); ok {
		h.traits = t.Traits()
	}
	if x, ok := h.Backend.(Extender); ok {
		h.more = x.Extensions()
	}
	for _, x := range h.more {
		if x.Verb != "" {
			h.verbs[x.Verb] = extended(x)
		}
	}
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// Open begins a session and greets.
func (h *Handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	h.once.Do(h.start)
	s := &session{h: h, talk: t}
	s.setLineLimit()
	if h.Delay > 0 {
		s.timer = time.AfterFunc(h.Delay, t.Wake)
		return s, nil
	}
	s.greet()
	return s, nil
}

// session is one client's.
type session struct {
	h       *Handler
	talk    *server.Talk
	timer   *time.Timer // of the greeting
	greeted bool

	hello   string // "": neither EHLO nor HELO has come
	esmtp   bool
	tls     *tls.ConnectionState
	user    string // who has logged in
	claimed *claim // by XCLIENT
	peer    netip.AddrPort
	local   netip.AddrPort
	asked   bool // for peer and local

	tx       Transaction // nil: there is no message
	from     Sender
	to       []Recipient // that the transaction took
	tried    int         // RCPTs of the message
	body     *body       // the message as far as it has come; nil: nothing has
	errs     int
	commands int // since the last MAIL
	logins   int // that were refused
	out      []byte
}

// Replies of every session.
var (
	replySequence = Reply{503, Status{5, 5, 1}, "Bad sequence of commands"}
	replyNested   = Reply{503, Status{5, 5, 1}, "A message is under way: RSET gives it up"}
	replyUnknown  = Reply{500, Status{5, 5, 1}, "Command unknown"}
	replyNoParams = Reply{555, Status{5, 5, 4}, "Unknown parameter"}
	replyGoodbye  = Reply{221, Status{2, 0, 0}, "Goodbye"}
	replyTooMany  = Reply{421, Status{4, 7, 0}, "Too many errors"}
)

// say writes a reply. What fails here fails when it is flushed, too.
func (s *session) say(r Reply) {
	s.out = r.Append(s.out[:0])
	_, _ = s.talk.W.Write(s.out)
	if cap(s.out) > 512 {
		s.out = nil
	}
}

func (s *session) reply(code int, status Status, text string) { s.say(Reply{code, status, text}) }

// fault says that a command is wrong; too many of them are no client's.
func (s *session) fault(r Reply) error {
	if s.errs++; s.errs >= s.h.limits.Errors {
		s.say(replyTooMany)
		return io.EOF
	}
	s.say(r)
	return nil
}

func (s *session) greet() {
	s.greeted = true
	word := "ESMTP"
	if s.h.Kind == LMTP {
		word = "LMTP"
	}
	text := s.h.Welcome
	if text == "" {
		text = "ready"
	}
	s.say(Reply{Code: 220, Text: s.h.host + " " + word + " " + text})
}

// setLineLimit leaves room for AUTH's initial response as long as one may come.
func (s *session) setLineLimit() {
	limit := s.h.limits.Line
	if s.h.Auth != nil && s.user == "" {
		limit = max(limit, auth.MaxResponse)
	}
	s.talk.R.SetLimit(limit)
}

// Push greets.
func (s *session) Push(context.Context) error {
	if !s.greeted {
		s.greet()
	}
	return nil
}

// Turn answers a command.
func (s *session) Turn(ctx context.Context) error {
	line, err := s.talk.R.Line()
	if err != nil {
		return s.badLine(err)
	}
	if !s.greeted {
		s.reply(554, Status{5, 5, 1}, "You talk before you were greeted")
		return io.EOF
	}
	c, err := ParseCommand(line)
	if err != nil {
		return s.fault(Reply{500, Status{5, 5, 2}, "Command not understood"})
	}
	v := s.h.verbs[c.Verb]
	if v != nil && v.secret {
		s.talk.Redact(len(line) - len(c.Arg) + len(word1(c.Arg)))
	} else if len(line)+2 > s.h.limits.Line {
		return s.badLine(wire.ErrLineTooLong)
	}
	if s.commands++; s.commands > s.h.limits.Commands {
		s.reply(421, Status{4, 7, 0}, "Too many commands and no mail")
		return io.EOF
	}
	if s.h.Answer != nil {
		if text, ok := s.h.Answer(string(line)); ok {
			return s.instead(c, text)
		}
	}
	return s.take(ctx, v, c)
}

// word1 is the first word of an argument, and the blank behind it.
func word1(arg string) string {
	for i := range len(arg) {
		if arg[i] == ' ' {
			return arg[:i+1]
		}
	}
	return arg
}

// instead gives an answer that is not the session's own. The bytes behind BDAT
// are consumed all the same.
func (s *session) instead(c Command, text string) error {
	if c.Verb == "BDAT" {
		if size, _, err := parseChunk(c.Arg); err == nil {
			if err := s.talk.R.Discard(size); err != nil {
				return err
			}
		}
	}
	r := parseReplyText(text)
	s.say(r)
	if r.Code == 421 {
		return io.EOF
	}
	return nil
}

// badLine answers what is no line.
func (s *session) badLine(err error) error {
	switch {
	case errors.Is(err, wire.ErrLineTooLong):
		return s.fault(Reply{500, Status{5, 5, 6}, "Line too long"})
	case errors.Is(err, wire.ErrBareLF), errors.Is(err, wire.ErrBareCR):
		return s.fault(Reply{500, Status{5, 5, 2}, "A line ends with CRLF, and has neither CR nor LF inside"})
	}
	return err
}

// take carries a command out.
func (s *session) take(ctx context.Context, v *verb, c Command) error {
	if v == nil || v.has != nil && !v.has(s) {
		switch {
		case v != nil || knownVerb(c.Verb):
			return s.fault(Reply{502, Status{5, 5, 1}, c.Verb + " is not implemented"})
		case foreignVerb(c.Verb):
			s.reply(421, Status{4, 7, 0}, "This is "+s.h.Kind.String())
			return io.EOF
		}
		return s.fault(replyUnknown)
	}
	switch {
	case c.Arg == "" && v.args == required:
		return s.fault(Reply{501, Status{5, 5, 4}, "Usage: " + c.Verb + " " + v.usage})
	case c.Arg != "" && v.args == none:
		return s.fault(Reply{501, Status{5, 5, 4}, c.Verb + " takes no argument"})
	case v.greeted && s.hello == "":
		return s.fault(Reply{503, Status{5, 5, 1}, "Say " + s.helloVerb() + " first"})
	}
	return v.do(s, ctx, c.Arg)
}

func (s *session) helloVerb() string {
	if s.h.Kind == LMTP {
		return "LHLO"
	}
	return "EHLO"
}

// aside runs a call of the Backend: on a goroutine of its own where it may
// block and the engine has none for this talk.
func (s *session) aside(prompt Pace, f func() error) error {
	if s.h.traits.Pace >= prompt {
		return f()
	}
	return s.talk.Detour(f)
}

// refuse tells the peer of a Backend's error.
func (s *session) refuse(what string, err error) {
	r, ours := refusal(err)
	if ours {
		s.h.log().Error("backend", "at", what, "talk", s.talk.ID(), "err", err)
	}
	s.say(r)
}

// who is the peer as the Backend hears of it.
func (s *session) who() Peer {
	if !s.asked {
		s.asked = true
		s.peer, s.local = addrOf(s.talk.RemoteAddr()), addrOf(s.talk.LocalAddr())
	}
	s.secured()
	p := Peer{
		Talk: s.talk.ID(), Kind: s.h.Kind, Addr: s.peer, Local: s.local,
		Hello: s.hello, ESMTP: s.esmtp, TLS: s.tls, User: s.user,
	}
	s.claimed.apply(&p)
	return p
}

// secured tells whether there is TLS.
func (s *session) secured() bool {
	if s.tls == nil && s.talk.Upgraded() {
		if state, ok := s.talk.TLS(); ok {
			s.tls = &state
		}
	}
	return s.tls != nil
}

func addrOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// abort gives the message up.
func (s *session) abort() {
	tx, b := s.tx, s.body
	s.tx, s.body, s.from, s.to, s.tried = nil, nil, Sender{}, nil, 0
	if b != nil {
		b.drop()
	}
	if tx != nil {
		tx.Abort()
	}
}

// Farewell tells a peer that waits.
func (s *session) Farewell(context.Context) {
	s.reply(421, Status{4, 3, 2}, "Server is shutting down")
}

// Close gives up what was not committed.
func (s *session) Close(why error) error {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.abort()
	switch {
	case errors.Is(why, server.ErrIdle), errors.Is(why, server.ErrTurn):
		s.reply(421, Status{4, 4, 2}, "Timeout")
	case errors.Is(why, wire.ErrLineTooLong):
		s.reply(500, Status{5, 5, 6}, "Line too long")
	}
	return nil
}
