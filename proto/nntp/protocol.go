package nntp

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	verbs := Verbs()
	return []proto.Protocol{
		{Name: "nntp", About: "reading and posting Netnews, and feeding it on", RFC: "RFC 3977", Port: 119, Schemes: []string{"nntp", "news"}, Stream: true, Client: true, Server: true, Verbs: verbs},
		{Name: "nntps", About: "nntp over TLS from the beginning", RFC: "RFC 8143", Port: 563, Schemes: []string{"nntps"}, Stream: true, Client: true, Server: true, Verbs: verbs},
	}
}
