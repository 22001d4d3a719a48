// Package smtptest is an SMTP server in memory for the tests of whoever sends
// mail: one line starts it, another waits for the message; with faults on demand
// and a transcript when the test fails. It is the heir of the dummy server in
// Python's test_smtplib and of net/http/httptest.
package smtptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/server"
)

// User and Password log in to a Server.
const (
	User     = "user"
	Password = "password"
)

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf and Fatalf.
type TB = servertest.TB

// Options of NewWith. The zero value takes every message for everybody.
type Options struct {
	Kind   smtp.Kind
	TLS    bool                        // from the beginning, as on port 465
	Users  map[string]string           // passwords by name; nil: User with Password, who need not log in
	Rcpt   func(to smtp.Mailbox) error // nil takes a recipient, a smtp.Reply refuses it; nil: all are taken
	Commit func(m Message) error       // is asked before a message is kept (smtp.Results in LMTP); nil: all are
	Faults []faults.Rule               // what connections do, and answers by reply=
	Engine server.Engine               // nil: server.Goroutines()

	Handler func(*smtp.Handler)  // changes the Handler before it serves
	Server  func(*server.Server) // changes the server before it serves
	Address string               // where to listen; "": 127.0.0.1:0
}

// A Server is an SMTP server on the loopback interface. It ends with the test;
// where that has failed, what was said on its connections is in the test's log.
type Server struct {
	Addr  string         // host:port
	URL   string         // smtp://host:port, smtps: with TLS
	Roots *x509.CertPool // trusts its certificate
	PEM   []byte         // the certificate, for programs that take a file

	mail  *Mailroom
	rules *faults.Set
}

// New starts a server that takes every message.
func New(t TB) *Server {
	t.Helper()
	return NewWith(t, Options{})
}

// NewWith starts a server with options.
func NewWith(t TB, o Options) *Server {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("smtptest: %v", err)
	}
	rules := slices.Clone(o.Faults)
	for i := range rules {
		rules[i].Service = "" // there is but one
	}
	s := &Server{Roots: pair.Roots, PEM: pair.PEM, mail: &Mailroom{Rcpt: o.Rcpt, Ask: o.Commit}, rules: faults.NewSet(rules, nil)}
	users := o.Users
	if users == nil {
		users = map[string]string{User: Password}
	}
	accounts := &auth.Users{Secrets: map[string]auth.Secret{}}
	for name, password := range users {
		accounts.Secrets[name] = auth.Clear(password)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
	h := &smtp.Handler{
		Backend: s.mail, Kind: o.Kind, Hostname: "smtptest", TLS: cfg,
		Auth: &auth.Authenticator{Accounts: accounts, Delay: -1}, Anonymous: o.Users == nil, RequireAuth: o.Users != nil,
		Answer: s.answer,
	}
	srv := &server.Server{Handler: h, Engine: o.Engine}
	if o.TLS {
		srv.TLS = cfg
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "SMTP", Faults: rules, Change: o.Server, Address: o.Address}.Serve(t, srv)
	if s.URL = "smtp://" + s.Addr; o.TLS {
		s.URL = "smtps://" + s.Addr
	}
	return s
}

// answer is what a rule with reply= has the server say.
func (s *Server) answer(line string) (string, bool) { return s.rules.Reply("", line) }

// Messages are those that were taken so far, in their order.
func (s *Server) Messages() []Message { return s.mail.Messages() }

// Wait returns the messages when there are n or more, or ctx's error.
func (s *Server) Wait(ctx context.Context, n int) ([]Message, error) { return s.mail.Wait(ctx, n) }

// WaitFor returns the first message that fits, when it is there, or ctx's
// error.
func (s *Server) WaitFor(ctx context.Context, fits func(Message) bool) (Message, error) {
	return s.mail.WaitFor(ctx, fits)
}

// Reset forgets the messages.
func (s *Server) Reset() { s.mail.Reset() }

// Options are those of a Client that trusts the server.
func (s *Server) Options() smtp.Options {
	return smtp.Options{Dialer: dial.Dialer{TLS: &tls.Config{RootCAs: s.Roots}}}
}

// Endpoint is where smtp.Dial finds it; scheme is tcp, starttls, or tls where
// the server's Options say TLS.
func (s *Server) Endpoint(scheme string) string { return scheme + ":" + s.Addr }

// Client dials. It is closed with the test.
func (s *Server) Client(ctx context.Context, t TB, scheme string, o smtp.Options) *smtp.Client {
	t.Helper()
	if o.Dialer.TLS == nil {
		o.Dialer.TLS = s.Options().Dialer.TLS
	}
	c, err := smtp.Dial(ctx, s.Endpoint(scheme), o)
	if err != nil {
		t.Fatalf("smtptest: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("smtptest: %v", err)
		}
	})
	return c
}
