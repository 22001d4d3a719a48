//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package dial

import (
	"context"

	"github.com/farend-go/farend/socket"
)

// prepare allows broadcasts.
func prepare(_ context.Context, s *socket.Sock, _ bool) error {
	if s.Family() == socket.AF_INET {
		return socket.SO_BROADCAST.Set(s, true)
	}
	return nil
}
