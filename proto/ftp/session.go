package ftp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

// A Handler serves FTP. Its fields are set before it serves and not changed
// afterwards; one Handler may serve any number of listeners, and those that
// share passive ports must.
type Handler struct {
	Backend Backend
	Welcome string // text of the greeting; "": "FTP server ready"

	// TLS makes AUTH TLS possible; with Implicit every connection begins with
	// the handshake (port 990). The server's own TLS field stays nil, or data
	// connections cannot be bound to their session.
	TLS      *tls.Config
	Implicit bool
	// RequireTLS lets nobody in in clear, nor transfers with PROT C.
	RequireTLS bool
	// RequireReuse refuses a data connection that does not resume the TLS
	// session of its control connection (522).
	RequireReuse bool

	Ports PortRange // of passive data connections
	// Advertise is the address that PASV tells, or a name for it: the outer one
	// of a NAT or a container's host. "" and "auto": the address to which the
	// client has connected.
	Advertise string
	Names     Names // of clients that have not said OPTS UTF8 ON

	Limits Limits
	// Layer wraps every data connection, below TLS; control is nil on the
	// events engine. For faults, counters, limits of rate. nil: none.
	Layer func(control, data net.Conn) net.Conn

	ports passive
	once  sync.Once
	verbs map[string]*verb
}

// Limits of a Handler. The zero value of each field is a limit too.
type Limits struct {
	Logins  int           // refused logins until the connection ends; 0: 3
	Faults  int           // commands in a row that are none, until it ends; 0: 10
	Entries int           // of one listing, what lies below included (-R); 0: 100,000
	Depth   int           // of LIST -R; 0: 32
	Open    time.Duration // until a data connection stands; 0: 60 s
	Stall   time.Duration // a data connection on which nothing moves; 0: 5 min
}

func (l Limits) filled() Limits {
	or := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	or(&l.Logins, 3)
	or(&l.Faults, 10)
	or(&l.Entries, 100_000)
	or(&l.Depth, 32)
	if l.Open == 0 {
		l.Open = time.Minute
	}
	if l.Stall == 0 {
		l.Stall = 5 * time.Minute
	}
	return l
}

var (
	_ server.Handler  = (*Handler)(nil)
	_ server.Prompter = (*session)(nil)
)

// Mode is Blocks: commands look at files.
func (h *Handler) Mode() server.Mode { return server.Blocks }

// Open begins a session and greets.
func (h *Handler) Open(ctx context.Context, t *server.Talk) (server.Session, error) {
	h.once.Do(func() { h.verbs = verbTable() })
	s := &session{h: h, talk: t, limits: h.Limits.filled()}
	s.local, s.peer = addrOf(t.LocalAddr()), addrOf(t.RemoteAddr())
	s.reset()
	if h.Implicit && h.TLS != nil {
		if err := s.secure(ctx); err != nil {
			return nil, err
		}
		s.private = true // implicit clients say PROT P all the same, or not
	}
	welcome := h.Welcome
	if welcome == "" {
		welcome = "FTP server ready"
	}
	s.reply(220, welcome)
	h.ports.enter()
	return s, nil
}

// session is one client's. Only its Turns and Pushes touch it; a job has its
// own values.
type session struct {
	h           *Handler
	talk        *server.Talk
	limits      Limits
	local, peer netip.Addr

	user, password string
	host           string
	wanted         string // the verb that must come next: PASS, ACCT, RNTO; "": any
	needAccount    bool
	files          Files // nil: nobody is logged in
	failures       int
	faults         int

	cwd       string // absolute and clean
	from      string // RNFR's name
	offset    int64  // REST
	announced int64  // ALLO
	ascii     bool
	utf8      bool
	facts     factSet
	hash      string
	data      dataPlan
	epsvAll   bool

	sec     *secured // nil: in clear from the beginning
	pbsz    bool
	private bool // PROT P

	prompt bool // a Prompt runs
	job    *job
	begun  func()    // a job that Push is to run
	queue  []Command // came while the job ran
	quit   bool      // QUIT came while the job ran
	skipLF bool      // the LF of an ABOR that was taken without it may come
}

