package telnet

import "github.com/farend-go/farend/proto"

// DefaultPort and DefaultTLSPort are the ports of telnet and telnets.
const (
	DefaultPort    = 23
	DefaultTLSPort = 992
)

// Protocols describes what is in this package: telnet, and telnets, which
// begins with TLS.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		{
			Name: "telnet", About: "a terminal, line by line or byte by byte", RFC: "RFC 854, RFC 1143", Port: DefaultPort,
			Schemes: []string{"telnet"}, Stream: true, Client: true, Server: true,
		},
		{
			Name: "telnets", About: "telnet over TLS", RFC: "RFC 854", Port: DefaultTLSPort,
			Schemes: []string{"telnets"}, Stream: true, Client: true, Server: true,
		},
	}
}
