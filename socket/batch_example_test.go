package socket_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"

	"github.com/farend-go/farend/socket"
)

// A sender and a receiver that each make one system call, where the system
// has one for many datagrams.
func ExampleRecvBatch() {
	ctx := context.Background()
	a, err := socket.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	b, err := socket.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := b.Bind(ctx, socket.Pair("127.0.0.1", 0)); err != nil {
		log.Fatal(err)
	}
	at, err := b.Getsockname()
	if err != nil {
		log.Fatal(err)
	}

	out := socket.NewSendBatch(socket.AF_INET, socket.BatchOptions{})
	for _, word := range []string{"spam", "eggs", "ham"} {
		out.Add([]byte(word), at.(socket.InetAddr).AddrPort, netip.Addr{})
	}
	if _, err := a.SendBatch(ctx, out); err != nil {
		log.Fatal(err)
	}

	in := socket.NewRecvBatch(socket.BatchOptions{})
	for heard := 0; heard < 3; {
		n, err := b.RecvBatch(ctx, in)
		if err != nil {
			log.Fatal(err)
		}
		for i := range n {
			d := in.At(i)
			for data := range d.All() { // one, but of a train
				fmt.Printf("%s\n", data)
				heard++
			}
		}
	}
	// Output:
	// spam
	// eggs
	// ham
}
