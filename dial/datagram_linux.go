package dial

import (
	"context"

	"github.com/farend-go/farend/socket"
)

// prepare allows broadcasts, and gives a Unix socket an address of the kernel's
// choice (autobind, unix(7)) so that the peer can answer.
func prepare(ctx context.Context, s *socket.Sock, anySource bool) error {
	switch {
	case s.Family() == socket.AF_INET:
		return socket.SO_BROADCAST.Set(s, true)
	case s.Family() == socket.AF_UNIX && anySource:
		return s.Bind(ctx, socket.UnixAddr{})
	}
	return nil
}
