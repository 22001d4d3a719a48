package snippets

import (
	"context"
	"io"
	"net"

	"github.com/farend-go/farend/server"
)

// EchoServer gives back what it gets, until ctx ends.
func EchoServer(ctx context.Context, l net.Listener) error {
	srv := server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		_, err := io.Copy(c, c) // until the peer closes its writing half
		return err
	})}
	return srv.Serve(ctx, l)
}
