package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/server"
)

// A Handler serves IMAP. Its fields are set before it serves and not changed
// afterwards; one Handler may serve any number of listeners. The server's
// Limits.Idle should be 30 minutes at least (RFC 9051 section 5.4).
type Handler struct {
	Backend Backend
	Auth    *auth.Authenticator // who may come in

	// TLS makes STARTTLS possible. It is nil where connections begin with a
	// handshake, as on port 993: then the server's own TLS field is set. For
	// channel binding Certificate is the one that either shows.
	TLS *tls.Config

	Welcome string  // text of the greeting; "": "IMAP server ready"
	ID      []Param // what the server says of itself (RFC 2971); nil: only its name
	Limits  Limits
	Log     *slog.Logger // of errors that the client is not told; nil: silent

	once  sync.Once
	verbs map[string]*verb
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Line    int   // bytes of a line, once logged in; 0: 64 KiB. Before, 16 KiB
	Command int   // bytes of a command with its literals, but for messages; 0: 512 KiB. Before a login, 16 KiB
	Message int64 // bytes of a message that is appended; 0: 64 MiB
	Append  int   // messages of one APPEND; 0: 1000
	Logins  int   // refused logins until the connection ends; 0: 3
	Faults  int   // commands in a row that are none, until it ends; 0: 20
}

const shyLine = 16 << 10 // before the login

func (l Limits) filled() Limits {
	or := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	or(&l.Line, 64<<10)
	or(&l.Command, 512<<10)
	or(&l.Append, 1000)
	or(&l.Logins, 3)
	or(&l.Faults, 20)
	if l.Message == 0 {
		l.Message = 64 << 20
	}
	return l
}

var _ server.Handler = (*Handler)(nil)

// Mode is Blocks: commands look at disks.
func (h *Handler) Mode() server.Mode { return server.Blocks }

// Open begins a session and greets.
func (h *Handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	h.once.Do(func() { h.verbs = verbTable() })
	s := &session{h: h, talk: t, limits: h.Limits.filled()}
	t.R.SetLimit(shyLine)
	welcome := h.Welcome
	if welcome == "" {
		welcome = "IMAP server ready"
	}
	s.untagged(Status{OK, s.capability(), welcome})
	return s, nil
}

// session is one client's. Only its Turns and Pushes touch it.
type session struct {
	h      *Handler
	talk   *server.Talk
	limits Limits

	account  Account // nil: nobody is logged in
	user     string
	failures int
	faults   int
	enabled  extensions
	deflated bool // COMPRESS is in force

	box   *selected
	saved Set // SEARCHRES's "$": UIDs

	notified *notifying // NOTIFY is in force

	idle  string // the tag of the IDLE that runs
	watch func() // ends the watch of it

	buf []byte // for what is being written; kept from one command to the next if small
}

// extensions are what a client has enabled.
type extensions struct{ rev2, utf8, condstore, qresync bool }

var (
	_ server.Session  = (*session)(nil)
	_ server.Pusher   = (*session)(nil)
	_ server.Farewell = (*session)(nil)
)

// style is how strings are written now.
func (s *session) style() Style {
	if s.enabled.rev2 || s.enabled.utf8 {
		return UTF8
	}
	return 0
}

func (s *session) utf8() bool { return s.style()&UTF8 != 0 }

// write writes bytes as they are. What fails here fails when it is flushed, too.
func (s *session) write(b []byte) { _, _ = s.talk.W.Write(b) }

// untagged writes "* status".
func (s *session) untagged(st Status) { s.line("* ", st.Append) }

// response writes "* NAME rest".
func (s *session) response(name string, rest func(b []byte) []byte) {
	s.line("* "+name+" ", rest)
}

// line writes a line that rest completes; one that rest adds nothing to loses
// its last blank.
func (s *session) line(start string, rest func(b []byte) []byte) {
	b := append(s.buf[:0], start...)
	if b = rest(b); len(b) == len(start) {
		b = b[:len(b)-1]
	}
	s.flush(append(b, "\r\n"...))
}

// maxKept is how much storage a session keeps between commands.
const maxKept = 4096

// flush writes b, which was built in s.buf, and keeps it for later.
func (s *session) flush(b []byte) {
	s.write(b)
	if s.buf = b[:0]; cap(b) > maxKept {
		s.buf = nil
	}
}

// Turn answers a command.
func (s *session) Turn(ctx context.Context) error {
	if s.idle != "" {
		return s.done()
	}
	c, err := s.read()
	if f, ok := errors.AsType[*fault](err); ok {
		return s.fault(f)
	}
	if err != nil {
		return err
	}
	return s.take(ctx, c)
}

