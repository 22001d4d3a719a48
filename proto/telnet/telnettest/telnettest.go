// Package telnettest is a Telnet server for the tests of whoever writes a
// Telnet client: a shell of the test's own on a loopback port, with faults on
// demand, and a transcript when the test fails. It is the heir of the server
// in Python's test_telnetlib.
package telnettest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// User and Password log in to a Server with Options.Login.
const (
	User     = "user"
	Password = "password"
)

// secret is User's: its keys take a while to make.
var secret = sync.OnceValue(func() auth.Secret { return auth.Clear(Password) })

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf and Fatalf.
type TB = servertest.TB

// Options of New. The zero value serves in clear, without a login.
type Options struct {
	Login    bool          // User and Password are asked for
	StartTLS bool          // START_TLS is asked for
	Implicit bool          // TLS from the beginning
	Faults   []faults.Rule // on every connection, below TLS
	Engine   server.Engine // nil: server.Goroutines()
	Handler  func(*telnet.Handler)
	Server   func(*server.Server)
}

// Answer is a shell: line is what was typed, and what it gives is said. ok is
// false to hang up after that.
type Answer func(t *telnet.Terminal, line string) (said string, ok bool)

// Line is telnet.Shell's.
func (a Answer) Line(_ context.Context, t *telnet.Terminal, line string) error {
	said, ok := a(t, line)
	t.Printf("%s", said)
	if !ok {
		return io.EOF
	}
	t.Prompt(Prompt)
	return nil
}

// Prompt is what a Server says when it wants a line.
const Prompt = "% "

// A Server is a Telnet server on the loopback interface. It ends with the test.
type Server struct {
	Addr  string // host:port
	Roots *x509.CertPool

	o Options
	t TB
}

// New starts a server that answers lines with a.
func New(t TB, a Answer, o Options) *Server {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("telnettest: %v", err)
	}
	s := &Server{t: t, o: o, Roots: pair.Roots}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
	h := &telnet.Handler{Shell: func(_ context.Context, t *telnet.Terminal) (telnet.Shell, error) {
		t.Prompt(Prompt)
		return a, nil
	}}
	if o.Login {
		users := &auth.Users{Secrets: map[string]auth.Secret{User: secret()}}
		h.Auth = &auth.Authenticator{Accounts: users, Delay: -1}
	}
	if o.StartTLS {
		h.TLS = cfg
	}
	srv := &server.Server{Handler: h, Engine: o.Engine}
	if o.Implicit {
		srv.TLS = cfg
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "Telnet", Faults: o.Faults, Change: o.Server}.Serve(t, srv)
	return s
}

// Endpoint is where telnet.Dial finds it.
func (s *Server) Endpoint() string {
	if s.o.Implicit {
		return "tls:" + s.Addr
	}
	return "tcp:" + s.Addr
}

// Client connects with o, trusting the server. The Client is closed with the
// test.
func (s *Server) Client(ctx context.Context, o telnet.ClientOptions) *telnet.Client {
	s.t.Helper()
	o.Dialer.TLS = &tls.Config{RootCAs: s.Roots}
	c, err := telnet.Dial(ctx, s.Endpoint(), o)
	if err != nil {
		s.t.Fatalf("telnettest: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}
