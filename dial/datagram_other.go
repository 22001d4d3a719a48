//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package dial

import (
	"context"

	"github.com/farend-go/farend/socket"
)

// prepare leaves the socket as the system made it.
func prepare(context.Context, *socket.Sock, bool) error { return nil }
