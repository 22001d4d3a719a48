package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/farend-go/farend/socket"
)

// ListenConfig says how Listen and ListenPacket listen. Its zero value is good.
type ListenConfig struct {
	Backlog  int         // connections that wait to be accepted; 0: as many as the system lets
	UnixMode fs.FileMode // of a Unix socket; 0: 0600
	// Sockets is how many sockets share the TCP port; 0: one, to which the
	// events engine adds. A program that hands over and serves on the events
	// engine has one for each loop here: see Handover.
	Sockets int
	// Inherited is what the program was started with; nil: what its environment
	// tells at the time.
	Inherited *Inherited
	// Name, if the program's predecessor handed sockets of this name over, has
	// Listen take them, whatever the address; empty: the address decides.
	Name string
}

// inherited gives the inherited sockets, and the address that names them, when
// that is what address and c ask for.
func (c ListenConfig) inherited(address string, fits func(purpose) bool) (*Inherited, string, error) {
	if c.Name == "" && !isInherited(address) {
		return nil, "", nil
	}
	in := c.Inherited
	if in == nil {
		var err error
		if in, err = Inherit(Process{}); err != nil {
			return nil, "", err
		}
	}
	if in.wasHanded(c.Name, fits) {
		return in, "systemd:" + c.Name, nil
	}
	if isInherited(address) {
		return in, address, nil
	}
	return nil, "", nil
}

// Listen listens on address, which is one of
//
//	host:port      [::1]:port, and every form of host and port that package socket knows
//	unix:PATH      a Unix socket; a name that begins with @ is abstract
//	systemd:NAME   the inherited sockets of this name (FileDescriptorName= in systemd.socket(5))
//	systemd:       all inherited sockets that listen
//	fd:N           descriptor N
//	inetd:         standard input, as inetd(8) passes it: a listening socket ("wait") or a connection ("nowait")
//
// A Unix socket that nobody serves any more is replaced; one that is served is
// syscall.EADDRINUSE, and anything else at that path is left alone
// (fs.ErrExist). A connection becomes a listener that yields it once, so that
// Serve returns when that talk has ended. The caller closes the listener, or
// Serve does.
func Listen(ctx context.Context, address string, c ListenConfig) (net.Listener, error) {
	in, name, err := c.inherited(address, purpose.accepts)
	if err != nil {
		return nil, err
	}
	if in != nil {
		return in.listen(name)
	}
	path, isUnix := strings.CutPrefix(address, "unix:")
	if isUnix {
		return listenUnix(ctx, path, c)
	}
	l, err := listenTCP(ctx, address, c)
	if err != nil || c.Sockets < 2 {
		return l, err
	}
	return listenSiblings(l, c.Sockets)
}

// ListenAndServe listens on address and serves until ctx ends.
func (s *Server) ListenAndServe(ctx context.Context, address string) error {
	l, err := Listen(ctx, address, ListenConfig{})
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

func listenTCP(ctx context.Context, address string, c ListenConfig) (net.Listener, error) {
	// What is accepted inherits TCP_NODELAY, so that no connection misses it,
	// however early it came. package net sets it on each where it accepts.
	noDelay := []socket.Setting{socket.TCP_NODELAY.Value(true)}
	l, err := socket.Listen(ctx, "tcp", address, socket.ListenConfig{Backlog: c.Backlog, Options: noDelay})
	if errors.Is(err, errors.ErrUnsupported) {
		return socket.Listen(ctx, "tcp", address, socket.ListenConfig{Backlog: c.Backlog})
	}
	return l, err
}

func listenUnix(ctx context.Context, path string, c ListenConfig) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("listen unix: no path")
	}
	sc := socket.ListenConfig{Backlog: c.Backlog}
	if strings.HasPrefix(path, "@") {
		return socket.Listen(ctx, "unix", path, sc)
	}
	if err := clearStale(ctx, path, "unix"); err != nil {
		return nil, err
	}
	l, err := socket.Listen(ctx, "unix", path, sc)
	if err != nil {
		return nil, err
	}
	// Between bind and chmod the mode is the umask's: nothing is accepted yet,
	// and who connects before is refused nothing that chmod would have refused
	// under the usual umask.
	if err := os.Chmod(path, c.unixMode()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (c ListenConfig) unixMode() fs.FileMode {
	if c.UnixMode == 0 {
		return 0o600
	}
	return c.UnixMode
}

// clearStale removes the socket at path when nobody answers there.
func clearStale(ctx context.Context, path, network string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("listen %s %s: %w, and is no socket", network, path, fs.ErrExist)
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, network, path)
	if err == nil {
		c.Close()
		return fmt.Errorf("listen %s %s: %w", network, path, syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listen %s %s: %w", network, path, err)
	}
	return os.Remove(path)
}
