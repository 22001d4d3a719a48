//go:build unix

package telnet_test

import "syscall"

func sendUrgent(fd uintptr, b []byte) error {
	_, err := syscall.SendmsgN(int(fd), b, nil, nil, syscall.MSG_OOB)
	return err
}
