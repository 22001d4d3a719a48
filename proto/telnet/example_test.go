package telnet_test

import (
	"fmt"

	"github.com/farend-go/farend/proto/telnet"
)

// Two ends without a connection: one asks for the other's window.
func ExampleNVT() {
	server := telnet.NewNVT(telnet.Options{Server: true, Do: []telnet.Option{telnet.NAWS}})
	client := telnet.NewNVT(telnet.Options{Window: true})
	client.SetWindow(80, 24)
	_ = server.Ask(telnet.DO, telnet.NAWS)
	for range 2 {
		b := server.Out()
		fmt.Printf("S: %x\n", b)
		client.Next(b)
		for b = client.Out(); len(b) > 0; {
			fmt.Printf("C: %x\n", b)
			var e telnet.Event
			for e.Kind = telnet.Data; e.Kind != telnet.Nothing; {
				e, b = server.Next(b)
			}
		}
	}
	fmt.Println(server.Peer.Width, server.Peer.Height)
	// Output:
	// S: fffd1f
	// C: fffb1ffffa1f00500018fff0
	// S:
	// 80 24
}
