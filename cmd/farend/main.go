// Command farend is the far end of a program's conversations with the network:
// servers and clients of raw TCP, UDP and Unix sockets and of the protocols
// above them. farend --help names its commands.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/farend-go/farend/internal/cli"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, cli.Signals()...)
	ctx := cli.WithSignals(context.Background(), signals)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
