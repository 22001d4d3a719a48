package pop3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// Idle is how long a session may say nothing: RFC 1939 section 3 wants ten
// minutes at least. It is for server.Limits.
const Idle = 10 * time.Minute

// A Handler serves POP3. Its fields are set before it serves and not changed
// afterwards; one Handler may serve any number of listeners.
type Handler struct {
	Backend Backend
	Auth    *auth.Authenticator // who may come in; nil: nobody

	Welcome string // text of the greeting; "": "POP3 server ready"
	Host    string // our name in the time stamp for APOP; "": farend

	// TLS makes STLS possible. Where the server speaks TLS from the beginning
	// it is the same configuration, so that logins can be bound to its
	// certificate.
	TLS *tls.Config

	// Expire is for how many days messages stay where they are, as CAPA says
	// it; 0: for ever; below 0: what was retrieved is deleted by QUIT.
	Expire int
	// LoginDelay is how long a user waits from login to login; 0: not at all.
	LoginDelay time.Duration
	// Implementation is what CAPA says of us; "": farend. "-": nothing.
	Implementation string

	Limits Limits

	once   sync.Once
	verbs  map[string]*verb
	cert   *x509.Certificate
	stamp  func() string // for transcripts; nil: random
	mu     sync.Mutex
	logins map[string]time.Time // under LoginDelay
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Logins   int // refused logins until the connection ends; 0: 3
	Faults   int // commands in a row that are none, until it ends; 0: 10
	Messages int // of a maildrop: the first ones are shown; 0: 1,000,000
}

func (l Limits) filled() Limits {
	or := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	or(&l.Logins, 3)
	or(&l.Faults, 10)
	or(&l.Messages, 1_000_000)
	return l
}

var _ server.Handler = (*Handler)(nil)

// Mode is Blocks: messages are read from a store, and a burst of pipelined
// commands is then one hand-over to a runner, not one for each message.
func (h *Handler) Mode() server.Mode { return server.Blocks }

// Open begins a session and greets.
func (h *Handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	h.once.Do(func() {
		h.verbs = verbTable()
		h.cert = auth.ServerCertificate(h.TLS)
	})
	s := &session{h: h, talk: t, limits: h.Limits.filled()}
	s.line = t.R.Limit()
	t.R.SetLimit(max(s.line, auth.MaxResponse))
	welcome := h.Welcome
	if welcome == "" {
		welcome = "POP3 server ready"
	}
	if h.Auth != nil && h.Auth.DigestAllowed() {
		s.stamp = h.timestamp()
		welcome += " " + s.stamp
	}
	s.ok(welcome)
	return s, nil
}

// timestamp is what an APOP is computed from; never the same twice (RFC 1939
// section 7).
func (h *Handler) timestamp() string {
	if h.stamp != nil {
		return h.stamp()
	}
	host := h.Host
	if host == "" {
		host = "farend"
	}
	return "<" + rand.Text() + "@" + host + ">"
}

// session is one client's.
type session struct {
	h      *Handler
	talk   *server.Talk
	limits Limits
	line   int    // limit of a line once AUTH is over
	stamp  string // of the greeting; "": no APOP

	user     string // USER's, while a PASS may follow
	utf8     bool
	sasl     auth.Server // AUTH is under way
	failures int
	faults   int

	drop    Maildrop // nil: nobody is logged in
	all     []Message
	deleted []bool
	fetched []bool // with Expire below 0
	count   int    // not deleted
	size    int64  // of those
	buf     []byte
}

// ok and no write a reply. What fails here fails when it is flushed, too.
func (s *session) ok(text string)       { s.reply(Reply{OK: true, Text: text}) }
func (s *session) no(code, text string) { s.reply(Reply{Code: code, Text: text}) }

func (s *session) reply(r Reply) {
	s.buf = r.Append(s.buf[:0])
	_ = s.talk.W.Line(s.buf)
}

// Turn answers a command, or takes a response of AUTH's.
func (s *session) Turn(ctx context.Context) error {
	line, err := s.talk.R.LooseLine()
	if errors.Is(err, wire.ErrLineTooLong) {
		s.sasl = nil
		return s.fault("Line too long")
	}
	if err != nil {
		return err
	}
	if s.sasl != nil {
		s.talk.Redact(0)
		return s.response(ctx, line)
	}
	c, err := ParseCommand(line)
	if err != nil || strings.IndexByte(c.Arg, '\r') >= 0 {
		return s.fault("Command not understood")
	}
	v := s.h.verbs[c.Verb]
	if v == nil || v.has != nil && !v.has(s) {
		return s.fault("Unknown command")
	}
	if v.secret != nil {
		s.talk.Redact(len(c.Verb) + 1 + v.secret(c.Arg))
	}
	s.faults = 0
	user := s.user
	s.user = ""
	switch {
	case c.Arg == "" && v.args == required:
		s.no("", fmt.Sprintf("Usage: %s %s", c.Verb, v.usage))
		return nil
	case c.Arg != "" && v.args == none:
		s.no("", c.Verb+" takes no argument")
		return nil
	case v.when == authorization && s.drop != nil:
		s.no("", "You are logged in")
		return nil
	case v.when == transaction && s.drop == nil:
		s.no("", "Please log in")
		return nil
	}
	if c.Verb == "PASS" {
		s.user = user
	}
	return v.do(s, ctx, c.Arg)
}

// fault answers what is no command; too many of them are no client.
func (s *session) fault(text string) error {
	s.no("", text)
	if s.faults++; s.faults >= s.limits.Faults {
		s.no("", "This is a POP3 server; closing")
		return io.EOF
	}
	return nil
}

// channel is what logins must know of the connection.
func (s *session) channel() auth.Channel {
	ch := auth.Channel{Peer: s.talk.RemoteAddr(), Certificate: s.h.cert}
	if state, ok := s.talk.TLS(); ok {
		ch.TLS = &state
	}
	return ch
}

// Farewell says that the server stops.
func (s *session) Farewell(context.Context) { s.no(CodeTemporary, "Server is shutting down") }

// Close lets go of the maildrop; nothing is deleted (RFC 1939 section 6).
func (s *session) Close(error) error { return s.release() }

func (s *session) release() error {
	drop := s.drop
	if drop == nil {
		return nil
	}
	s.drop, s.all, s.deleted, s.fetched = nil, nil, nil, nil
	return drop.Close()
}

// top gives of a message its header, and so many lines of what follows.
type top struct {
	r    io.Reader
	left int // lines of the body; below 0: the header is not over
	more int
	bol  bool
	cr   bool
}

func newTop(r io.Reader, lines int) *top { return &top{r: r, left: -1, more: lines, bol: true} }

// Read reads up to the end of the last line that is wanted.
func (t *top) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	n, err := t.r.Read(p)
	for at := 0; at < n; {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			t.ended(p[at:n], false)
			break
		}
		t.ended(p[at:at+i], true)
		at += i + 1
		if t.left == 0 {
			return at, nil
		}
	}
	return n, err
}

// ended counts a line, or notes a piece of one.
func (t *top) ended(piece []byte, line bool) {
	empty := t.bol && len(bytes.TrimSuffix(piece, []byte{'\r'})) == 0 && (len(piece) == 0 || !t.cr)
	switch {
	case !line:
		t.bol, t.cr = empty, len(piece) > 0
	case t.left > 0:
		t.left--
		t.bol, t.cr = true, false
	default:
		if t.bol, t.cr = true, false; empty {
			t.left = t.more
		}
	}
}
