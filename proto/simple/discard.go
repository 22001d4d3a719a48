package simple

import (
	"context"
	"net"

	"github.com/farend-go/farend/server"
)

// DiscardHandler takes what it gets and says nothing, until the peer closes
// (RFC 863).
func DiscardHandler() server.Handler { return discard{} }

type discard struct{}

func (discard) Mode() server.Mode { return server.Inline }

func (discard) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &discardSession{t: t}, nil
}

type discardSession struct {
	server.Anything
	t *server.Talk
}

var _ server.Session = (*discardSession)(nil)

func (s *discardSession) Turn(context.Context) error {
	_, err := s.t.R.Chunk()
	return err
}

func (s *discardSession) Close(error) error { return nil }

// DiscardPackets takes datagrams and answers none (RFC 863).
func DiscardPackets() server.PacketHandler {
	return server.InlineDatagram(func(context.Context, *server.Packet) error { return nil })
}

// Discard sends b, all of it, or as one datagram. That it was thrown away
// nobody can tell.
func Discard(ctx context.Context, c net.Conn, b []byte) error {
	return wrap("discard", within(ctx, c, func() error {
		_, err := c.Write(b)
		return err
	}))
}
