//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals are those that main has delivered to WithSignals.
func Signals() []os.Signal {
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}
}

// outlivePipes lets writing to a standard output that nobody reads any more
// fail, until the function that it returns is called; otherwise the process
// would be killed. A server goes on when whoever read its ready line has gone.
func outlivePipes() func() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}
