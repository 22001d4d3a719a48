//go:build !unix

package server

import "syscall"

// holds cannot be told here.
func holds(syscall.RawConn) bool { return false }
