package mail_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/diskstore"
	"github.com/farend-go/farend/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stores open an engine for a test.
var stores = map[string]func(t testing.TB) store.Engine{
	"memory": func(testing.TB) store.Engine { return memstore.New(memstore.Options{}) },
	"disk": func(t testing.TB) store.Engine {
		e, err := diskstore.Open(t.TempDir(), diskstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	},
}

// engines are those of the server.
var engines = map[string]server.Engine{"goroutines": server.Goroutines(), "events": server.Events()}

// everywhere runs a test over both stores, each under another engine of the
// server.
func everywhere(t *testing.T, o mailbox.Options, users []string, f func(t *testing.T, w *world)) {
	for kept, engine := range map[string]string{"memory": "events", "disk": "goroutines"} {
		t.Run(kept, func(t *testing.T) { f(t, newWorld(t, kept, engine, o, users)) })
	}
}

func newWorld(t *testing.T, kept, engine string, o mailbox.Options, users []string) *world {
	o.AnyAccount = true
	e := stores[kept](t)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &mail.Post{Store: mailbox.New(e, o), Directory: mail.Directory{Users: users}}
	return serveWorld(t, p, engines[engine])
}

// world is a Post with its servers on sockets.
type world struct {
	post                   *mail.Post
	smtp, lmtp, pop3, imap string // addresses
}

func serveWorld(t *testing.T, p *mail.Post, engine server.Engine) *world {
	t.Helper()
	logins := &auth.Authenticator{Accounts: &auth.Users{Anybody: true}}
	log := slog.New(slog.NewTextHandler(complaints{t}, nil))
	on := func(h server.Handler) string {
		return servertest.Serve(t, &server.Server{Handler: h, Engine: engine, Log: log})
	}
	return &world{
		post: p,
		smtp: on(&smtp.Handler{Backend: p.SMTP(), Log: log}),
		lmtp: on(&smtp.Handler{Backend: p.SMTP(), Log: log, Kind: smtp.LMTP}),
		pop3: on(&pop3.Handler{Backend: p.POP3(), Auth: logins}),
		imap: on(&imap.Handler{Backend: p.IMAP(), Auth: logins, Log: log}),
	}
}

// complaints is a log that nothing is to be in.
type complaints struct{ t testing.TB }

func (c complaints) Write(p []byte) (int, error) {
	c.t.Errorf("the log says %s", p)
	return len(p), nil
}

// account opens somebody's mail behind the servers' back.
func (w *world) account(t testing.TB, name string) *mailbox.Account {
	t.Helper()
	a, err := w.post.Store.Account(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
