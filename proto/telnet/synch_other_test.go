//go:build !unix

package telnet_test

import "errors"

func sendUrgent(uintptr, []byte) error { return errors.ErrUnsupported }
