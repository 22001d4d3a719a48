package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"

	"github.com/farend-go/farend/server"
)

// The tutorials' capitals server, and a client that talks to it.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	srv := &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		buf := make([]byte, 1024)
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		_, err = c.Write(bytes.ToUpper(bytes.TrimSpace(buf[:n])))
		return err
	})}
	l, err := server.Listen(ctx, "localhost:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- srv.Serve(ctx, l) }()

	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(c, "hello, world")
	answer, err := io.ReadAll(c)
	fmt.Printf("%s %v\n", answer, err)
	c.Close()
	stop()
	fmt.Println(<-done)
	// Output:
	// HELLO, WORLD <nil>
	// <nil>
}

// greeter answers each line with a greeting, and never waits within a Turn:
// the events engine runs it on its loop.
type greeter struct{}

func (greeter) Mode() server.Mode { return server.Inline }

func (greeter) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &greeting{t}, t.W.LineString("who are you?")
}

type greeting struct{ t *server.Talk }

func (g *greeting) Turn(context.Context) error {
	name, err := g.t.R.Line()
	if err != nil {
		return err
	}
	if len(name) == 0 {
		return io.EOF
	}
	return g.t.W.LineString("hello, " + string(name))
}

func (g *greeting) Close(error) error { return nil }

// A session answers one request per Turn, on either engine.
func ExampleSession() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	srv := &server.Server{Handler: greeter{}, Engine: server.Events()}
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- srv.Serve(ctx, l) }()

	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(c, "Ann\r\nBob\r\n\r\n")
	said, err := io.ReadAll(c)
	fmt.Printf("%s%v\n", bytes.ReplaceAll(said, []byte("\r"), nil), err)
	c.Close()
	stop()
	fmt.Println(<-done)
	// Output:
	// who are you?
	// hello, Ann
	// hello, Bob
	// <nil>
	// <nil>
}
