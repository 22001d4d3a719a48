//go:build !unix

package telnet

import (
	"errors"
	"syscall"
)

func urgentInline(syscall.RawConn) bool { return false }

func (*urgent) mark() error { return errors.ErrUnsupported }