// take carries a command out.
func (s *session) take(ctx context.Context, c Command) error {
	v := s.h.verbs[c.Name]
	if f := s.misplaced(v, c); f != nil {
		return s.misfit(c, f)
	}
	do := v.do
	if c.UID && v.uid != nil {
		do = v.uid
	}
	st, err := do(s, ctx, c)
	if err != nil {
		if st, err = s.refusal(ctx, err); err != nil {
			return err
		}
	}
	if st.Kind == BAD {
		return s.fault(&fault{c.Tag, st.Text})
	}
	s.faults = 0
	var end error // that what was done is told before
	if s.box != nil && c.Name != "LOGOUT" {
		end = quiet(s.sync(ctx, c.UID || !v.numbers))
		s.box.stored = Stored{}
	}
	if s.idle != "" { // DONE has the OK
		return end
	}
	if st.Kind == "" {
		st.Kind = OK
	}
	if st.Text == "" {
		st.Text = c.Name + " completed"
	}
	s.line(c.Tag+" ", st.Append)
	switch {
	case end != nil:
		return end
	case c.Name == "LOGOUT":
		return io.EOF
	case v.then != nil && st.Kind == OK:
		return v.then(s, ctx)
	}
	return nil
}

// misplaced tells what is wrong with a command before it is looked at; nil:
// nothing.
func (s *session) misplaced(v *verb, c Command) *fault {
	switch {
	case v == nil, c.UID && v.uid == nil && !v.onlyUID, !c.UID && v.onlyUID, v.has != nil && !v.has(s):
		return &fault{c.Tag, "Unknown command"}
	case v.when == clear && s.account != nil:
		return &fault{c.Tag, "Already logged in"}
	case v.when >= loggedIn && s.account == nil:
		return &fault{c.Tag, "Please log in first"}
	case v.when == inMailbox && s.box == nil:
		return &fault{c.Tag, "No mailbox is selected"}
	case v.args == none && len(c.Args) > 0:
		return &fault{c.Tag, c.Name + " takes no arguments"}
	case v.args == some && len(c.Args) == 0:
		return &fault{c.Tag, c.Name + " needs arguments"}
	}
	return nil
}

// refusal makes an error a status for the client; if that cannot be, the talk
// ends with the error that it returns.
func (s *session) refusal(ctx context.Context, err error) (Status, error) {
	if told, ok := errors.AsType[Status](err); ok {
		if told.Kind == BYE {
			s.untagged(told)
			return told, io.EOF
		}
		return told, nil
	}
	if end, ok := errors.AsType[*ending](err); ok {
		return Status{}, end.error
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return Status{Kind: BAD, Text: f.text}, nil
	}
	if errors.Is(err, ErrSyntax) {
		return Status{Kind: BAD, Text: syntaxText(err)}, nil
	}
	if errors.Is(err, ErrName) {
		return Status{NO, Code{Name: CodeCannot}, "No mailbox can have this name"}, nil
	}
	s.complain(ctx, err)
	return Status{NO, Code{Name: CodeServerBug}, "Something went wrong here"}, nil
}

// ending is an error after which the conversation is broken or out of step.
type ending struct{ error }

func (e *ending) Unwrap() error { return e.error }

// quiet takes an ending off an error, for the engine.
func quiet(err error) error {
	if end, ok := errors.AsType[*ending](err); ok {
		return end.error
	}
	return err
}

// broken makes an error of the connection end the talk; a fault passes.
func broken(err error) error {
	if _, ok := errors.AsType[*fault](err); ok || err == nil {
		return err
	}
	return &ending{err}
}

// complain logs what the client is not told. That something went while it was
// looked at is no error: the client will be told that it did.
func (s *session) complain(ctx context.Context, err error) {
	if s.h.Log != nil && !errors.Is(err, ErrNonExistent) && !errors.Is(err, ErrGone) {
		s.h.Log.ErrorContext(ctx, "imap", "user", s.user, "err", err)
	}
}

// fault is a command that is none.
type fault struct{ tag, text string }

func (f *fault) Error() string { return f.text }

// fault answers BAD; too many of them are no client.
func (s *session) fault(f *fault) error {
	tag := f.tag
	if tag == "" {
		tag = "*"
	}
	s.line(tag+" ", Status{Kind: BAD, Text: f.text}.Append)
	if s.faults++; s.faults >= s.limits.Faults {
		s.untagged(Status{Kind: BYE, Text: "Too many bad commands"})
		return io.EOF
	}
	return nil
}

// Push says what happened while IDLE waits, and what NOTIFY asked for.
func (s *session) Push(ctx context.Context) error {
	if s.notified != nil {
		if err := s.news(ctx); err != nil {
			return quiet(err)
		}
	}
	if s.idle == "" || s.box == nil {
		return nil
	}
	return quiet(s.sync(ctx, true))
}

// Farewell says goodbye when the server stops.
func (s *session) Farewell(context.Context) {
	s.untagged(Status{Kind: BYE, Text: "Server is shutting down"})
}

// Close ends what the session holds.
func (s *session) Close(why error) error {
	if errors.Is(why, server.ErrIdle) {
		s.untagged(Status{Kind: BYE, Text: "No command for too long"})
	}
	s.unwatch()
	s.unnotify()
	return s.unselect()
}

func (s *session) unwatch() {
	if s.watch != nil {
		s.watch()
		s.watch = nil
	}
}
