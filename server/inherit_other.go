//go:build !linux

package server

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// errInherited is what inherited sockets and handing them over are where the
// system is not Linux.
func errInherited() error {
	return fmt.Errorf("inherited sockets on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func closeOnExec(int) error                 { return errInherited() }
func closeFD(int) error                     { return errInherited() }
func purposeOf(int) purpose                 { return listening } // so that what follows says what it is
func listenerOn(int) (net.Listener, error)  { return nil, errInherited() }
func connectionOn(int) (net.Conn, error)    { return nil, errInherited() }
func packetsOn(int) (net.PacketConn, error) { return nil, errInherited() }
func leaveStandard(...int) error            { return errInherited() }
func listenSiblings(l net.Listener, _ int) (net.Listener, error) {
	return newBundle(l), nil
}
