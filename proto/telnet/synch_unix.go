//go:build unix

package telnet

import (
	"net"
	"syscall"
)

// urgentInline has urgent data come in line: the DM of a Synch stands where it
// was sent (RFC 1123 section 3.2.4).
func urgentInline(nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	// What cannot be set stays as it is: the Decoder does without the DM.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1)
	})
}

// sendUrgent sends b with its last byte urgent. ok is false where nc has no
// such thing.
func sendUrgent(nc net.Conn, b []byte) (ok bool, err error) {
	sc, is := nc.(*net.TCPConn)
	if !is {
		return false, nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false, nil //nolint:nilerr // then it goes without
	}
	done := raw.Write(func(fd uintptr) bool {
		for len(b) > 0 {
			var n int
			if n, err = syscall.SendmsgN(int(fd), b, nil, nil, syscall.MSG_OOB); err != nil {
				return err != syscall.EAGAIN
			}
			b = b[n:]
		}
		return true
	})
	if done != nil {
		err = done
	}
	return true, err
}
