// Package imaptest is an IMAP server in memory for the tests of whoever reads
// mail: with messages, faults on demand, and a transcript when the test fails.
// It is the heir of the servers in Python's test_imaplib.
package imaptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store/memstore"
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

// Options of New. The zero value is an empty INBOX.
type Options struct {
	Messages []string      // User's INBOX; line ends may be LF
	Faults   []faults.Rule // on every connection, below TLS
	Engine   server.Engine // nil: server.Goroutines()
	Handler  func(*imap.Handler)
	Server   func(*server.Server)
	Address  string // where to listen; "": 127.0.0.1:0
	Implicit bool   // TLS from the beginning
}

// A Server is an IMAP server on the loopback interface. It ends with the test.
// Its methods may be called by several goroutines.
type Server struct {
	Addr  string // host:port
	Roots *x509.CertPool
	// Store is what it serves.
	Store *mailbox.Store

	t       TB
	account imap.Account
}

// New starts a server. It lets in User with Password, and knows STARTTLS.
func New(t TB, o Options) *Server {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	engine := memstore.New(memstore.Options{})
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Logf("imaptest: %v", err)
		}
	})
	s := &Server{t: t, Roots: pair.Roots, Store: mailbox.New(engine, mailbox.Options{AnyAccount: true})}
	post := &mail.Post{Store: s.Store, Directory: mail.Directory{Users: []string{User}}}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
	users := &auth.Users{Secrets: map[string]auth.Secret{User: secret()}}
	h := &imap.Handler{Backend: post.IMAP(), Auth: &auth.Authenticator{Accounts: users, Delay: -1}, TLS: cfg}
	if s.account, err = h.Backend.Account(context.Background(), auth.Identity{Authentication: User, Authorization: User}); err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	s.Put("INBOX", o.Messages...)
	srv := &server.Server{Handler: h, Engine: o.Engine}
	if o.Implicit {
		srv.TLS, h.TLS = cfg, nil
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "IMAP", Faults: o.Faults, Change: o.Server, Address: o.Address}.Serve(t, srv)
	return s
}

// Put adds messages to a mailbox of User's, which is made if it is not there.
// Line ends may be LF.
func (s *Server) Put(mailbox string, messages ...string) {
	s.t.Helper()
	ctx := context.Background()
	for _, text := range messages {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		to, err := s.account.Append(ctx, mailbox)
		if err != nil {
			if _, err = s.account.Create(ctx, mailbox, nil); err == nil {
				to, err = s.account.Append(ctx, mailbox)
			}
		}
		if err != nil {
			s.t.Fatalf("imaptest: %s: %v", mailbox, err)
		}
		if err = to.Add(ctx, imap.NewMessage{Size: int64(len(text))}, strings.NewReader(text)); err == nil {
			_, err = to.Commit(ctx)
		}
		to.Close()
		if err != nil {
			s.t.Fatalf("imaptest: %s: %v", mailbox, err)
		}
	}
}

// Messages is what a mailbox of User's has, with CRLF as line ends.
func (s *Server) Messages(mailbox string) []string {
	s.t.Helper()
	ctx := context.Background()
	box, err := s.account.Open(ctx, mailbox, true)
	if err != nil {
		s.t.Fatalf("imaptest: %s: %v", mailbox, err)
	}
	defer box.Close()
	st, err := box.State(ctx)
	if err != nil {
		s.t.Fatalf("imaptest: %s: %v", mailbox, err)
	}
	var texts []string
	for uid := range st.UIDs.All() {
		text, err := read(ctx, box, uid)
		if err != nil {
			s.t.Fatalf("imaptest: %s, message %d: %v", mailbox, uid, err)
		}
		texts = append(texts, text)
	}
	return texts
}

func read(ctx context.Context, box imap.Mailbox, uid uint32) (string, error) {
	m, err := box.Message(ctx, uid)
	if err != nil {
		return "", err
	}
	defer m.Close()
	text, err := io.ReadAll(io.NewSectionReader(m, 0, 1<<62))
	return string(text), err
}

// Wait waits until a mailbox of User's has at least n messages, and gives them.
// The test fails when ctx ends before.
func (s *Server) Wait(ctx context.Context, mailbox string, n int) []string {
	s.t.Helper()
	changed := make(chan struct{}, 1)
	watcher, ok := s.account.(imap.AccountWatcher)
	if !ok {
		s.t.Fatalf("imaptest: the account tells of no changes")
	}
	stop := watcher.WatchAccount(func(string) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer stop()
	for {
		if texts := s.Messages(mailbox); len(texts) >= n {
			return texts
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatalf("imaptest: %s has no %d messages: %v", mailbox, n, ctx.Err())
			return nil
		}
	}
}

// Options are those of a Client that trusts the server.
func (s *Server) Options() imap.Options {
	var o imap.Options
	o.Dialer.TLS = &tls.Config{RootCAs: s.Roots}
	return o
}

// Endpoint is where Dial finds it; scheme is tcp, starttls, or tls where the
// server is Implicit.
func (s *Server) Endpoint(scheme string) string { return scheme + ":" + s.Addr }

// Client dials and logs in as User. It is closed with the test.
func (s *Server) Client(ctx context.Context, scheme string) *imap.Client {
	s.t.Helper()
	c, err := imap.Dial(ctx, s.Endpoint(scheme), s.Options())
	if err != nil {
		s.t.Fatalf("imaptest: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.Login(ctx, auth.Credentials{User: User, Password: Password}); err != nil {
		s.t.Fatalf("imaptest: %v", err)
	}
	return c
}
