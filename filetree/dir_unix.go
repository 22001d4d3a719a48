//go:build unix

package filetree

import (
	"errors"
	"os"
	"syscall"
)

// openNonblock keeps an open of a pipe from waiting for its other end.
const openNonblock = syscall.O_NONBLOCK

// syncDir brings a directory's entries to the disk, where it is of a kind that
// can (fsync(2): EINVAL where not).
func syncDir(d *os.File) error {
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
