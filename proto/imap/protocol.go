package imap

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		{Name: "imap", About: "mail that stays on the server", RFC: "RFC 9051", Port: 143, Schemes: []string{"imap"}, Stream: true, Client: true, Server: true},
		{Name: "imaps", About: "imap over TLS from the beginning", RFC: "RFC 8314", Port: 993, Schemes: []string{"imaps"}, Stream: true, Client: true, Server: true},
	}
}
