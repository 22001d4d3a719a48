//go:build !linux

package telnet_test

import "testing"

func arrived(t *testing.T, _ uintptr) bool {
	t.Skip("this system does not tell when what was sent has come")
	return true
}
