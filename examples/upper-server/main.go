// Command upper-server is the tutorials' TCP server: it prints what a client
// wrote and answers in capitals, until Ctrl-C.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"

	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

func handle(_ context.Context, c net.Conn) error {
	buf := make([]byte, 1024)
	n, err := c.Read(buf) // the connection to the client
	if err != nil {
		return err
	}
	data := bytes.Trim(buf[:n], " \t\r\n\v\f")
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	fmt.Printf("%s wrote:\n%s\n", host, socket.Repr(data))
	_, err = c.Write(capitals(data))
	return err
}

// capitals does what Python's bytes.upper does: it changes ASCII letters and
// leaves all other bytes alone (bytes.ToUpper would read them as Unicode).
func capitals(b []byte) []byte {
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return b
}

func main() {
	address := flag.String("address", "localhost:9999", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	srv := server.Server{Handler: server.Stream(handle)}
	if err := srv.ListenAndServe(ctx, *address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}
