//go:build !unix

package cli

import "io"

// sharesTerminal: a console delivers Ctrl-C to all of its processes.
func sharesTerminal(in io.Reader) bool { return isTerminal(in) }
