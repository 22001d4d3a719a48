package server

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Who asks for a ring and cannot have one is told why, in a line.
func TestNoRing(t *testing.T) {
	for en, want := range map[syscall.Errno]string{
		unix.ENOSYS: "the kernel has none",
		unix.EPERM:  "kernel.io_uring_disabled",
		unix.EINVAL: "Linux 6.1 is needed",
		unix.ENOMEM: "cannot allocate memory",
	} {
		err := ringError(en)
		if !errors.Is(err, en) || !strings.HasPrefix(err.Error(), "io_uring: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// A ring that cannot be made is Serve's error, and nothing is left of it.
	e := &events{options: EventOptions{Loops: 2, Uring: true}, size: ringSize{asks: 1 << 31}}
	for range 2 {
		if loops, err := e.acquire(); err == nil || loops != nil || e.users != 0 {
			t.Errorf("%v, %v, %d users", loops, err, e.users)
		}
	}
}
