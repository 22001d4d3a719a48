// Package nntptest is a news server in memory for the tests of whoever reads or
// posts news: with groups, articles, faults on demand, and a transcript when the
// test fails. It is the heir of the handlers in Python's test_nntplib.
package nntptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/memstore"
)

// User and Password log in to a Server, by every mechanism. Group is there where
// no groups are asked for.
const (
	User     = "user"
	Password = "password"
	Group    = "local.test"
)

// secret is User's: its keys take a while to make.
var secret = sync.OnceValue(func() auth.Secret { return auth.Clear(Password) })

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf and Fatalf.
type TB = servertest.TB

// Options of New. The zero value is one empty group in which everybody posts.
type Options struct {
	Groups   []string      // their names; nil: Group
	Articles []string      // for [Server.Put]
	Login    bool          // reading is for everybody, posting for who has logged in
	Faults   []faults.Rule // on every connection, below TLS
	Engine   server.Engine // nil: server.Goroutines()
	Store    store.Engine  // where news are kept; nil: in memory. The caller closes it
	Handler  func(*nntp.Handler)
	Server   func(*server.Server)
	Address  string // where to listen; "": 127.0.0.1:0
	Implicit bool   // TLS from the beginning
}

// A Server is a news server on the loopback interface. It ends with the test.
// Its methods may be called by several goroutines.
type Server struct {
	Addr  string // host:port
	Roots *x509.CertPool
	News  *newsgroup.Store // what it keeps

	t TB
}

// New starts a server. It knows STARTTLS, and calls itself news.example.
func New(t TB, o Options) *Server {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("nntptest: %v", err)
	}
	if o.Store == nil {
		e := memstore.New(memstore.Options{})
		t.Cleanup(func() { e.Close() })
		o.Store = e
	}
	s := &Server{t: t, Roots: pair.Roots, News: newsgroup.New(o.Store, newsgroup.Options{Host: "news.example", Overview: []string{"Newsgroups"}})}
	if o.Groups == nil {
		o.Groups = []string{Group}
	}
	for _, name := range o.Groups {
		err := s.News.Create(context.Background(), newsgroup.NewGroup{Name: name, Description: "about " + name, Creator: "test@news.example"})
		if err != nil && !errors.Is(err, newsgroup.ErrExists) {
			t.Fatalf("nntptest: %s: %v", name, err)
		}
	}
	s.Put(o.Articles...)
	cfg := &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
	users := &auth.Users{Secrets: map[string]auth.Secret{User: secret()}}
	h := &nntp.Handler{
		Backend: &news.Backend{Store: s.News}, Auth: &auth.Authenticator{Accounts: users, Delay: -1}, TLS: cfg, Host: "news.example",
		Access: func(p nntp.Peer) nntp.Rights {
			may := !o.Login || p.User != ""
			return nntp.Rights{Read: true, Post: may, Feed: may, Approve: may}
		},
	}
	srv := &server.Server{Handler: h, Engine: o.Engine, Limits: server.Limits{Idle: nntp.Idle}}
	if o.Implicit {
		srv.TLS = cfg
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "NNTP", Faults: o.Faults, Change: o.Server, Address: o.Address}.Serve(t, srv)
	return s
}

// Article is a text for Put, with LF as line ends.
func Article(id, group, subject, body string) string {
	return "Path: far.example!not-for-mail\nFrom: Ann <ann@far.example>\nNewsgroups: " + group + "\nSubject: " + subject +
		"\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: " + id + "\n\n" + body
}

// Put adds whole articles, as if another server had sent them. Line ends may be
// LF.
func (s *Server) Put(articles ...string) {
	s.t.Helper()
	ctx := context.Background()
	for _, text := range articles {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		if !strings.HasSuffix(text, "\r\n") {
			text += "\r\n"
		}
		d, err := s.News.NewDraft(ctx, int64(len(text)))
		if err != nil {
			s.t.Fatalf("nntptest: %v", err)
		}
		_, err = io.WriteString(d, text)
		if err == nil {
			_, err = s.News.Add(ctx, d, newsgroup.Arrival{})
		}
		if err = errors.Join(err, d.Close()); err != nil {
			s.t.Fatalf("nntptest: putting an article: %v", err)
		}
	}
}

// Articles are those of a group in the order of their numbers, with Xref and with
// CRLF as line ends.
func (s *Server) Articles(group string) []string {
	s.t.Helper()
	var texts []string
	for a, err := range s.News.Articles(context.Background(), group, 1, 1<<62) {
		if err != nil {
			s.t.Fatalf("nntptest: %s: %v", group, err)
		}
		text, err := read(a)
		if err != nil {
			s.t.Fatalf("nntptest: %s %d: %v", group, a.Number, err)
		}
		texts = append(texts, text)
	}
	return texts
}

func read(a newsgroup.Article) (string, error) {
	t, err := a.Open(context.Background())
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(t.Body)
	return string(t.Header) + "\r\n" + string(body), errors.Join(err, t.Close())
}

// Wait waits until an article is there, and gives it. The test fails when ctx
// ends before.
func (s *Server) Wait(ctx context.Context, id string) string {
	s.t.Helper()
	for err := range s.News.Watch(ctx) {
		if err != nil {
			break
		}
		a, err := s.News.ByID(ctx, id)
		if errors.Is(err, newsgroup.ErrNoArticle) {
			continue
		}
		if err != nil {
			s.t.Fatalf("nntptest: %s: %v", id, err)
		}
		text, err := read(a)
		if err != nil {
			s.t.Fatalf("nntptest: %s: %v", id, err)
		}
		return text
	}
	s.t.Fatalf("nntptest: %s has not come: %v", id, ctx.Err())
	return ""
}

// Options are those of a Client that trusts the server.
func (s *Server) Options() nntp.Options {
	var o nntp.Options
	o.Dialer.TLS = &tls.Config{RootCAs: s.Roots}
	return o
}

// Endpoint is where Dial finds it; scheme is tcp, starttls, or tls where the
// server is Implicit.
func (s *Server) Endpoint(scheme string) string { return scheme + ":" + s.Addr }

// Client dials. It is closed with the test.
func (s *Server) Client(ctx context.Context, scheme string) *nntp.Client {
	s.t.Helper()
	c, err := nntp.Dial(ctx, s.Endpoint(scheme), s.Options())
	if err != nil {
		s.t.Fatalf("nntptest: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}
