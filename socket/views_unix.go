//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"errors"
	"net"
	"os"
)

func (s *Sock) netConn() (net.Conn, error) { return onFile(s, net.FileConn) }

func (s *Sock) netListener() (net.Listener, error) { return onFile(s, net.FileListener) }

func (s *Sock) netPacketConn() (net.PacketConn, error) { return onFile(s, net.FilePacketConn) }

// onFile lends package net a file of the socket, of which it makes a duplicate.
func onFile[V any](s *Sock, open func(*os.File) (V, error)) (V, error) {
	f, err := s.File()
	if err != nil {
		var none V
		return none, err
	}
	v, err := open(f)
	return v, errors.Join(err, f.Close())
}
