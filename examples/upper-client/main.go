// Command upper-client is the tutorials' TCP client: it sends its arguments as
// one line and prints what it sent and what came back.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/farend-go/farend/socket"
)

func main() {
	host := flag.String("host", "localhost", "where the server runs")
	port := flag.Int("port", 9999, "its port")
	flag.Parse()
	if err := talk(context.Background(), *host, *port, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func talk(ctx context.Context, host string, port int, data string) error {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(ctx, socket.Pair(host, port)); err != nil {
		return err
	}
	if _, err := s.SendAll(ctx, []byte(data+"\n")); err != nil {
		return err
	}
	received, err := s.Recv(ctx, 1024)
	if err != nil {
		return err
	}
	fmt.Printf("Sent:     %s\nReceived: %s\n", data, received)
	return nil
}
