package smtp

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		{Name: "smtp", About: "mail on its way from host to host", RFC: "RFC 5321", Port: 25, Schemes: []string{"smtp"}, Stream: true, Client: true, Server: true},
		{Name: "smtps", About: "smtp over TLS from the beginning", RFC: "RFC 8314", Port: 465, Schemes: []string{"smtps"}, Stream: true, Client: true, Server: true},
		{Name: "submission", About: "mail from its writer's program", RFC: "RFC 6409", Port: 587, Stream: true, Client: true, Server: true},
		{Name: "lmtp", About: "mail into mailboxes, an answer for each", RFC: "RFC 2033", Port: 24, Stream: true, Client: true, Server: true},
	}
}
