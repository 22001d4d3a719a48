//go:build unix

package web

import (
	"io/fs"
	"syscall"
)

// inodeOf is the number of the file below a name.
func inodeOf(info fs.FileInfo) (uint64, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Ino), true //nolint:unconvert // 32 bits on some systems
}
