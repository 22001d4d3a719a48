package telnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
)

// A Shell answers the lines of one session. Its methods are called one at a
// time.
type Shell interface {
	// Line answers a line, which comes without its end. io.EOF hangs up in
	// good order; any other error ends the session.
	Line(ctx context.Context, t *Terminal, line string) error
}

// A Handler serves Telnet: sessions of lines (Shell), or of bytes (Run). Its
// fields are set before it serves and not changed afterwards; one Handler may
// serve any number of listeners.
type Handler struct {
	// Shell begins a session, after the login; it may greet and prompt.
	Shell func(ctx context.Context, t *Terminal) (Shell, error)
	// Run, where it is there, has the connection to itself instead, from after
	// the login until it returns. It may use several goroutines, which must not
	// outlive it.
	Run func(ctx context.Context, c *Conn, user string) error

	Auth    *auth.Authenticator // asks for a name and a password; nil: nobody is asked
	Welcome string              // is said before that; lines end with LF
	TLS     *tls.Config         // for START_TLS, which is asked for where a password could not be told in clear, or where nobody is asked for one; nil: there is none
	Cert    *x509.Certificate   // what logins know of a server that speaks TLS from the beginning

	// Options are what is agreed to; Server is set. The zero Options are those
	// of a line handler: it echoes and suppresses Go Ahead where the client
	// asks for it, and takes what the client tells of its terminal.
	Options Options
	// Ask is what clients are asked to do (DO) as soon as they have shown that
	// they speak Telnet; nil: NAWS and TTYPE. Before that nothing is asked.
	Ask []Option
	// Eager speaks Telnet from the first byte: it echoes, suppresses Go Ahead
	// and asks for Ask, as a host's telnetd does. Lines are then edited here.
	Eager bool
	// Quick has sessions that wait for nothing but their client: server.Waits.
	Quick bool

	Limits Limits
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Line     int // bytes of a line; 0: 4096. More is not taken, with a bell
	Logins   int // refused logins until the connection ends; 0: 3
	Remember int // bytes of what Terminal.Transcript tells; 0: 4096
}

func (l Limits) filled() Limits {
	or := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	or(&l.Line, 4096)
	or(&l.Logins, 3)
	or(&l.Remember, 4096)
	return l
}

var _ server.Handler = (*Handler)(nil)

// Mode is Blocks, for shells do what they like; Streams where Run has the
// connection, and Waits where Quick says so.
func (h *Handler) Mode() server.Mode {
	switch {
	case h.Run != nil:
		return server.Streams
	case h.Quick && h.Auth == nil:
		return server.Waits
	}
	return server.Blocks
}

// options are Options, made whole.
func (h *Handler) options() Options {
	o := h.Options
	o.Server = true
	o.TLS = h.TLS != nil
	if o.Will == nil {
		o.Will = []Option{Echo, SGA, Binary, Status}
	}
	if o.Do == nil {
		o.Do = []Option{SGA, Binary, NAWS, TTYPE, TSPEED, XDISPLOC, NewEnviron, Status}
	}
	return o
}

// Open begins a session.
func (h *Handler) Open(ctx context.Context, t *server.Talk) (server.Session, error) {
	s := &session{h: h, talk: t, limits: h.Limits.filled()}
	if _, private := t.TLS(); !private {
		s.urgent = newUrgent(t, t.RemoteAddr())
	}
	s.term = Terminal{s: s, nvt: NewNVT(h.options())}
	s.edit.Most = s.limits.Line
	if h.Eager {
		s.nvt().step(true, Echo, AskYes)
		s.nvt().step(true, SGA, AskYes)
		s.spoken()
	}
	if _, private := t.TLS(); h.TLS != nil && !private && (h.Auth == nil || !h.Auth.PlainAllowed(s.channel())) {
		s.nvt().step(false, StartTLS, AskYes)
	}
	s.nvt().WriteText(h.Welcome)
	err := s.begin(ctx)
	if err = errors.Join(err, s.send()); err != nil || h.Run == nil || h.Auth != nil {
		return s, err
	}
	return nil, s.run(ctx, nil, nil) // here, for a Turn would wait for the client
}

// session is one client's.
type session struct {
	h      *Handler
	talk   *server.Talk
	limits Limits
	urgent *urgent // nil: there is none
	term   Terminal
	edit   Editor
	echo   []byte

	asked bool // the client speaks Telnet, and was asked
	login login
	shell Shell // nil: nobody is logged in
	once  sync.Once
}

func (s *session) nvt() *NVT { return s.term.nvt }

// begin asks who it is, or begins what there is to do.
func (s *session) begin(ctx context.Context) error {
	if s.h.Auth != nil && s.login.user == "" {
		s.askName()
		return nil
	}
	return s.enter(ctx)
}

// enter begins the shell.
func (s *session) enter(ctx context.Context) (err error) {
	s.term.user = s.login.user
	if s.h.Run != nil {
		return nil // Turn does
	}
	s.shell, err = s.h.Shell(ctx, &s.term)
	return err
}

// spoken asks a client that speaks Telnet for what it may tell, once.
func (s *session) spoken() {
	if s.asked {
		return
	}
	s.asked = true
	ask := s.h.Ask
	if ask == nil {
		ask = []Option{NAWS, TTYPE}
	}
	for _, o := range ask {
		s.nvt().step(false, o, AskYes)
	}
}

// send has what is to be sent go behind what was sent.
func (s *session) send() error {
	return s.nvt().Take(func(b []byte) error {
		_, err := s.talk.W.Write(b)
		return err
	})
}

