package proto_test

import (
	"fmt"

	"github.com/farend-go/farend/proto"
)

func ExampleProtocol() {
	p := proto.Protocol{Name: "echo", About: "gives back what it gets", RFC: "RFC 862", Port: 7, Stream: true, Packet: true}
	fmt.Printf("%s (%s, port %d): %s\n", p.Name, p.RFC, p.Port, p.About)
	// Output: echo (RFC 862, port 7): gives back what it gets
}
