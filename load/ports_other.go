//go:build !linux

package load

import "syscall"

// wholeLoopback: one address of 127.0.0.0/8 is ours, more would have to be
// configured.
const wholeLoopback = false

func localPorts() int { return ephemeralPorts }

// latePort: the port is chosen with the address.
func latePort(_, _ string, _ syscall.RawConn) error { return nil }
