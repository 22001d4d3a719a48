package snippets

import (
	"context"
	"net"

	"github.com/farend-go/farend/server"
)

// DatagramServer sends each datagram back to whoever sent it, until ctx ends.
func DatagramServer(ctx context.Context, pc net.PacketConn) error {
	srv := server.Server{Packets: server.InlineDatagram(func(_ context.Context, p *server.Packet) error {
		return p.Reply(p.Data)
	})}
	return srv.ServePacket(ctx, pc)
}
