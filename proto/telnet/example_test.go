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
	asked := server.Out()
	client.Next(asked)
	told := client.Out()
	fmt.Printf("S: %x\nC: %x\n", asked, told)
	for len(told) > 0 {
		_, told = server.Next(told)
	}
	fmt.Println(server.Peer.Width, server.Peer.Height)
	// Output:
	// S: fffd1f
	// C: fffb1ffffa1f00500018fff0
	// 80 24
}
