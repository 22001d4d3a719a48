//go:build unix

package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// sharesTerminal tells whether in is a terminal whose Ctrl-C reaches every
// process of our group, the command that we run among them.
func sharesTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
