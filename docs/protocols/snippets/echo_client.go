package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/socket"
)

// EchoClient says something in two pieces, and prints all that comes back.
func EchoClient(ctx context.Context, w io.Writer, host, port string) error {
	s, err := socket.CreateConnection(ctx, host, port, socket.ConnConfig{})
	if err != nil {
		return err
	}
	defer s.Close()
	for _, piece := range []string{"Hello, ", "world"} {
		if _, err := s.SendAll(ctx, []byte(piece)); err != nil {
			return err
		}
	}
	if err := s.CloseWrite(); err != nil { // the server sees the end; we go on reading
		return err
	}
	data, err := s.ReadAll(ctx) // one Recv may give a part of it only
	fmt.Fprintln(w, socket.Repr(data))
	return err
}
