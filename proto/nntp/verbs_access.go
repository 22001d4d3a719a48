package nntp

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/deflate"
)

// handshakeLimit bounds a handshake on a running session.
const handshakeLimit = 10 * time.Second

// hasTLS tells whether STARTTLS is possible now (RFC 4642 section 2.2.2,
// RFC 8054 section 2.2.2).
func (s *session) hasTLS() bool {
	_, secured := s.talk.TLS()
	return s.h.TLS != nil && !secured && !s.compressed && s.user == ""
}

// startTLS begins TLS. What came before is forgotten, and what came too early
// ends the talk.
func (s *session) startTLS(ctx context.Context, _ []string) error {
	if s.h.TLS == nil {
		s.say(502, "TLS is not to be had here")
		return nil
	}
	if !s.hasTLS() {
		s.say(502, "Not now: TLS or compression is active, or you are logged in")
		return nil
	}
	s.say(382, "Begin the handshake")
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	if err := s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS)); err != nil {
		return err
	}
	s.group, s.current, s.asking = "", 0, ""
	s.weigh()
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

// offerLogin says how to log in. It says AUTHINFO without how where TLS has to
// come first, and nothing once somebody is logged in (RFC 4643 section 2.1).
func (s *session) offerLogin(c Capabilities) {
	if s.h.Auth == nil || s.user != "" || s.compressed {
		return
	}
	ch := s.channel()
	var how []string
	if s.h.Auth.PlainAllowed(ch) {
		how = append(how, "USER")
	}
	if names := s.h.Auth.Mechanisms(ch); len(names) > 0 {
		how = append(how, "SASL")
		c["SASL"] = names
	}
	c["AUTHINFO"] = how
}

// mayLogIn says so where a login is not possible.
func (s *session) mayLogIn() bool {
	switch {
	case s.h.Auth == nil:
		s.say(502, "Nobody logs in here")
	case s.user != "":
		s.say(502, "You are logged in")
	case s.compressed:
		s.say(502, "Not under compression")
	default:
		return true
	}
	return false
}

// authUser begins a login; whatever the name, a password is asked for (RFC 4643
// section 2.3).
func (s *session) authUser(_ context.Context, args []string) error {
	if !s.mayLogIn() {
		return nil
	}
	if !s.h.Auth.PlainAllowed(s.channel()) {
		s.say(483, "No plain password without TLS")
		return nil
	}
	s.asking = args[0]
	s.say(381, "Password, please")
	return nil
}

func (s *session) authPass(ctx context.Context, args []string) error {
	user := s.asking
	s.asking = ""
	if !s.mayLogIn() {
		return nil
	}
	if user == "" {
		s.say(482, "AUTHINFO USER comes first")
		return nil
	}
	who, err := s.h.Auth.CheckPassword(ctx, user, args[0], s.channel())
	return s.loggedIn(ctx, who, err)
}

// authSASL begins a SASL exchange (RFC 4643 section 2.4).
func (s *session) authSASL(ctx context.Context, args []string) error {
	if !s.mayLogIn() {
		return nil
	}
	name, text, given := strings.Cut(args[0], " ")
	sasl, err := s.h.Auth.Server(name, s.channel())
	if err != nil {
		return s.loggedIn(ctx, auth.Identity{}, err)
	}
	var initial []byte
	if given {
		if initial, err = auth.ParseInitial([]byte(strings.TrimSpace(text))); err != nil {
			return s.loggedIn(ctx, auth.Identity{}, errBase64)
		}
	}
	return s.exchange(ctx, sasl, initial)
}

// errBase64 is a response that is not base64.
var errBase64 = errors.New("nntp: not base64")

// response takes the client's next line. The session waits for it as for a
// command, so that nothing is held meanwhile.
func (s *session) response(ctx context.Context, line []byte) error {
	sasl := s.sasl
	s.sasl = nil
	response := []byte{}
	if string(line) != "=" {
		var err error
		response, err = auth.Parse(line)
		if errors.Is(err, auth.ErrMalformed) {
			err = errBase64
		}
		if err != nil {
			return s.loggedIn(ctx, auth.Identity{}, err)
		}
	}
	return s.exchange(ctx, sasl, response)
}

func (s *session) exchange(ctx context.Context, sasl auth.Server, response []byte) error {
	challenge, done, err := sasl.Next(ctx, response)
	if err != nil || done {
		return s.loggedIn(ctx, sasl.Identity(), err)
	}
	s.sasl = sasl
	if len(challenge) == 0 {
		return s.talk.W.LineString("383 =")
	}
	if _, err := s.talk.W.WriteString("383 "); err != nil {
		return err
	}
	s.buf = auth.Append(s.buf[:0], challenge)
	return s.talk.Secret(func() error { return s.talk.W.Line(s.buf) }) // who knows it can guess at the password
}

// loggedIn is the end of every login.
func (s *session) loggedIn(ctx context.Context, who auth.Identity, err error) error {
	switch {
	case err == nil:
		s.user, s.failures = who.Authorization, 0
		s.talk.R.SetLimit(s.line)
		s.weigh()
		s.say(281, "Welcome")
		return nil
	case ctx.Err() != nil:
		return err
	case errors.Is(err, auth.ErrClear):
		s.say(483, "No plain password without TLS")
	case errors.Is(err, auth.ErrMechanism):
		s.say(503, "Unknown mechanism")
	case errors.Is(err, errBase64):
		s.say(504, "That is not base64")
	case errors.Is(err, auth.ErrCancelled):
		s.say(481, "Cancelled")
	case errors.Is(err, auth.ErrMalformed):
		s.say(482, "Malformed response")
		return s.failedLogin()
	case errors.Is(err, auth.ErrRefused):
		s.say(481, "Login refused")
		return s.failedLogin()
	default:
		s.log("logging in", err)
		s.say(403, "Nobody can log in now")
	}
	return nil
}

// failedLogin counts a login that was refused.
func (s *session) failedLogin() error {
	if s.failures++; s.failures >= s.limits.Logins {
		return io.EOF
	}
	return nil
}

// compress begins compression (RFC 8054 section 2.2).
func (s *session) compress(ctx context.Context, args []string) error {
	switch {
	case s.compressed:
		s.say(502, "Compression is active already")
		return nil
	case !strings.EqualFold(args[0], "DEFLATE"):
		s.say(503, "DEFLATE only")
		return nil
	}
	s.say(206, "Compression active")
	s.compressed = true
	return s.talk.Upgrade(ctx, func(below net.Conn) (net.Conn, error) { return deflate.New(below), nil })
}
