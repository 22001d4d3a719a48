package snippets

import (
	"context"
	"io"
	"net"

	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// capitals is a shell that says everything in capitals.
type capitals struct{}

func (capitals) Line(_ context.Context, t *telnet.Terminal, line string) error {
	if line == "quit" {
		return io.EOF // hangs up
	}
	t.Printf("%s\n", simple.Capitals([]byte(line)))
	t.Prompt("> ")
	return nil
}

// TelnetServer gives everybody such a shell, until ctx ends.
func TelnetServer(ctx context.Context, l net.Listener) error {
	srv := server.Server{Handler: &telnet.Handler{
		Shell: func(_ context.Context, t *telnet.Terminal) (telnet.Shell, error) {
			t.Prompt("> ")
			return capitals{}, nil
		},
	}}
	return srv.Serve(ctx, l)
}
