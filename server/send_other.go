//go:build !linux

package server

import (
	"io"
	"net"
	"os"
)

// sendFile sends n bytes, or to the end of the file.
func sendFile(c *net.TCPConn, f *os.File, offset *int64, n int64) (int64, error) {
	if offset != nil {
		return 0, errCopy
	}
	return c.ReadFrom(&io.LimitedReader{R: f, N: n})
}

// sendMore is Write where there is no such flag.
func sendMore(c *net.TCPConn, p []byte) (int, error) { return c.Write(p) }
