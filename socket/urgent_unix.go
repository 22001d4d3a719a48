//go:build unix

package socket

import (
	"os"

	"golang.org/x/sys/unix"
)

// UrgentAhead tells whether urgent data lies in a TCP connection that nobody has
// read: POLLPRI of poll(2), where sockatmark(3) tells only that it is next. It
// never waits. fd is the descriptor, as syscall.RawConn gives it to Control.
func UrgentAhead(fd uintptr) (bool, error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}} //nolint:gosec // a descriptor is an int
	for {
		_, err := unix.Poll(p, 0)
		if err == unix.EINTR {
			continue
		}
		return p[0].Revents&unix.POLLPRI != 0, os.NewSyscallError("poll", err)
	}
}
