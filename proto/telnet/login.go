package telnet

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/farend-go/farend/auth"
)

// login is how far a client has come in.
type login struct {
	name     string // is told, and the password is awaited
	user     string // is in
	done     bool
	hidden   bool
	failures int
}

func (s *session) askName() {
	s.login.name = ""
	s.term.Prompt("login: ")
}

// logIn takes a name, then a password.
func (s *session) logIn(ctx context.Context, line string) error {
	if s.login.name == "" {
		if s.login.name = strings.TrimSpace(line); s.login.name == "" {
			s.askName()
			return nil
		}
		ch := s.channel()
		if !s.h.Auth.PlainAllowed(ch) {
			s.nvt().WriteText("Passwords are not taken in clear; come by TLS.\n")
			return io.EOF
		}
		s.login.hidden = true
		s.term.Hide(true)
		s.term.Prompt("Password: ")
		return nil
	}
	s.term.Hide(false)
	s.login.hidden = false
	id, err := s.h.Auth.CheckPassword(ctx, s.login.name, line, s.channel())
	if err == nil {
		s.login.user, s.login.done = id.Authorization, true
		s.term.prompt = ""
		return s.enter(ctx)
	}
	if !errors.Is(err, auth.ErrRefused) && !errors.Is(err, auth.ErrClear) {
		return err
	}
	s.nvt().WriteText("Login incorrect\n")
	if s.login.failures++; s.login.failures >= s.limits.Logins {
		return io.EOF
	}
	s.askName()
	return nil
}

// channel is what logins must know of the connection.
func (s *session) channel() auth.Channel {
	ch := auth.Channel{Peer: s.talk.RemoteAddr(), Certificate: s.h.Cert}
	if state, ok := s.talk.TLS(); ok {
		ch.TLS = &state
	}
	return ch
}
