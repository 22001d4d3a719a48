//go:build freebsd || dragonfly

package load

import "golang.org/x/sys/unix"

func setLimit(l *unix.Rlimit, n uint64) { l.Cur, l.Max = int64(n), int64(n) }
