package pop3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
)

// handshakeLimit bounds a handshake on a running session.
const handshakeLimit = 10 * time.Second

// maxLogins is how many users' last logins are remembered under LoginDelay.
const maxLogins = 100_000

// user_ begins a login; whatever the name, a password is asked for (RFC 1939
// section 7).
func (s *session) user_(_ context.Context, arg string) error {
	if !hasPlain(s) {
		s.no(CodeAuth, "No plain password without TLS")
		return nil
	}
	s.user = arg
	s.ok("Password, please")
	return nil
}

func (s *session) pass(ctx context.Context, arg string) error {
	user := s.user
	s.user = ""
	if user == "" {
		s.no("", "USER comes first")
		return nil
	}
	who, err := s.h.Auth.CheckPassword(ctx, user, arg, s.channel())
	return s.loggedIn(ctx, who, err)
}

// apopDigest is what proves a password under a time stamp.
func apopDigest(stamp, password string) []byte {
	sum := md5.Sum([]byte(stamp + password))
	return sum[:]
}

func (s *session) apop(ctx context.Context, arg string) error {
	i := strings.LastIndexByte(arg, ' ')
	digest, err := hex.DecodeString(arg[i+1:])
	if i <= 0 || err != nil {
		s.no("", "Usage: APOP name digest")
		return nil
	}
	who, err := s.h.Auth.CheckDigest(ctx, arg[:i], digest, func(password string) []byte { return apopDigest(s.stamp, password) }, s.channel())
	return s.loggedIn(ctx, who, err)
}

// auth_ begins a SASL exchange (RFC 5034 section 4). Without an argument it
// lists the mechanisms, as servers have done since before there was CAPA.
func (s *session) auth_(ctx context.Context, arg string) error {
	if arg == "" {
		s.ok("Mechanisms follow")
		for _, name := range append(s.h.Auth.Mechanisms(s.channel()), ".") {
			if err := s.talk.W.LineString(name); err != nil {
				return err
			}
		}
		return nil
	}
	name, text, given := strings.Cut(arg, " ")
	var initial []byte
	if given {
		var err error
		if initial, err = auth.ParseInitial([]byte(text)); err != nil {
			s.no("", "The initial response is not base64")
			return nil
		}
	}
	sasl, err := s.h.Auth.Server(name, s.channel())
	if err != nil {
		return s.loggedIn(ctx, auth.Identity{}, err)
	}
	return s.exchange(ctx, sasl, initial)
}

// response takes the client's next line. The session waits for it as for a
// command, so that nothing is held meanwhile.
func (s *session) response(ctx context.Context, line []byte) error {
	sasl := s.sasl
	s.sasl = nil
	response, err := auth.Parse(line)
	if err != nil {
		return s.loggedIn(ctx, auth.Identity{}, err)
	}
	return s.exchange(ctx, sasl, response)
}

func (s *session) exchange(ctx context.Context, sasl auth.Server, response []byte) error {
	challenge, done, err := sasl.Next(ctx, response)
	if err != nil || done {
		return s.loggedIn(ctx, sasl.Identity(), err)
	}
	s.sasl = sasl
	if _, err := s.talk.W.WriteString("+ "); err != nil {
		return err
	}
	s.buf = auth.Append(s.buf[:0], challenge)
	return s.talk.Secret(func() error { return s.talk.W.Line(s.buf) }) // who knows it can guess at the password
}

