// Command upper-udp-client is the tutorials' UDP client: it sends its arguments
// as one datagram, without a connection, and prints what came back.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/farend-go/farend/socket"
)

func main() {
	host := flag.String("host", "localhost", "where the server runs")
	port := flag.Int("port", 9999, "its port")
	wait := flag.Duration("wait", 5*time.Second, "how long to wait for an answer, which may be lost")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *wait)
	defer cancel()
	if err := talk(ctx, *host, *port, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		os.Exit(1)
	}
}

func talk(ctx context.Context, host string, port int, data string) error {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.SendTo(ctx, []byte(data+"\n"), socket.Pair(host, port)); err != nil {
		return err
	}
	received, err := s.Recv(ctx, 1024)
	if err != nil {
		return err
	}
	fmt.Printf("Sent:     %s\nReceived: %s\n", data, received)
	return nil
}
