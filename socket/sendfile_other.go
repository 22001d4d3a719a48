//go:build !(linux || darwin || dragonfly || freebsd)

package socket

import (
	"context"
	"errors"
	"os"
)

// sendFile: the system has no sendfile(2), or none that Go reaches.
func (h *handle) sendFile(context.Context, *os.File, int64, int64) (int64, error) {
	return 0, errors.ErrUnsupported
}
