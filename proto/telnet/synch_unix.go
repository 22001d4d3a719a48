//go:build unix

package telnet

import (
	"os"
	"syscall"
)

func urgentInline(raw syscall.RawConn) bool {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1)
	})
	return err == nil && failed == nil
}

// mark sends DM, urgent.
func (u *urgent) mark() error {
	b := AppendCommand(nil, DM)
	var failed error
	err := u.raw.Write(func(fd uintptr) bool {
		for len(b) > 0 {
			var n int
			switch n, failed = syscall.SendmsgN(int(fd), b, nil, nil, syscall.MSG_OOB); failed {
			case nil:
				b = b[n:]
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			default:
				return true
			}
		}
		return true
	})
	if err == nil {
		err = os.NewSyscallError("sendmsg", failed)
	}
	return err
}
