// Package pop3test is a POP3 server in memory for the tests of whoever fetches
// mail: with messages, faults on demand, and a transcript when the test fails.
// It is the heir of the dummy server in Python's test_poplib.
package pop3test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/server"
)

// User and Password log in to a Server, by every mechanism.
const (
	User     = "user"
	Password = "password"
)

// secret is User's: its keys take a while to make.
var secret = sync.OnceValue(func() auth.Secret { return auth.Clear(Password) })

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf and Fatalf.
type TB = servertest.TB

// Options of New. The zero value is an empty maildrop.
type Options struct {
	Messages []string      // User's; line ends may be LF
	Faults   []faults.Rule // on every connection, below TLS
	Engine   server.Engine // nil: server.Goroutines()
	Handler  func(*pop3.Handler)
	Server   func(*server.Server)
	Address  string // where to listen; "": 127.0.0.1:0
	Implicit bool   // TLS from the beginning
}

// A Server is a POP3 server on the loopback interface. It ends with the test.
// Its methods may be called by several goroutines.
type Server struct {
	Addr  string // host:port
	Roots *x509.CertPool

	t     TB
	drops *drops
}

// New starts a server. It lets in User with Password, and knows STLS.
func New(t TB, o Options) *Server {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("pop3test: %v", err)
	}
	s := &Server{t: t, Roots: pair.Roots, drops: newDrops()}
	s.Put(User, o.Messages...)
	cfg := &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
	users := &auth.Users{Secrets: map[string]auth.Secret{User: secret()}}
	h := &pop3.Handler{Backend: s.drops, Auth: &auth.Authenticator{Accounts: users, Delay: -1}, TLS: cfg}
	srv := &server.Server{Handler: h, Engine: o.Engine, Limits: server.Limits{Idle: pop3.Idle}}
	if o.Implicit {
		srv.TLS = cfg
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "POP3", Faults: o.Faults, Change: o.Server, Address: o.Address}.Serve(t, srv)
	return s
}

// Put delivers messages to a user, for the sessions that begin from now on.
// Line ends may be LF.
func (s *Server) Put(user string, messages ...string) { s.drops.put(user, messages) }

// Messages is what a user has, with CRLF as line ends.
func (s *Server) Messages(user string) []string {
	var texts []string
	for _, l := range s.drops.letters(user) {
		texts = append(texts, l.text)
	}
	return texts
}

// UIDs is the unique ids of what a user has.
func (s *Server) UIDs(user string) []string {
	var uids []string
	for _, l := range s.drops.letters(user) {
		uids = append(uids, l.uid)
	}
	return uids
}

// Wait waits until nobody has a user's maildrop: what a session did is done
// then, or never will be. The test fails when ctx ends before.
func (s *Server) Wait(ctx context.Context, user string) {
	s.t.Helper()
	if err := s.drops.wait(ctx, user); err != nil {
		s.t.Fatalf("pop3test: the maildrop of %s is still in use: %v", user, err)
	}
}

// Options are those of a Client that trusts the server.
func (s *Server) Options() pop3.Options {
	var o pop3.Options
	o.Dialer.TLS = &tls.Config{RootCAs: s.Roots}
	return o
}

// Endpoint is where Dial finds it; scheme is tcp, starttls, or tls where the
// server is Implicit.
func (s *Server) Endpoint(scheme string) string { return scheme + ":" + s.Addr }

// Client dials and logs in as User. It is closed with the test.
func (s *Server) Client(ctx context.Context, scheme string) *pop3.Client {
	s.t.Helper()
	c, err := pop3.Dial(ctx, s.Endpoint(scheme), s.Options())
	if err != nil {
		s.t.Fatalf("pop3test: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.Login(ctx, auth.Credentials{User: User, Password: Password}); err != nil {
		s.t.Fatalf("pop3test: %v", err)
	}
	return c
}

// drops is a Backend in memory: everybody who may come in has a maildrop.
type drops struct {
	mu    sync.Mutex
	moved sync.Cond
	mail  map[string][]letter
	open  map[string]bool
	last  int
}

type letter struct{ uid, text string }

func newDrops() *drops {
	d := &drops{mail: map[string][]letter{}, open: map[string]bool{}}
	d.moved.L = &d.mu
	return d
}

func (d *drops) put(user string, messages []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, text := range messages {
		d.last++
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		if !strings.HasSuffix(text, "\r\n") {
			text += "\r\n"
		}
		d.mail[user] = append(d.mail[user], letter{fmt.Sprintf("uid-%d", d.last), text})
	}
}

func (d *drops) letters(user string) []letter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.mail[user])
}

func (d *drops) wait(ctx context.Context, user string) error {
	stop := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.moved.Broadcast()
	})
	defer stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.open[user] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.moved.Wait()
	}
	return nil
}

// Maildrop locks and opens.
func (d *drops) Maildrop(_ context.Context, who auth.Identity) (pop3.Maildrop, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[who.Authorization] {
		return nil, pop3.ErrInUse
	}
	d.open[who.Authorization] = true
	return &drop{d, who.Authorization, slices.Clone(d.mail[who.Authorization])}, nil
}

// drop is a maildrop as it was when a session opened it.
type drop struct {
	d    *drops
	user string
	all  []letter
}

func (m *drop) Messages(context.Context) ([]pop3.Message, error) {
	var all []pop3.Message
	for _, l := range m.all {
		all = append(all, pop3.Message{Size: int64(len(l.text)), UID: l.uid})
	}
	return all, nil
}

func (m *drop) Open(_ context.Context, number int) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(m.all[number-1].text)), nil
}

func (m *drop) Delete(_ context.Context, numbers []int) error {
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	gone := map[string]bool{}
	for _, n := range numbers {
		gone[m.all[n-1].uid] = true
	}
	m.d.mail[m.user] = slices.DeleteFunc(m.d.mail[m.user], func(l letter) bool { return gone[l.uid] })
	return nil
}

func (m *drop) Close() error {
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	delete(m.d.open, m.user)
	m.d.moved.Broadcast()
	return nil
}
