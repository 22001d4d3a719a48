package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// inetd is the address of standard input.
const inetd = "inetd:"

// inetdMeant tells whether the flags that were read, or the environment, ask
// for the socket on standard input. It is asked before anything is said.
func inetdMeant(f *pflag.FlagSet, environ []string) bool {
	listen, err := f.GetStringArray("listen")
	asks := func(s string) bool { return strings.HasSuffix(s, "="+inetd) || strings.HasSuffix(s, "=tls:"+inetd) }
	return err == nil && slices.ContainsFunc(listen, asks) || slices.ContainsFunc(environ, asks)
}

// leaveSocket silences, if serving standard input is what is asked for, those
// of our outputs that are the same file: inetd(8) gives the socket for all
// three, and what we say would reach the peer.
func (e *env) leaveSocket(meant bool) {
	in, ok := e.in.(*os.File)
	if !meant || !ok {
		return
	}
	socket, err := in.Stat()
	if err != nil {
		return
	}
	for _, w := range []*io.Writer{&e.out, &e.err} {
		if f, ok := (*w).(*os.File); ok {
			if st, err := f.Stat(); err == nil && os.SameFile(st, socket) {
				*w = io.Discard
			}
		}
	}
}