// maxQueue is how many commands may wait for a job's end; then nothing more is
// read.
const maxQueue = 32

// reset is how a session begins (RFC 959 REIN, RFC 4217 section 4).
func (s *session) reset() {
	s.dropData()
	s.user, s.password, s.wanted, s.files, s.needAccount = "", "", "", nil, false
	s.cwd, s.from, s.offset, s.announced = "/", "", 0, 0
	s.ascii, s.utf8, s.facts, s.hash = true, false, allFacts, "SHA-256"
	s.epsvAll, s.pbsz, s.private = false, false, false
}

// reply writes a reply. What fails here fails when it is flushed, too.
func (s *session) reply(code int, lines ...string) {
	_, _ = s.talk.W.Write(Reply{code, lines}.Append(nil))
}

func (s *session) replyf(code int, format string, args ...any) {
	s.reply(code, fmt.Sprintf(format, args...))
}

// Complete is content with a line, and with an ABOR whose line end was cut off:
// a client that sends its line as urgent data (Python's ftplib) loses the last
// byte of it to the system.
func (s *session) Complete(buf []byte) int {
	if bytes.IndexByte(buf, '\n') >= 0 || isUrgentAbort(buf) {
		return 0
	}
	return 1
}

func isUrgentAbort(b []byte) bool {
	return len(b) <= 12 && bytes.HasSuffix(b, []byte("\r")) && strings.EqualFold(string(untelnet(b[:len(b)-1])), "ABOR")
}

// line reads a command's line; nil when there was but the rest of one.
func (s *session) line() ([]byte, error) {
	r := &s.talk.R
	if s.skipLF && r.Buffered() > 0 {
		s.skipLF = false
		if r.Peek()[0] == '\n' {
			return nil, r.Discard(1)
		}
	}
	for {
		b := r.Peek()
		if bytes.IndexByte(b, '\n') >= 0 || len(b) >= r.Limit() {
			return r.LooseLine()
		}
		if isUrgentAbort(b) {
			s.skipLF = true
			return []byte("ABOR"), r.Discard(int64(len(b)))
		}
		if err := r.Fill(); err != nil {
			return nil, err
		}
	}
}

