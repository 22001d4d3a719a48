package ftp

import (
	"context"
	"errors"
	"io"
	"strings"
)

// user_ begins a login (RFC 959 section 4.1.1). Whatever the name, a password
// is asked for.
func (s *session) user_(_ context.Context, arg string) error {
	if s.h.RequireTLS && !s.isSecure() {
		s.reply(530, "Please use AUTH TLS first")
		return nil
	}
	name, err := s.decode(arg)
	if err != nil {
		s.reply(501, "Name cannot be decoded")
		return nil
	}
	s.files, s.cwd, s.needAccount = nil, "/", false
	s.user, s.wanted = name, "PASS"
	s.reply(331, "Password, please")
	return nil
}

func (s *session) pass(ctx context.Context, arg string) error {
	s.password = arg
	s.login(ctx, "")
	return nil
}

// acct says the account that the login wants, or is superfluous.
func (s *session) acct(ctx context.Context, arg string) error {
	switch {
	case s.needAccount:
		s.login(ctx, arg)
	case s.files != nil:
		s.reply(202, "No account needed")
	default:
		s.reply(503, "Bad sequence of commands")
	}
	return nil
}

// login asks the backend, beside the session: it may take its time.
func (s *session) login(ctx context.Context, account string) {
	c := Credentials{User: s.user, Password: s.password, Account: account, Host: s.host, Peer: s.talk.RemoteAddr()}
	if state, ok := s.talk.TLS(); ok {
		c.TLS = &state
		if c.Host == "" {
			c.Host = state.ServerName
		}
	}
	s.begin(ctx, "logging in", func(ctx context.Context, _ *job) func(*session) error {
		files, err := s.h.Backend.Login(ctx, c)
		return func(s *session) error { return s.loggedIn(files, err) }
	})
}

func (s *session) loggedIn(files Files, err error) error {
	s.needAccount = false
	switch {
	case err == nil:
		s.password = ""
		s.files, s.failures = files, 0
		s.reply(230, "Logged in")
		return nil
	case errors.Is(err, ErrAccount):
		s.needAccount = true
		s.reply(332, "Account, please")
		return nil
	case errors.Is(err, ErrLogin):
		s.reply(530, "Login incorrect")
	default:
		s.reply(421, "Cannot log in now")
		return io.EOF
	}
	s.password = ""
	if s.failures++; s.failures >= s.limits.Logins {
		s.reply(421, "Too many failed logins")
		return io.EOF
	}
	return nil
}

// rein begins anew (RFC 959 section 4.1.1), in clear (RFC 4217 section 13).
func (s *session) rein(ctx context.Context, _ string) error {
	if err := s.earlyCommand(); err != nil {
		return err
	}
	secure := s.isSecure()
	s.reset()
	s.reply(220, "Ready for a new user")
	if !secure || s.h.Implicit {
		return nil
	}
	err := s.sec.clear(ctx, s.talk)
	s.sec = nil
	return err
}

// quit_ says goodbye, behind the end of a transfer if one runs.
func (s *session) quit_(context.Context, string) error {
	if s.job != nil {
		s.quit = true
		return nil
	}
	return s.goodbye()
}

// host_ names the virtual host (RFC 7151 section 3).
func (s *session) host_(_ context.Context, arg string) error {
	if s.files != nil || s.user != "" {
		s.reply(503, "HOST comes before USER")
		return nil
	}
	host := strings.TrimSuffix(strings.ToLower(strings.Trim(arg, "[]")), ".")
	if known, ok := s.h.Backend.(Hosts); ok && !known.HasHost(host) {
		s.reply(504, "Unknown host")
		return nil
	}
	if state, ok := s.talk.TLS(); ok && state.ServerName != "" && !strings.EqualFold(state.ServerName, host) {
		s.reply(504, "The certificate was for another host") // RFC 7151 section 3.2.2
		return nil
	}
	s.host = host
	s.reply(220, "Host accepted")
	return nil
}

// auth begins TLS on the control connection (RFC 4217 section 4). Whatever came
// before is forgotten.
func (s *session) auth(ctx context.Context, arg string) error {
	implied := false
	switch strings.ToUpper(arg) {
	case "TLS", "TLS-C":
	case "SSL", "TLS-P": // RFC 4217 appendix A: data is private from the beginning
		implied = true
	default:
		s.reply(504, "TLS only")
		return nil
	}
	if s.sec != nil {
		s.reply(503, "TLS has been negotiated")
		return nil
	}
	if err := s.earlyCommand(); err != nil {
		return err
	}
	s.reply(234, "Begin the handshake")
	if err := s.secure(ctx); err != nil {
		return err
	}
	s.reset()
	s.private = implied
	return nil
}

// pbsz_ has nothing to negotiate under TLS (RFC 4217 section 9).
func (s *session) pbsz_(_ context.Context, _ string) error {
	if s.sec == nil {
		s.reply(503, "AUTH comes first")
		return nil
	}
	s.pbsz = true
	s.reply(200, "PBSZ=0")
	return nil
}

// prot says whether data connections are under TLS.
func (s *session) prot(_ context.Context, arg string) error {
	if s.sec == nil || !s.pbsz {
		s.reply(503, "AUTH and PBSZ come first")
		return nil
	}
	switch strings.ToUpper(arg) {
	case "P":
		s.private = true
	case "C":
		if s.h.RequireTLS {
			s.reply(534, "Data connections must be protected")
			return nil
		}
		s.private = false
	case "S", "E":
		s.reply(536, "C or P")
		return nil
	default:
		s.reply(504, "C or P")
		return nil
	}
	s.reply(200, "Protection is "+strings.ToUpper(arg))
	return nil
}

// ccc ends TLS on the control connection; that of data connections stays
// (RFC 4217 section 12.3).
func (s *session) ccc(ctx context.Context, _ string) error {
	switch {
	case !s.isSecure():
		s.reply(533, "The control connection is in clear")
		return nil
	case s.h.RequireTLS || s.h.Implicit:
		s.reply(534, "The control connection stays protected")
		return nil
	}
	if err := s.earlyCommand(); err != nil {
		return err
	}
	s.reply(200, "Clear now")
	return s.sec.clear(ctx, s.talk)
}
