// Command echo-server is the tutorials' echo server: on every interface it
// waits for one client, sends back what that says, and ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/farend-go/farend/socket"
)

func main() {
	port := flag.Int("port", 50007, "a port that nobody uses")
	flag.Parse()
	if err := serve(context.Background(), *port); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, port int) error {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Bind(ctx, socket.Pair("", port)); err != nil { // "": every interface
		return err
	}
	if err := s.Listen(1); err != nil {
		return err
	}
	conn, addr, err := s.Accept(ctx)
	if err != nil {
		return err
	}
	s.Close() // one client is served; a second one is refused
	// With closes conn when the function returns, even if it panics.
	return socket.With(conn, func(conn *socket.Sock) error {
		fmt.Println("接続されました by", socket.Tuple(addr))
		for {
			data, err := conn.Recv(ctx, 1024)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if _, err := conn.SendAll(ctx, data); err != nil {
				return err
			}
		}
	})
}
