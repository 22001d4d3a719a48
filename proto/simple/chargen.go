package simple

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/farend-go/farend/server"
)

const (
	chargenWidth = 72  // characters of a line
	chargenRing  = 95  // printing characters of ASCII
	chargenMost  = 512 // characters of a datagram
)

// Pattern is the lines of RFC 864's example until they repeat: 95 lines of 72
// characters, each one further along the ring of ASCII's printing characters,
// from '!' on.
func Pattern() []byte {
	b := make([]byte, 0, chargenRing*(chargenWidth+2))
	for line := range chargenRing {
		for i := range chargenWidth {
			b = append(b, byte(' '+(line+i+1)%chargenRing))
		}
		b = append(b, '\r', '\n')
	}
	return b
}

// ChargenHandler sends the Pattern over and over until the peer closes, and
// throws away what it gets (RFC 864). It goes as fast as the peer reads; a
// peer that has closed its writing half may read on.
func ChargenHandler() server.Handler {
	pattern := Pattern()
	return server.Stream(func(_ context.Context, c net.Conn) error { return generate(c, pattern) })
}

// generate writes for ever and reads beside that. A read that fails is the end
// of both, as is a write.
func generate(c net.Conn, pattern []byte) error {
	var (
		read error
		wg   sync.WaitGroup
	)
	wg.Go(func() {
		if _, read = io.Copy(io.Discard, c); read != nil {
			unblockWrite(c)
		}
	})
	var wrote error
	for wrote == nil {
		_, wrote = c.Write(pattern)
	}
	_ = c.SetReadDeadline(time.Unix(1, 0)) // fails only where the connection is closed
	wg.Wait()
	if errors.Is(read, server.ErrStopping) {
		return nil
	}
	return wrote
}

// unblockWrite ends a Write on c that another goroutine waits in.
func unblockWrite(c net.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) }

// ChargenPackets answers each datagram with one of 0 to 512 characters of the
// Pattern, how many is chance (RFC 864).
func ChargenPackets() server.PacketHandler {
	pattern := Pattern()
	return answering(func(p *server.Packet) error {
		return p.Reply(pattern[:rand.IntN(chargenMost+1)]) //nolint:gosec // no secret depends on it
	})
}

// Chargen fills b from a character generator, of which there is always more;
// on a datagram connection it asks for one datagram, and n may be anything
// from 0 to 512 (what does not fit in b is lost).
func Chargen(ctx context.Context, c net.Conn, b []byte) (n int, err error) {
	err = within(ctx, c, func() (err error) {
		if !isPacket(c) {
			n, err = io.ReadFull(c, b)
			return err
		}
		got, err := ask(c, nil)
		n = copy(b, got)
		return err
	})
	return n, wrap("chargen", err)
}
