//go:build unix

package server

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// holds tells whether the kernel holds input of a connection, without waiting.
func holds(c syscall.RawConn) (held bool) {
	_ = c.Read(func(fd uintptr) bool { // where it cannot be asked, it holds none that we know of
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		held = n > 0 && err == nil
		return true
	})
	return held
}
