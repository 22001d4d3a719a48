//go:build unix && !freebsd && !dragonfly

package load

import "golang.org/x/sys/unix"

func setLimit(l *unix.Rlimit, n uint64) { l.Cur, l.Max = n, n }
