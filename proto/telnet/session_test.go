package telnet_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/transcript"
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

func scripts(t *testing.T) []*transcript.Script {
	t.Helper()
	all, err := transcript.Files(os.DirFS("testdata/talk"), "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func handlerFor(script *transcript.Script) *telnet.Handler {
	h := &telnet.Handler{Shell: newParrot}
	if strings.Contains(script.Name, "login") {
		h.Auth, h.Welcome = logins(), "Welcome.\n"
	}
	return h
}

func TestTranscripts(t *testing.T) {
	for _, script := range scripts(t) {
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
	for _, script := range scripts(t) {
		for _, quick := range []bool{false, true} {
			h := handlerFor(script)
			h.Quick = quick
			addr := serve(t, &server.Server{Handler: h, Engine: server.Events()})
			t.Run(script.Name, func(t *testing.T) {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				if err := transcript.Play(t.Context(), nc, script, transcript.ClientSide); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// serve serves until the test has ended.
func serve(t *testing.T, srv *server.Server) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
