package gopher

import "github.com/farend-go/farend/proto"

// Protocol describes this protocol.
func Protocol() proto.Protocol {
	return proto.Protocol{
		Name: "gopher", About: "menus and the documents behind them", RFC: "RFC 1436, RFC 4266", Port: DefaultPort,
		Schemes: []string{"gopher", "gophers"}, Stream: true, Client: true, Server: true,
	}
}
