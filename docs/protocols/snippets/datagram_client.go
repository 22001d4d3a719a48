package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/socket"
)

// DatagramClient sends a datagram and prints the one that comes back. Either
// may be lost, so ctx should have a deadline.
func DatagramClient(ctx context.Context, w io.Writer, host, port string) error {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.SendTo(ctx, []byte("Hello, world"), socket.Pair(host, port)); err != nil {
		return err
	}
	data, _, err := s.RecvFrom(ctx, 1024)
	fmt.Fprintln(w, socket.Repr(data))
	return err
}
