// Command upper-udp-server is the tutorials' UDP server: it prints each
// datagram and answers it in capitals, until Ctrl-C.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

func handle(_ context.Context, p *server.Packet) error {
	data := bytes.Trim(p.Data, " \t\r\n\v\f")
	fmt.Printf("%s wrote:\n%s\n", p.AddrPort().Addr(), socket.Repr(data))
	return p.Reply(capitals(data)) // to whoever sent it; nobody confirms that it came
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

	if err := serve(ctx, *address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string) error {
	pc, err := socket.ListenPacket(ctx, "udp", address, socket.ListenConfig{})
	if err != nil {
		return err
	}
	srv := server.Server{Packets: server.InlineDatagram(handle)}
	return srv.ServePacket(ctx, pc)
}
