//go:build linux || darwin || dragonfly || freebsd

package socket

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sendFile has the kernel copy, in one turn. errors.ErrUnsupported tells that it
// will not for this file.
func (h *handle) sendFile(ctx context.Context, f *os.File, offset, count int64) (int64, error) {
	source, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sent int64
	var failed error
	err = source.Control(func(in uintptr) {
		failed = h.out.once(ctx, func(fd int) error {
			for count <= 0 || sent < count {
				part := maxTransfer
				if count > 0 {
					part = int(min(count-sent, maxTransfer))
				}
				at := offset + sent
				n, err := unix.Sendfile(fd, int(in), &at, part)
				sent += int64(max(n, 0))
				switch {
				case err == unix.EINTR || err == unix.EAGAIN && n > 0:
				case err == unix.EINVAL || err == unix.ENOSYS || err == unix.EOPNOTSUPP:
					return errors.Join(err, errors.ErrUnsupported)
				case err != nil:
					return err
				case n <= 0:
					return nil // the end of the file
				}
			}
			return nil
		})
	})
	return sent, errors.Join(failed, err)
}
