// Command greet-server is the tutorials' simple server: it binds this host's
// own name, greets whoever connects, and says who that was.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/farend-go/farend/socket"
)

func main() {
	port := flag.Int("port", 12345, "the port that is reserved for the service")
	flag.Parse()
	ctx := context.Background()

	s, err := socket.New() // AF_INET, SOCK_STREAM
	check(err)
	host, err := socket.GetHostname()
	check(err)
	check(s.Bind(ctx, socket.Pair(host, *port)))
	check(s.Listen(5))
	for {
		c, addr, err := s.Accept(ctx)
		check(err)
		fmt.Println("Got connection from", socket.Tuple(addr))
		if _, err := c.SendAll(ctx, []byte("Thank you for connecting")); err != nil {
			fmt.Fprintln(os.Stderr, err) // this client is gone; the next one may stay
		}
		c.Close()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
