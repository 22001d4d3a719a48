//go:build !unix

package cli

import (
	"os"
	"syscall"
)

// Signals are those that main has delivered to WithSignals.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// outlivePipes does nothing: there is no signal for it here.
func outlivePipes() func() { return func() {} }