// Turn takes what has come.
func (s *session) Turn(ctx context.Context) error {
	b, err := s.talk.R.Chunk()
	if err != nil {
		return err
	}
	if s.nvt().Urgent(s.urgent.ahead()); s.nvt().synch && s.term.hidden {
		s.talk.Redact(0) // what is thrown away may be a secret too
	}
	return s.take(ctx, b)
}

// Complete: any byte is worth a Turn.
func (*session) Complete([]byte) int { return 0 }

// take deals with the bytes that have come.
func (s *session) take(ctx context.Context, b []byte) error {
	whole := len(b)
	for {
		e, rest := s.nvt().Next(b)
		if e.Kind == Nothing {
			return s.send()
		}
		at := whole - len(b)
		b = rest
		if e.Kind != Data {
			s.term.remember(e)
			s.asks(e)
			if err := s.event(ctx, e, len(rest)); err != nil {
				return errors.Join(err, s.send())
			}
		} else {
			data, err := s.typed(ctx, e.Data, at)
			if err != nil {
				return errors.Join(err, s.send())
			}
			if s.login.done && s.h.Run != nil {
				return errors.Join(s.send(), s.run(ctx, data, rest))
			}
		}
		if err := s.send(); err != nil {
			return err
		}
	}
}

// asks turns to a client that has negotiated.
func (s *session) asks(e Event) {
	if e.Kind == Negotiation || e.Kind == Changed || e.Kind == Sub {
		s.spoken()
	}
}

// event deals with what is no data.
func (s *session) event(ctx context.Context, e Event, behind int) error {
	switch e.Kind {
	case Told:
		return s.told(ctx, e.Command)
	case Sub:
		if e.Option == StartTLS && s.nvt().TLSFollows() {
			return s.startTLS(ctx, behind)
		}
	}
	return nil
}

// told is a command of RFC 854: what the editor has a key for is that key.
func (s *session) told(ctx context.Context, c Command) error {
	keys := map[Command]byte{EC: del, EL: ctrlU, IP: ctrlC, BRK: ctrlC, ABORT: ctrlC, SUSP: ctrlC, EOF: ctrlD}
	switch c {
	case AYT:
		s.nvt().WriteText("\n[Yes]\n")
		return nil
	case AO:
		return s.synch()
	}
	key, ok := keys[c]
	if !ok {
		return nil
	}
	return s.key(ctx, key)
}

// startTLS shakes hands. What lies behind the word for it came in clear, and
// nobody knows from whom.
func (s *session) startTLS(ctx context.Context, behind int) error {
	if behind > 0 {
		return conv.ErrEarly
	}
	if err := s.send(); err != nil {
		return err
	}
	if err := s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS)); err != nil {
		return err
	}
	s.nvt().Reset(s.h.options())
	s.asked, s.urgent = false, nil
	s.spoken()
	if s.login.hidden {
		s.nvt().step(true, Echo, AskYes)
	}
	return nil
}

// type_ takes data. at is where it lies in what has come: a secret is to be
// masked from there on. It gives what lies behind a login that Run follows.
func (s *session) typed(ctx context.Context, b []byte, at int) (rest []byte, err error) {
	for i, c := range b {
		if s.term.hidden {
			s.talk.Redact(at + i)
		}
		s.term.rememberByte(c)
		if err := s.key(ctx, c); err != nil {
			return nil, err
		}
		if s.login.done && s.h.Run != nil {
			return b[i+1:], nil
		}
	}
	return nil, nil
}

// key takes one byte that was typed.
func (s *session) key(ctx context.Context, c byte) error {
	s.edit.Echo, s.edit.Secret = s.nvt().Ours(Echo), s.term.hidden
	did, echo := s.edit.Take(c, s.echo[:0])
	s.echo = echo
	_, _ = s.nvt().Write(echo) // it never fails
	switch did {
	case Entered:
		return s.line(ctx, string(s.edit.Line()))
	case Reprinted:
		s.nvt().WriteText(s.term.prompt)
		if s.edit.Echo && !s.edit.Secret {
			_, _ = s.nvt().Write(s.edit.Pending()) // it never fails
		}
	case Cancelled:
		if !s.edit.Echo {
			s.nvt().WriteText("\n")
		}
		s.nvt().WriteText(s.term.prompt)
	case HungUp:
		return io.EOF
	}
	return nil
}

// line is a whole one.
func (s *session) line(ctx context.Context, line string) error {
	if s.shell == nil {
		return s.logIn(ctx, line)
	}
	return s.shell.Line(ctx, &s.term, line)
}

// run gives the connection away, and what has come behind the login: data, and
// what is still to be decoded.
func (s *session) run(ctx context.Context, data, rest []byte) error {
	c := newConn(&s.talk.Conn, s.nvt())
	c.skip, c.urgent = s.edit.cr, s.urgent
	c.lead, c.rest, c.progress = bytes.Clone(data), bytes.Clone(rest), s.talk.Progress
	if c.options = s.h.options(); s.h.TLS != nil {
		c.upgrade = func(ctx context.Context) error { return s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS)) }
	}
	if err := s.h.Run(ctx, c, s.login.user); err != nil {
		return err
	}
	return io.EOF
}

// Farewell says that the server stops.
func (s *session) Farewell(context.Context) {
	s.nvt().WriteText("\nThe server is shutting down.\n")
	_ = s.send() // whoever is gone needs no goodbye
}

// Close ends the shell, where it wants to know (io.Closer).
func (s *session) Close(error) error {
	var err error
	s.once.Do(func() {
		if c, ok := s.shell.(io.Closer); ok {
			err = c.Close()
		}
	})
	return err
}
