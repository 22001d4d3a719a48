package nntp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// Idle is how long a session may say nothing: RFC 3977 section 3.1 wants three
// minutes at least. It is for server.Limits.
const Idle = 10 * time.Minute

// A Handler serves NNTP. Its fields are set before it serves and not changed
// afterwards; one Handler may serve any number of listeners.
type Handler struct {
	Backend Backend
	Auth    *auth.Authenticator // who may log in; nil: nobody, and there is no AUTHINFO
	// Access says what a client may do; nil: everybody reads, and where the
	// Backend is a Poster whoever is logged in posts and feeds, or everybody
	// where Auth is nil. It is asked again when somebody has logged in.
	Access func(Peer) Rights

	Welcome string // text of the greeting; "": "NNTP server ready"
	Host    string // our name in Path and Injection-Info, and in identifiers that are made; "": localhost
	// Lists are further variants of LIST, in upper case, and their lines:
	// SUBSCRIPTIONS, MOTD, DISTRIB.PATS, DISTRIBUTIONS, MODERATORS (RFC 3977
	// section 7.6, RFC 6048 section 2).
	Lists map[string][]string

	// TLS makes STARTTLS possible. Where the server speaks TLS from the
	// beginning it is the same configuration, so that logins can be bound to its
	// certificate.
	TLS *tls.Config
	// Implementation is what CAPABILITIES says of us; "": farend. "-": nothing.
	Implementation string
	// Answer, if not nil, is asked for each command, and its answer is given
	// instead of ours: for tests of clients.
	Answer func(line string) (reply string, ok bool)
	Log    *slog.Logger // hears of a Backend's faults, which clients are not told; nil: silent

	Limits Limits

	once  sync.Once
	verbs map[string]*verb
	cert  *x509.Certificate
	now   func() time.Time // nil: time.Now
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Article int64 // octets of an article that is sent to us; 0: 64 MiB
	Logins  int   // refused logins until the connection ends; 0: 3
	Faults  int   // commands in a row that are none, until it ends; 0: 20
}

func (l Limits) filled() Limits {
	if l.Article == 0 {
		l.Article = 64 << 20
	}
	if l.Logins == 0 {
		l.Logins = 3
	}
	if l.Faults == 0 {
		l.Faults = 20
	}
	return l
}

// A Peer is a client, as far as is known.
type Peer struct {
	User string   // who has logged in; "": nobody
	TLS  bool     // what it says is private
	Addr net.Addr // nil: unknown
	Talk uint64   // the number of its connection
}

