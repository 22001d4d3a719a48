package web

import "github.com/farend-go/farend/proto"

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	methods := []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", "TRACE", "CONNECT"}
	return []proto.Protocol{
		{Name: "http", Verbs: methods, About: "files and pages; the World Wide Web", RFC: "RFC 9110, RFC 9112", Port: 80, Schemes: []string{"http"}, Stream: true, Client: true, Server: true},
		{Name: "https", Verbs: methods, About: "http over TLS, with HTTP/2", RFC: "RFC 9110, RFC 9113", Port: 443, Schemes: []string{"https"}, Stream: true, Client: true, Server: true},
	}
}
