package ftp

import (
	"maps"
	"slices"

	"github.com/farend-go/farend/proto"
)

// Protocols describes what is in this package.
func Protocols() []proto.Protocol {
	verbs := slices.Sorted(maps.Keys(verbTable()))
	return []proto.Protocol{
		{Name: "ftp", About: "files, with a connection of their own for each", RFC: "RFC 959", Port: 21, Schemes: []string{"ftp"}, Stream: true, Client: true, Server: true, Verbs: verbs},
		{Name: "ftps", About: "ftp over TLS from the beginning", RFC: "RFC 4217", Port: 990, Schemes: []string{"ftps"}, Stream: true, Client: true, Server: true, Verbs: verbs},
	}
}
