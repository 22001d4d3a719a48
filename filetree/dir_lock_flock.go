//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filetree

import (
	"os"
	"syscall"
)

// lock takes the file for this process until it is closed; false: another has
// it. An error: there are no locks here (flock(2)).
func lock(f *os.File) (bool, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var en error
	if err := raw.Control(func(fd uintptr) { en = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) }); err != nil {
		return false, err
	}
	if en == syscall.EWOULDBLOCK {
		return false, nil
	}
	return en == nil, en
}
