package telnet_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parrot says each line again, with the window's size.
type parrot struct{}

func newParrot(_ context.Context, t *telnet.Terminal) (telnet.Shell, error) {
	t.Prompt("> ")
	return parrot{}, nil
}

func (parrot) Line(_ context.Context, t *telnet.Terminal, line string) error {
	switch line {
	case "exit":
		t.Printf("bye\n")
		return io.EOF
	case "whoami":
		line = t.User()
	case "said":
		t.Printf("%s", t.Transcript())
	}
	w, h := t.Size()
	t.Printf("%s (%dx%d)\n", line, w, h)
	t.Prompt("> ")
	return nil
}

// secret is ann's; its keys take a while to make.
var secret = sync.OnceValue(func() auth.Secret { return auth.Clear("secret") })

func logins() *auth.Authenticator {
	return &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"ann": secret()}}, Delay: -1}
}

func handlerFor(script *transcript.Script) *telnet.Handler {
	h := &telnet.Handler{Shell: newParrot}
	if strings.Contains(script.Name, "login") {
		h.Auth, h.Welcome = logins(), "Welcome.\n"
	}
	return h
}

func TestTranscripts(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				srv := &server.Server{Handler: handlerFor(script)}
				return srv.Serve(ctx, transcript.Once(nc))
			})
		})
	}
}

// TestTranscriptsOnEvents plays them once, over a socket, in each mode.
func TestTranscriptsOnEvents(t *testing.T) {
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		for _, quick := range []bool{false, true} {
			h := handlerFor(script)
			h.Quick = quick
			addr := servertest.Serve(t, &server.Server{Handler: h, Engine: server.Events()})
			t.Run(script.Name, func(t *testing.T) {
				servertest.Play(t, addr, script)
			})
		}
	}
}
