// Command echo-client is the tutorials' echo client: it sends a few bytes and
// prints what comes back as Python shows bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/farend-go/farend/socket"
)

func main() {
	host := flag.String("host", "localhost", "where the echo server runs")
	port := flag.Int("port", 50007, "its port")
	flag.Parse()
	if err := talk(context.Background(), *host, *port); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func talk(ctx context.Context, host string, port int) error {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(ctx, socket.Pair(host, port)); err != nil {
		return err
	}
	if _, err := s.SendAll(ctx, []byte("Hello, world")); err != nil {
		return err
	}
	data, err := s.Recv(ctx, 1024)
	if err != nil {
		return err
	}
	fmt.Println("受信データ", socket.Repr(data))
	return nil
}
