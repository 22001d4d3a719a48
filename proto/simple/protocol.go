package simple

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		{Name: "greet", About: "the tutorials' greeting", Stream: true, Client: true, Server: true},
		{Name: "echo", About: "gives back what it gets", RFC: "RFC 862", Port: 7, Stream: true, Packet: true, Client: true, Server: true},
		{Name: "upper", About: "the tutorials' capitals", Stream: true, Packet: true, Client: true, Server: true},
		{Name: "discard", About: "takes everything, says nothing", RFC: "RFC 863", Port: 9, Stream: true, Packet: true, Client: true, Server: true},
		{Name: "chargen", About: "characters without end", RFC: "RFC 864", Port: 19, Stream: true, Packet: true, Client: true, Server: true},
		{Name: "daytime", About: "the time for people", RFC: "RFC 867", Port: 13, Stream: true, Packet: true, Client: true, Server: true},
		{Name: "time", About: "the time for machines", RFC: "RFC 868", Port: 37, Stream: true, Packet: true, Client: true, Server: true},
	}
}
