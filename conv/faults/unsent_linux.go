package faults

import (
	"syscall"
	"unsafe"
)

// unsent is how many bytes the peer's system has not acknowledged (SIOCOUTQ,
// tcp(7)).
func unsent(fd uintptr) int {
	var n int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return 0
	}
	return int(n)
}
