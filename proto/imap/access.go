package imap

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/imap/internal/token"
)

// handshakeLimit bounds a handshake on a running session.
const handshakeLimit = 10 * time.Second

// channel is what logins must know of the connection.
func (s *session) channel() auth.Channel {
	ch := auth.Channel{Peer: s.talk.RemoteAddr()}
	if state, ok := s.talk.TLS(); ok {
		ch.TLS = &state
		ch.Certificate = auth.ServerCertificate(s.h.TLS)
	}
	return ch
}

// mayTLS tells whether STARTTLS is possible.
func (s *session) mayTLS() bool {
	_, already := s.talk.TLS()
	return s.h.TLS != nil && !already
}

// startTLS announces the handshake (RFC 9051 section 6.2.1).
func (s *session) startTLS(context.Context, Command) (Status, error) {
	return Status{Text: "Begin the handshake"}, nil
}

// handshake begins TLS. What came in clear behind STARTTLS ends the talk.
func (s *session) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	return s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS))
}

// login is LOGIN (RFC 9051 section 6.2.3).
func (s *session) login(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	user := l.AString()
	l.SP()
	password := l.AString()
	if err := l.End(); err != nil {
		return Status{}, err
	}
	if s.h.Auth == nil {
		return Status{}, errRefused
	}
	id, err := s.h.Auth.CheckPassword(ctx, user, password, s.channel())
	return s.admit(ctx, id, err)
}

// authenticate is AUTHENTICATE, with an initial response or without (RFC 9051
// section 6.2.2).
func (s *session) authenticate(ctx context.Context, c Command) (Status, error) {
	name, initial, found := strings.Cut(string(c.Args), " ")
	if !token.IsAtom(name) {
		return Status{Kind: BAD, Text: "No mechanism's name"}, nil
	}
	var first []byte
	if found {
		var err error
		if first, err = auth.ParseInitial([]byte(initial)); err != nil {
			return Status{Kind: BAD, Text: "The initial response is not base64"}, nil
		}
	}
	if s.h.Auth == nil {
		return Status{}, errRefused
	}
	mechanism, err := s.h.Auth.Server(name, s.channel())
	if err != nil {
		return s.admit(ctx, auth.Identity{}, err)
	}
	id, err := auth.Converse(ctx, mechanism, first, s.ask)
	return s.admit(ctx, id, err)
}

// ask sends a challenge and reads the answer, which the tap does not hear.
func (s *session) ask(challenge []byte) (response []byte, err error) {
	err = s.talk.Secret(func() error {
		s.write(append(auth.Append([]byte("+ "), challenge), "\r\n"...))
		line, err := s.readLine()
		if err != nil {
			return broken(err)
		}
		response, err = auth.Parse(line)
		return err
	})
	return response, err
}

// What a login that fails is told.
var (
	errRefused  = Status{NO, Code{Name: CodeAuthFailed}, "Login refused"}
	errInClear  = Status{NO, Code{Name: CodePrivacyRequired}, "Not without TLS"}
	errNoMethod = Status{NO, Code{Name: CodeCannot}, "No such mechanism here"}
)

// admit ends a login.
func (s *session) admit(ctx context.Context, id auth.Identity, err error) (Status, error) {
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrRefused):
		if s.failures++; s.failures >= s.limits.Logins {
			return Status{}, Status{Kind: BYE, Text: "Too many refused logins"}
		}
		return Status{}, errRefused
	case errors.Is(err, auth.ErrCancelled):
		return Status{Kind: BAD, Text: "Cancelled"}, nil
	case errors.Is(err, auth.ErrMalformed):
		return Status{Kind: BAD, Text: "Malformed response"}, nil
	case errors.Is(err, auth.ErrClear):
		return Status{}, errInClear
	case errors.Is(err, auth.ErrMechanism):
		return Status{}, errNoMethod
	default:
		return Status{}, err
	}
	account, err := s.h.Backend.Account(ctx, id)
	if err != nil {
		return Status{}, err
	}
	s.account, s.user, s.failures = account, id.Authorization, 0
	s.talk.R.SetLimit(s.limits.Line)
	return Status{Code: s.capability(), Text: "Logged in"}, nil
}

// enable turns extensions on (RFC 9051 section 6.3.1, RFC 6855, RFC 7162). What
// is not known is passed by.
func (s *session) enable(_ context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	var names []string
	for first := true; l.More(); first = false {
		if !first {
			l.SP()
		}
		names = append(names, strings.ToUpper(l.Atom()))
	}
	if err := l.End(); err != nil {
		return Status{}, err
	}
	var enabled []string
	on := func(name string, flags ...*bool) {
		enabled = append(enabled, name)
		for _, f := range flags {
			*f = true
		}
	}
	e := &s.enabled
	for _, name := range unique(names) {
		switch name {
		case "IMAP4REV2":
			on("IMAP4rev2", &e.rev2)
		case "UTF8=ACCEPT":
			on(name, &e.utf8)
		case "CONDSTORE":
			on(name, &e.condstore)
		case "QRESYNC":
			on(name, &e.qresync, &e.condstore)
		}
	}
	s.response("ENABLED", func(b []byte) []byte { return append(b, strings.Join(enabled, " ")...) })
	return Status{}, nil
}

// id exchanges what the programs are (RFC 2971).
func (s *session) id(_ context.Context, c Command) (Status, error) {
	if _, err := ParseID(c.Args); err != nil {
		return Status{}, err
	}
	fields := s.h.ID
	if fields == nil {
		fields = []Param{{"name", "farend"}}
	}
	s.response("ID", func(b []byte) []byte { return AppendID(s.style(), b, fields) })
	return Status{}, nil
}
