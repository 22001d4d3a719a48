package simple

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// maxReply bounds what a client keeps of a reply that ends with the stream.
const maxReply = 64 << 10

// maxDatagram is the largest datagram that UDP carries.
const maxDatagram = 65535

// within runs f, whose reads and writes on c end when ctx does.
func within(ctx context.Context, c net.Conn, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil {
		return f()
	}
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.SetDeadline(time.Unix(1, 0)) // fails only where the connection is closed
		close(expired)
	})
	err := f()
	if stop() {
		return err
	}
	<-expired
	_ = c.SetDeadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// isPacket tells whether c carries datagrams.
func isPacket(c net.Conn) bool {
	a := c.LocalAddr()
	if a == nil {
		return false
	}
	n := a.Network()
	return strings.HasPrefix(n, "udp") || n == "unixgram"
}

// ask sends b as one datagram and gives the one that comes back.
func ask(c net.Conn, b []byte) ([]byte, error) {
	if _, err := c.Write(b); err != nil {
		return nil, err
	}
	buf := make([]byte, maxDatagram)
	n, err := c.Read(buf)
	return buf[:n:n], err
}

// readAll reads to the end of the stream, of a reply that fits in memory.
func readAll(c net.Conn) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(c, maxReply+1))
	if err == nil && len(b) > maxReply {
		err = fmt.Errorf("a reply of more than %d bytes", maxReply)
	}
	return b, err
}

// wrap names the conversation in an error.
func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
