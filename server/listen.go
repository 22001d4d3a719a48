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

// ListenConfig says how Listen listens.
type ListenConfig struct {
	Backlog  int         // connections that wait to be accepted; 0: as many as the system lets
	UnixMode fs.FileMode // of a Unix socket; 0: 0600
}

// Listen listens on address: "host:port" or "[::1]:port" with every form of
// host and port that package socket knows, or "unix:PATH" (a name that begins
// with @ is abstract). A Unix socket that nobody serves any more
// is replaced; one that is served is syscall.EADDRINUSE, and anything else at
// that path is left alone (fs.ErrExist).
func Listen(ctx context.Context, address string, c ListenConfig) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(address, "unix:")
	if isUnix {
		return listenUnix(ctx, path, c)
	}
	return listenTCP(ctx, address, c)
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
	return socket.Listen(ctx, "tcp", address, socket.ListenConfig{Backlog: c.Backlog})
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
	mode := c.UnixMode
	if mode == 0 {
		mode = 0o600
	}
	l, err := socket.Listen(ctx, "unix", path, sc)
	if err != nil {
		return nil, err
	}
	// Between bind and chmod the mode is the umask's: nothing is accepted yet,
	// and who connects before is refused nothing that chmod would have refused
	// under the usual umask.
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
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
