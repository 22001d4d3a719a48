// Command greet-client is the tutorials' simple client: it connects to this
// host's own name, prints what is said there, and closes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/farend-go/farend/socket"
)

func main() {
	port := flag.Int("port", 12345, "the port of the service")
	flag.Parse()
	ctx := context.Background()

	s, err := socket.New()
	check(err)
	defer s.Close()
	host, err := socket.GetHostname()
	check(err)
	check(s.Connect(ctx, socket.Pair(host, *port)))

	// One Recv gives what has come so far, which for a greeting this short is
	// all of it. ReadAll would wait for the end of the stream.
	greeting, err := s.Recv(ctx, 1024)
	check(err)
	fmt.Println(string(greeting))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
