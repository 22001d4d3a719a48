package pop3

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		{Name: "pop3", About: "fetching mail from a maildrop", RFC: "RFC 1939", Port: 110, Schemes: []string{"pop", "pop3"}, Stream: true, Client: true, Server: true},
		{Name: "pop3s", About: "pop3 over TLS from the beginning", RFC: "RFC 8314", Port: 995, Schemes: []string{"pops", "pop3s"}, Stream: true, Client: true, Server: true},
	}
}
