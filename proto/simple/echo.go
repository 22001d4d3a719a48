package simple

import (
	"context"
	"io"
	"net"

	"github.com/farend-go/farend/server"
)

// EchoHandler gives back what it gets until the peer closes (RFC 862).
func EchoHandler() server.Handler { return echo{} }

type echo struct{}

func (echo) Mode() server.Mode { return server.Inline }

func (echo) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &echoSession{t: t}, nil
}

type echoSession struct {
	server.Anything
	t *server.Talk
}

var _ server.Session = (*echoSession)(nil)

func (s *echoSession) Turn(context.Context) error {
	b, err := s.t.R.Chunk()
	if err != nil {
		return err
	}
	_, err = s.t.W.Write(b)
	return err
}

func (s *echoSession) Close(error) error { return nil }

// EchoPackets sends every datagram back (RFC 862).
func EchoPackets() server.PacketHandler {
	return answering(func(p *server.Packet) error { return p.Reply(p.Data) })
}

// answering makes a handler of what answers each datagram. Two services that
// answer anything would go on for ever once somebody lets them begin, with a
// forged sender: what comes from the well-known port of one is dropped, as
// inetd does.
func answering(answer func(p *server.Packet) error) server.PacketHandler {
	return server.InlineDatagram(func(_ context.Context, p *server.Packet) error {
		switch p.AddrPort().Port() {
		case 7, 13, 17, 19, 37: // echo, daytime, qotd, chargen, time
			return nil
		}
		return answer(p)
	})
}

// Echo sends b and gives what comes back, as many bytes as b has; on a
// datagram connection one datagram, which may be lost: then it returns when
// ctx ends. io.ErrUnexpectedEOF: the peer closed before.
func Echo(ctx context.Context, c net.Conn, b []byte) ([]byte, error) {
	var back []byte
	err := within(ctx, c, func() (err error) {
		if isPacket(c) {
			back, err = ask(c, b)
			return err
		}
		back, err = exchange(c, b)
		return err
	})
	return back, wrap("echo", err)
}

// exchange writes b while it reads as much: a peer that cannot send any more
// does not read either.
func exchange(c net.Conn, b []byte) ([]byte, error) {
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write(b)
		wrote <- err
	}()
	back := make([]byte, len(b))
	n, err := io.ReadFull(c, back)
	if err != nil { // then nobody may be reading what is still being written
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		unblockWrite(c)
	}
	if werr := <-wrote; err == nil {
		err = werr
	}
	return back[:n:n], err
}
