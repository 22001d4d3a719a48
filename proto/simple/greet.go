package simple

import (
	"context"
	"io"
	"net"

	"github.com/farend-go/farend/server"
)

// Welcome is what the greeting server says, without a line end.
const Welcome = "Thank you for connecting"

// GreetHandler says Welcome to everyone and closes. connected hears of each
// peer, before the greeting leaves; it must not wait. nil: nobody does. The
// tutorials' server prints "Got connection from" and [socket.Tuple] there.
func GreetHandler(connected func(peer net.Addr)) server.Handler { return greet{connected} }

type greet struct{ connected func(net.Addr) }

func (greet) Mode() server.Mode { return server.Inline }

func (h greet) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	if h.connected != nil {
		h.connected(t.RemoteAddr())
	}
	return hangUp(t.W.WriteString(Welcome))
}

// hangUp is the end of an Open that has said everything.
func hangUp(_ int, err error) (server.Session, error) {
	if err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// Greeting reads what a greeting server says until it closes: a greeting may
// come in pieces, so that one receive is not enough.
func Greeting(ctx context.Context, c net.Conn) (string, error) {
	var b []byte
	err := within(ctx, c, func() (err error) {
		b, err = readAll(c)
		return err
	})
	return string(b), wrap("greet", err)
}