// host is where the peer is, as Path and Injection-Info have it.
func (p Peer) host() string {
	if p.Addr == nil {
		return "localhost"
	}
	host, _, err := net.SplitHostPort(p.Addr.String())
	if err != nil || host == "" {
		return "localhost"
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}

// Rights are what a client may do.
type Rights struct {
	Read    bool
	Post    bool // POST
	Feed    bool // IHAVE, CHECK, TAKETHIS
	Approve bool // post with an Approved field, to moderated groups
}

var _ server.Handler = (*Handler)(nil)

// Mode is Blocks: articles are read from a store, and a burst of pipelined
// commands is then one hand-over to a runner, not one for each article.
func (h *Handler) Mode() server.Mode { return server.Blocks }

// Open begins a session and greets.
func (h *Handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	h.once.Do(func() {
		h.verbs = verbTable()
		h.cert = auth.ServerCertificate(h.TLS)
	})
	s := &session{h: h, talk: t, limits: h.Limits.filled(), line: t.R.Limit()}
	t.R.SetLimit(max(s.line, auth.MaxResponse))
	s.weigh()
	s.greet(h.welcome())
	return s, nil
}

func (h *Handler) welcome() string {
	if h.Welcome == "" {
		return "NNTP server ready"
	}
	return h.Welcome
}

func (h *Handler) host() string {
	if h.Host == "" {
		return "localhost"
	}
	return h.Host
}

func (h *Handler) time() time.Time {
	if h.now == nil {
		return time.Now()
	}
	return h.now()
}

func (h *Handler) poster() Poster {
	p, _ := h.Backend.(Poster)
	return p
}

// session is one client's.
type session struct {
	h      *Handler
	talk   *server.Talk
	limits Limits
	line   int // limit of a line once nobody logs in any more
	peer   Peer
	from   string // peer.host()
	rights Rights

	user       string // who has logged in
	asking     string // AUTHINFO USER's, while a PASS may follow
	sasl       auth.Server
	failures   int
	faults     int
	compressed bool

	group    string // selected; "": none
	current  int64  // the current article's number; 0: none
	flight   []flown
	promised map[string]bool // what CHECK was answered 238 for, and has not come
	streams  bool            // there was a flight of several articles
	buf      []byte
}

// weigh asks anew who the client is, and what he may do.
func (s *session) weigh() {
	_, private := s.talk.TLS()
	s.peer = Peer{User: s.user, TLS: private, Addr: s.talk.RemoteAddr(), Talk: s.talk.ID()}
	s.from = s.peer.host()
	may := s.h.Auth == nil || s.user != ""
	s.rights = Rights{Read: true, Post: may, Feed: may}
	if s.h.Access != nil {
		s.rights = s.h.Access(s.peer)
	}
	if s.h.poster() == nil {
		s.rights.Post, s.rights.Feed = false, false
	}
}

// say writes a reply. What fails here fails when it is flushed, too.
func (s *session) say(code int, text string) {
	s.buf = Reply{code, text}.Append(s.buf[:0])
	_ = s.talk.W.Line(s.buf)
}

// greet is the first reply, and that of MODE READER (RFC 3977 section 5.1).
func (s *session) greet(text string) {
	if s.mayPost() {
		s.say(200, text+", posting allowed")
		return
	}
	s.say(201, text+", posting prohibited")
}

// mayPost tells whether POST can go well, perhaps after a login.
func (s *session) mayPost() bool { return s.rights.Post || s.h.poster() != nil && s.canLogIn() }

// canLogIn tells whether a login may change what the client may do.
func (s *session) canLogIn() bool { return s.h.Auth != nil && s.user == "" && !s.compressed }

// Turn answers a command, or takes a response of AUTHINFO SASL's.
func (s *session) Turn(ctx context.Context) error {
	line, err := s.talk.R.LooseLine()
	if errors.Is(err, wire.ErrLineTooLong) {
		s.sasl = nil
		return s.fault(501, "Line too long")
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
		return s.fault(500, "Command not understood")
	}
	v, arg, subKnown := s.find(c)
	if v != nil && v.secret {
		s.talk.Redact(len(line) - len(arg))
	}
	switch {
	case v == nil:
		return s.fault(500, "Unknown command")
	case !subKnown:
		return s.fault(501, "Unknown variant of "+c.Verb)
	}
	if s.answered(c, v) {
		return nil
	}
	asking := s.asking
	s.asking = ""
	args := strings.Fields(arg)
	if v.secret && arg != "" { // a password may have blanks
		args, s.asking = []string{arg}, asking
	}
	if len(args) < v.min || len(args) > v.max {
		s.faults = 0
		s.say(501, strings.TrimSpace("Usage: "+v.name+" "+v.usage))
		return nil
	}
	s.faults = 0
	if !s.allowed(v) {
		return nil
	}
	return v.do(s, ctx, args)
}

// answered gives the answer of Handler.Answer, if there is one.
func (s *session) answered(c Command, v *verb) bool {
	if s.h.Answer == nil {
		return false
	}
	text, ok := s.h.Answer(c.String())
	if !ok {
		return false
	}
	if v.takes { // the article is under way
		s.talk.R.Block()
	}
	_ = s.talk.W.LineString(text) // what fails here fails when it is flushed, too
	return true
}

// find looks a command up, one with a second word first. rest is what is behind
// its name; sub is false where the second word is none that is known.
func (s *session) find(c Command) (v *verb, rest string, sub bool) {
	v = s.h.verbs[c.Verb]
	if v == nil || !v.variants {
		return v, c.Arg, true
	}
	word, rest := c.Arg, ""
	if i := strings.IndexAny(c.Arg, " \t"); i >= 0 {
		word, rest = c.Arg[:i], strings.TrimLeft(c.Arg[i:], " \t")
	}
	if word == "" && v.do != nil {
		return v, "", true
	}
	if of := s.h.verbs[c.Verb+" "+strings.ToUpper(word)]; of != nil {
		return of, rest, true
	}
	return v, c.Arg, false
}

// allowed tells whether the client may say that, and says so where he may not.
func (s *session) allowed(v *verb) bool {
	ok := true
	switch v.need {
	case reader:
		ok = s.rights.Read
	case poster:
		ok = s.rights.Post
	case feeder:
		ok = s.rights.Feed
	}
	if ok {
		return true
	}
	code, text := 502, "Not permitted"
	switch {
	case s.h.poster() == nil && v.need != reader:
		if v.need == poster {
			code, text = 440, "Posting not permitted"
		}
	case s.canLogIn() && len(s.h.Auth.Mechanisms(s.channel())) == 0 && !s.h.Auth.PlainAllowed(s.channel()):
		code, text = 483, "STARTTLS and a login are needed"
	case s.canLogIn():
		code, text = 480, "A login is needed"
	case v.need == poster:
		code, text = 440, "Posting not permitted"
	}
	if v.takes { // the article is under way
		s.talk.R.Block()
	}
	s.say(code, text)
	return false
}

// fault answers what is no command; too many of them are no client.
func (s *session) fault(code int, text string) error {
	s.say(code, text)
	if s.faults++; s.faults >= s.limits.Faults {
		s.say(400, "This is an NNTP server; closing")
		return io.EOF
	}
	return nil
}

// failed answers for a Backend's error.
func (s *session) failed(ctx context.Context, what string, err error) error {
	r, told := errors.AsType[Reply](err)
	switch {
	case ctx.Err() != nil:
		return err
	case told:
		s.say(r.Code, r.Text)
	case errors.Is(err, ErrNoGroup):
		s.say(411, "No such newsgroup")
	default:
		s.log(what, err)
		s.say(403, "That cannot be done now")
	}
	return nil
}

func (s *session) log(what string, err error) {
	if s.h.Log != nil {
		s.h.Log.Error("nntp: "+what, "talk", s.talk.ID(), "error", err)
	}
}

// row writes a line of a listing.
func (s *session) row(line []byte) error {
	if len(line) > 0 && line[0] == '.' {
		if _, err := s.talk.W.WriteString("."); err != nil {
			return err
		}
	}
	return s.talk.W.Line(line)
}

// rows are written one after the other; a long listing that gets on is not one
// Turn's time.
func (s *session) paced(n int) {
	if n%1024 == 1023 {
		s.talk.Progress()
	}
}

func (s *session) dot() error { return s.talk.W.LineString(".") }

// cut ends a listing that cannot be finished: a good end would pass for all of
// it.
func (s *session) cut(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		s.log(what, err)
	}
	s.talk.Cut()
	return err
}

// Farewell says that the server stops.
func (s *session) Farewell(context.Context) { s.say(400, "Server is shutting down") }

// Close says why where it is the client who was too slow. Of a flight that did
// not land nothing was acknowledged, and nothing is kept.
func (s *session) Close(why error) error {
	for _, f := range s.flight {
		if f.draft != nil {
			s.lay(f.draft)
		}
	}
	if errors.Is(why, server.ErrIdle) {
		s.say(400, "Idle for too long")
	}
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
