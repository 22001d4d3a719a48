//go:build !unix

package app

import (
	"context"
	"errors"

	"github.com/farend-go/farend/proto/telnet"
)

// checkExec: there are no pseudo-terminals.
func checkExec() error { return badConfig("telnet-exec: there are no pseudo-terminals on this system") }

func execTelnet(string) func(context.Context, *telnet.Conn, string) error {
	return func(context.Context, *telnet.Conn, string) error { return errors.ErrUnsupported }
}