// loggedIn is the end of every login.
func (s *session) loggedIn(ctx context.Context, who auth.Identity, err error) error {
	if err == nil {
		err = s.enter(ctx, who)
	}
	r, told := errors.AsType[Reply](err)
	switch {
	case err == nil:
		s.failures = 0
		s.ok(fmt.Sprintf("maildrop has %d messages (%d octets)", s.count, s.size))
		return nil
	case ctx.Err() != nil:
		return err
	case told:
		s.reply(r)
	case errors.Is(err, auth.ErrClear):
		s.no(CodeAuth, "No plain password without TLS")
	case errors.Is(err, auth.ErrMechanism):
		s.no("", "Unknown mechanism")
	case errors.Is(err, auth.ErrCancelled):
		s.no("", "Cancelled")
	case errors.Is(err, ErrInUse):
		s.no(CodeInUse, "Another session has the maildrop")
	case errors.Is(err, auth.ErrMalformed):
		s.no("", "Malformed response")
		return s.failed()
	case errors.Is(err, auth.ErrRefused):
		s.no(CodeAuth, "Login refused")
		return s.failed()
	default:
		s.no(CodeTemporary, "Cannot log in now")
	}
	return nil
}

// failed counts a login that was refused.
func (s *session) failed() error {
	if s.failures++; s.failures >= s.limits.Logins {
		return io.EOF
	}
	return nil
}

// enter locks and opens the maildrop.
func (s *session) enter(ctx context.Context, who auth.Identity) error {
	if !s.h.mayEnter(who.Authorization, time.Now()) {
		return Reply{Code: CodeLoginDelay, Text: "The last login was a moment ago"}
	}
	drop, err := s.h.Backend.Maildrop(ctx, who)
	if err != nil {
		return err
	}
	s.drop = drop
	if err := s.load(ctx); err != nil {
		return errors.Join(err, s.release())
	}
	s.h.entered(who.Authorization, time.Now())
	s.talk.R.SetLimit(s.line)
	return nil
}

// load notes what is in the maildrop.
func (s *session) load(ctx context.Context) error {
	all, err := s.drop.Messages(ctx)
	if err != nil {
		return err
	}
	s.all = all[:min(len(all), s.limits.Messages)]
	for i, m := range s.all {
		if !validUID(m.UID) || m.Size < 0 {
			return Reply{Code: CodePermanent, Text: fmt.Sprintf("Message %d cannot be listed", i+1)}
		}
	}
	s.deleted = make([]bool, len(s.all))
	if s.h.Expire < 0 {
		s.fetched = make([]bool, len(s.all))
	}
	s.recount()
	return nil
}

func (s *session) recount() {
	s.count, s.size = 0, 0
	for i, m := range s.all {
		if !s.deleted[i] {
			s.count++
			s.size += m.Size
		}
	}
}

// mayEnter tells whether a user's LoginDelay is over.
func (h *Handler) mayEnter(user string, now time.Time) bool {
	if h.LoginDelay <= 0 {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.logins[user]
	return !known || now.Sub(last) >= h.LoginDelay
}

// entered notes a login.
func (h *Handler) entered(user string, now time.Time) {
	if h.LoginDelay <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.logins == nil {
		h.logins = map[string]time.Time{}
	}
	if len(h.logins) >= maxLogins {
		for name, last := range h.logins {
			if now.Sub(last) >= h.LoginDelay {
				delete(h.logins, name)
			}
		}
	}
	h.logins[user] = now
}

func loginDelayCapa(d time.Duration) string {
	return "LOGIN-DELAY " + strconv.Itoa(int((d+time.Second-1)/time.Second))
}

func (h *Handler) expireCapa() string {
	switch {
	case h.Expire < 0:
		return "EXPIRE 0"
	case h.Expire == 0:
		return "EXPIRE NEVER"
	}
	return "EXPIRE " + strconv.Itoa(h.Expire)
}

func (s *session) saslCapa() string {
	names := s.h.Auth.Mechanisms(s.channel())
	if len(names) == 0 {
		return ""
	}
	return "SASL " + strings.Join(names, " ")
}

// stls begins TLS. What came before is forgotten, and what came too early ends
// the talk.
func (s *session) stls(ctx context.Context, _ string) error {
	if s.utf8 { // RFC 6856 section 2.1
		s.no("", "STLS comes before UTF8")
		return nil
	}
	s.ok("Begin the handshake")
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	return s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS))
}
