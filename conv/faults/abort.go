package faults

import (
	"net"
	"syscall"
	"time"
)

// abort closes a connection so that its peer gets a reset: SO_LINGER with time
// zero on the TCP socket beneath (or what takes SetLinger as one does). Any
// other connection is only closed.
func abort(nc net.Conn) {
	switch b := base(nc).(type) {
	case interface{ SetLinger(sec int) error }:
		_ = b.SetLinger(0) // closed already: then there is nothing to abort
	case syscall.Conn:
		control(b, noLinger)
	}
	_ = nc.Close()
}

// control calls f with the descriptor of a connection that has one.
func control(nc any, f func(fd uintptr)) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	if rc, err := sc.SyscallConn(); err == nil {
		_ = rc.Control(f) // fails where the connection is closed
	}
}

// settleLimit is how long a reset waits for what was sent to arrive.
const settleLimit = 5 * time.Second

// settle returns when the peer's system has what was written, as far as the
// system tells: a reset throws away what has not left yet, and would not be
// exact.
func settle(nc net.Conn, d *deadline, closed <-chan struct{}) {
	b := base(nc)
	for end := time.Now().Add(settleLimit); time.Now().Before(end); {
		left := 0
		control(b, func(fd uintptr) { left = unsent(fd) })
		if left == 0 || d.wait(time.Millisecond, closed) != nil {
			return
		}
	}
}

// drain reads and drops what has come, without waiting.
func drain(nc net.Conn) { control(base(nc), discard) }
