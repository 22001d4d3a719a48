//go:build unix

package load

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spare is how many descriptors a process needs besides its connections.
const spare = 64

// RaiseFiles sees to it that this process may have so many connections open:
// it raises the soft limit of descriptors, and the hard one where it may
// (getrlimit(2)), and gives the limit that holds now. An error says that it is
// too low.
func RaiseFiles(connections int) (limit uint64, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("open files: %w", err)
	}
	need := uint64(connections) + spare
	if hard := uint64(l.Max); need > hard { //nolint:unconvert // it is signed on some systems
		higher := l
		setLimit(&higher, need)
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &higher) == nil {
			return need, nil
		}
		return hard, fmt.Errorf("open files: %d are allowed, and %d connections need %d: raise the hard limit (ulimit -Hn), or use fewer",
			hard, connections, need)
	}
	if uint64(l.Cur) >= need { //nolint:unconvert // it is signed on some systems
		return uint64(l.Cur), nil //nolint:unconvert // it is signed on some systems
	}
	l.Cur = l.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return uint64(l.Cur), fmt.Errorf("open files: raising the limit to %d: %w", l.Max, err) //nolint:unconvert // it is signed on some systems
	}
	return uint64(l.Cur), nil //nolint:unconvert // it is signed on some systems
}
