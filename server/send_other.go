//go:build !linux

package server

import "net"

// sendMore is Write where there is no such flag.
func sendMore(c *net.TCPConn, p []byte) (int, error) { return c.Write(p) }
