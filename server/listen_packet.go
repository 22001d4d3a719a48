package server

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"github.com/farend-go/farend/socket"
)

// ListenPacket is Listen for datagrams. The address is one of
//
//	host:port        UDP, with every form of host and port that package socket knows
//	unixgram:PATH    a Unix socket; a name that begins with @ is abstract
//	systemd:NAME     the inherited datagram socket of this name
//	systemd:         the one inherited datagram socket
//	fd:N             descriptor N
//	inetd:           standard input, as inetd(8) passes it to a "dgram wait" service
//
// Unix sockets are replaced or left alone as Listen does it, and their path is
// removed when the socket is closed. The caller closes it, or ServePacket does.
func ListenPacket(ctx context.Context, address string, c ListenConfig) (net.PacketConn, error) {
	in, name, err := c.inherited(address, purpose.receives)
	if err != nil {
		return nil, err
	}
	if in != nil {
		return in.listenPacket(name)
	}
	path, isUnix := strings.CutPrefix(address, "unixgram:")
	if isUnix {
		return listenUnixgram(ctx, path, c)
	}
	return socket.ListenPacket(ctx, "udp", address, socket.ListenConfig{})
}

func listenUnixgram(ctx context.Context, path string, c ListenConfig) (net.PacketConn, error) {
	if path == "" {
		return nil, errors.New("listen unixgram: no path")
	}
	abstract := strings.HasPrefix(path, "@")
	if !abstract {
		if err := clearStale(ctx, path, "unixgram"); err != nil {
			return nil, err
		}
	}
	pc, err := socket.ListenPacket(ctx, "unixgram", path, socket.ListenConfig{})
	if err != nil || abstract {
		return pc, err
	}
	u, ok := pc.(*net.UnixConn)
	if !ok {
		return pc, nil
	}
	if err := os.Chmod(path, c.unixMode()); err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	return &unixgram{UnixConn: u, path: path}, nil
}

// soleUDP is a UDP socket that outlives this process: sockets that were added
// to its port would take datagrams with them when they close.
type soleUDP struct{ *net.UDPConn }

// alone keeps others from the port of pc.
func alone(pc net.PacketConn) net.PacketConn {
	if udp, ok := pc.(*net.UDPConn); ok {
		return &soleUDP{udp}
	}
	return pc
}

// packetSocket is the socket of package net that pc stands for, and whether it
// has to stay alone.
func packetSocket(pc net.PacketConn) (net.PacketConn, bool) {
	switch pc := pc.(type) {
	case *soleUDP:
		return pc.UDPConn, true
	case *unixgram:
		return pc.UnixConn, false
	}
	return pc, false
}

// unixgram removes its path when it is closed, as *net.UnixListener does.
type unixgram struct {
	*net.UnixConn
	path string
	keep atomic.Bool // the path is somebody else's now
}

// Close removes the path and closes the socket.
func (u *unixgram) Close() error {
	if u.keep.Swap(true) {
		return u.UnixConn.Close()
	}
	err := os.Remove(u.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, u.UnixConn.Close())
}