// Turn answers a command.
func (s *session) Turn(ctx context.Context) error {
	line, err := s.line()
	if errors.Is(err, wire.ErrLineTooLong) {
		return s.fault("Line too long")
	}
	if err != nil || line == nil {
		return err
	}
	c, err := ParseCommand(bytes.TrimSuffix(line, []byte("\r")))
	if err != nil || strings.ContainsAny(c.Arg, "\r\n") {
		return s.fault("Command not understood")
	}
	v := s.h.verbs[c.Verb]
	if v != nil && v.secret {
		s.talk.Redact(len(c.Verb) + 1)
	}
	if s.job == nil || v != nil && v.interrupts {
		return s.take(ctx, c)
	}
	if len(s.queue) >= maxQueue {
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	if s.job == nil {
		return s.take(ctx, c)
	}
	s.queue = append(s.queue, c)
	return nil
}

// Prompt answers what waits for nothing.
func (s *session) Prompt(ctx context.Context) error {
	if s.job != nil {
		return wire.ErrWait
	}
	line, err := s.line()
	if errors.Is(err, wire.ErrLineTooLong) { // it is gone: no Turn would meet it again
		return s.fault("Line too long")
	}
	if err != nil || line == nil {
		return err
	}
	c, err := ParseCommand(bytes.TrimSuffix(line, []byte("\r")))
	if v := s.h.verbs[c.Verb]; err != nil || v == nil || !v.prompt || strings.ContainsAny(c.Arg, "\r\n") {
		return wire.ErrWait
	}
	s.prompt = true
	err = s.take(ctx, c)
	s.prompt = false
	return err
}

// fault answers what is no command; too many of them are no client.
func (s *session) fault(text string) error {
	s.reply(500, text)
	if s.faults++; s.faults >= s.limits.Faults {
		s.reply(421, "This is an FTP server; closing")
		return io.EOF
	}
	return nil
}

// take carries a command out.
func (s *session) take(ctx context.Context, c Command) error {
	v := s.h.verbs[c.Verb]
	if v == nil || v.has != nil && !v.has(s) {
		if v != nil || knownVerb(c.Verb) {
			s.replyf(502, "%s is not implemented", c.Verb)
			return nil
		}
		return s.fault("Unknown command")
	}
	s.faults = 0
	wanted := s.wanted
	if !v.interrupts && c.Verb != "NOOP" {
		s.wanted = ""
	}
	switch {
	case c.Arg == "" && v.args == required:
		s.replyf(501, "Usage: %s %s", c.Verb, v.usage)
		return nil
	case c.Arg != "" && v.args == none:
		s.replyf(501, "%s takes no argument", c.Verb)
		return nil
	case v.after != "" && wanted != v.after:
		s.reply(503, "Bad sequence of commands")
		return nil
	case v.when == loggedIn && s.files == nil:
		s.reply(530, "Please log in with USER and PASS")
		return nil
	}
	err := v.do(s, ctx, c.Arg)
	if err != wire.ErrWait && c.Verb != "REST" && !v.interrupts && !v.keeps { // RFC 3659 section 5.3: REST is for the next command
		s.offset = 0
	}
	return err
}

// Push says how a job ended.
func (s *session) Push(ctx context.Context) error {
	s.launch()
	if s.job == nil || !s.job.over() {
		return nil
	}
	return s.settle(ctx)
}

// launch starts a job that a Prompt has begun.
func (s *session) launch() {
	if s.begun != nil {
		go s.begun()
		s.begun = nil
	}
}

// settle waits for the end of a job, answers, and carries out what waited for
// it.
func (s *session) settle(ctx context.Context) error {
	s.launch()
	for s.job != nil {
		j := s.job
		<-j.done // it ends with the server's context at the latest
		s.job = nil
		if err := j.settle(s); err != nil {
			return err
		}
		if s.quit {
			return s.goodbye()
		}
		for s.job == nil && len(s.queue) > 0 {
			c := s.queue[0]
			if s.queue = s.queue[1:]; len(s.queue) == 0 {
				s.queue = nil
			}
			if err := s.take(ctx, c); err != nil {
				return err
			}
		}
		if s.job != nil && !s.job.over() {
			break
		}
	}
	return nil
}

func (s *session) goodbye() error {
	s.reply(221, "Goodbye")
	return io.EOF
}

// Farewell lets a transfer come to its end, as long as there is time.
func (s *session) Farewell(context.Context) {
	s.launch()
	if j := s.job; j != nil {
		<-j.done
		s.job = nil
		_ = j.settle(s) // the talk ends anyway
	}
	s.reply(421, "Server is shutting down")
}

// Close ends what runs.
func (s *session) Close(why error) error {
	s.launch()
	if s.job != nil {
		s.job.cancel()
		<-s.job.done
	}
	s.dropData()
	s.h.ports.leave()
	if errors.Is(why, server.ErrIdle) {
		s.reply(421, "No command for too long")
	}
	return nil
}

// dropData forgets how the next data connection was to come about.
func (s *session) dropData() {
	if s.data != nil {
		s.data.release()
		s.data = nil
	}
}

// secure shakes hands on the control connection.
func (s *session) secure(ctx context.Context) error {
	sec := newSecured(s.h.TLS)
	err := sec.shake(ctx, s.talk, func(nc net.Conn) *tls.Conn { return tls.Server(nc, sec.control()) })
	if err != nil {
		return err
	}
	s.sec = sec
	return nil
}

// isSecure tells whether the control connection is under TLS now.
func (s *session) isSecure() bool { return s.sec != nil && s.sec.conn != nil }

// earlyCommand tells of commands that came in clear before a handshake.
func (s *session) earlyCommand() error {
	if len(s.queue) > 0 {
		return conv.ErrEarly
	}
	return nil
}
