package telnet_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// arrived tells whether all that was sent has been acknowledged (tcp(7),
// SIOCOUTQ).
func arrived(t *testing.T, fd uintptr) bool {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	if err != nil {
		t.Error(err)
	}
	return n == 0 || err != nil
}
