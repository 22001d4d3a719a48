//go:build unix

package faults

import "syscall"

func noLinger(fd uintptr) {
	_ = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}

// maxDrain bounds what is dropped: a peer that goes on sending is not awaited.
const maxDrain = 1 << 20

func discard(fd uintptr) {
	var b [4096]byte
	for total := 0; total < maxDrain; {
		n, err := syscall.Read(int(fd), b[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			return
		}
		total += n
	}
}
