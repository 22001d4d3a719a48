package faults

import "syscall"

// unsent is how many bytes lie in the send buffer (SO_NWRITE, getsockopt(2)).
func unsent(fd uintptr) int {
	n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NWRITE)
	if err != nil {
		return 0
	}
	return n
}
