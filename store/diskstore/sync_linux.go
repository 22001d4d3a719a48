package diskstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// fdatasync is fsync without the times of the file (fdatasync(2)).
func fdatasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
