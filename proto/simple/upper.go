package simple

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/farend-go/farend/server"
)

const (
	upperReceive  = 1024 // what the tutorials' handle() receives
	upperDatagram = 8192 // socketserver.UDPServer.max_packet_size
)

// UpperHandler answers one receive of at most 1024 bytes with its Capitals and
// closes, as the tutorials' capitals server does. heard gets the peer and what
// it sent, with the blanks at both ends off; it must not wait, nor keep data.
// nil: nobody hears.
func UpperHandler(heard func(peer net.Addr, data []byte)) server.Handler {
	return server.Coroutine(func(_ context.Context, c net.Conn) error {
		buf := make([]byte, upperReceive)
		n, err := c.Read(buf)
		if err != nil && err != io.EOF { // at its end a stream receives b'', which is answered like any other
			return err
		}
		data := Strip(buf[:n])
		if heard != nil {
			heard(c.RemoteAddr(), data)
		}
		_, err = c.Write(raise(data))
		return err
	})
}

// UpperPackets answers each datagram with the Capitals of its first 8192
// bytes, one that is blank with an empty one. heard is UpperHandler's.
func UpperPackets(heard func(peer net.Addr, data []byte)) server.PacketHandler {
	return answering(func(p *server.Packet) error {
		data := Strip(p.Data[:min(len(p.Data), upperDatagram)])
		if heard != nil {
			heard(p.Peer(), data)
		}
		return p.Reply(raise(data))
	})
}

// Capitals is what the capitals server answers to b: the blanks at both ends
// off, ASCII's letters raised, every other byte as it is. Unlike bytes.ToUpper
// it knows no letters beyond ASCII, like the bytes.upper of Python.
func Capitals(b []byte) []byte { return raise(append([]byte(nil), Strip(b)...)) }

// Strip gives b without the ASCII blanks at its ends: what Python's
// bytes.strip does.
func Strip(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// raise makes capitals of b in place.
func raise(b []byte) []byte {
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return b
}

// Upper sends text as it is and gives the answer: all that comes until the
// server closes, or one datagram. The server has been given one receive: of a
// text of more than 1024 bytes it may answer less, and a server that closes
// with bytes unread cuts the connection; what came before is given then.
func Upper(ctx context.Context, c net.Conn, text []byte) ([]byte, error) {
	var back []byte
	err := within(ctx, c, func() (err error) {
		if isPacket(c) {
			back, err = ask(c, text)
			return err
		}
		if _, err = c.Write(text); err != nil {
			return err
		}
		back, err = readAll(c)
		if len(back) > 0 && errors.Is(err, syscall.ECONNRESET) {
			err = nil
		}
		return err
	})
	return back, wrap("upper", err)
}
