package app

import (
	"net"
	"slices"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto"
	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

// A Service is a protocol and how it is served here.
type Service struct {
	proto.Protocol
	Serve    int    // the port on 127.0.0.1 where nobody says otherwise
	OwnName  bool   // also on the loopback addresses of this host's own name
	Logins   bool   // clients log in: without users it is for this host alone
	Keeps    bool   // it keeps mail or news
	Scheme   string // of its URLs; "": its name, if it has schemes
	UsesTree bool   // it serves the tree of files
	UsesTLS  bool   // there is a certificate wherever it runs
	TLS      bool   // every connection begins with a handshake
	OwnTLS   bool   // its handler shakes hands, not the server
	NoVerbs  bool   // its requests are any bytes: no rule can wait for one of them
	Replies  bool   // its handler takes replies from the rules by which to misbehave
	Try      string // a command to try; %s is the URL, CA_FILE the authority's certificate

	Idle time.Duration // how long a client may say nothing; 0: 5 min
	Turn time.Duration // how long one request may take, its data included; 0: 5 min

	Stream  func(a *App, at Address) server.Handler   // nil: not spoken over streams
	Packets func(say func(Note)) server.PacketHandler // nil: not over datagrams
	// LoginToWrite is Logins, where what it serves can be changed.
	LoginToWrite bool
	NextProtos   []string // what its TLS offers by ALPN; nil: nothing
	// Veil hides secrets that only the protocol can find from an ear; nil: the
	// handler does.
	Veil func(conv.Tap) conv.Tap
}

// Note is what a service has to say beside its work: what the tutorials'
// servers print. Of a connection there is a Peer, and Data where the server
// prints that too; it is valid during the call.
type Note struct {
	Service string
	Peer    net.Addr
	Wrote   bool // Data is what the peer wrote
	Data    []byte
}

// Catalogue is every service that exists, in the order in which they are
// listed.
func Catalogue() []Service {
	said := func(c func() server.Handler) func(*App, Address) server.Handler {
		return func(*App, Address) server.Handler { return c() }
	}
	packets := func(c func() server.PacketHandler) func(func(Note)) server.PacketHandler {
		return func(func(Note)) server.PacketHandler { return c() }
	}
	out := []Service{
		{
			Protocol: proto.Protocol{Name: "greet"}, Serve: 12345, OwnName: true, Try: "farend talk %s",
			Stream: func(a *App, _ Address) server.Handler { return simple.GreetHandler(connected("greet", a.cfg.Say)) },
		},
		{
			Protocol: proto.Protocol{Name: "echo"}, Serve: 50007, Try: "printf 'Hello, world' | farend talk %s",
			Stream: said(simple.EchoHandler), Packets: packets(simple.EchoPackets),
		},
		{
			Protocol: proto.Protocol{Name: "upper"}, Serve: 9999, Try: "echo hello | farend talk %s",
			Stream:  func(a *App, _ Address) server.Handler { return simple.UpperHandler(wrote("upper", a.cfg.Say)) },
			Packets: func(say func(Note)) server.PacketHandler { return simple.UpperPackets(wrote("upper", say)) },
		},
		{
			Protocol: proto.Protocol{Name: "discard"}, Serve: 9009, Try: "echo nothing | farend talk %s",
			Stream: said(simple.DiscardHandler), Packets: packets(simple.DiscardPackets),
		},
		{
			Protocol: proto.Protocol{Name: "chargen"}, Serve: 9019, Try: "farend talk %s | head",
			Stream: said(simple.ChargenHandler), Packets: packets(simple.ChargenPackets),
		},
		{
			Protocol: proto.Protocol{Name: "daytime"}, Serve: 9013, Try: "farend talk %s",
			Stream:  said(func() server.Handler { return simple.DaytimeHandler(nil) }),
			Packets: packets(func() server.PacketHandler { return simple.DaytimePackets(nil) }),
		},
		{
			Protocol: proto.Protocol{Name: "time"}, Serve: 9037, Try: "farend talk %s | od -An -tu4 --endian=big",
			Stream:  said(func() server.Handler { return simple.TimeHandler(nil) }),
			Packets: packets(func() server.PacketHandler { return simple.TimePackets(nil) }),
		},
	}
	described := simple.Protocols()
	for i := range out {
		at := slices.IndexFunc(described, func(p proto.Protocol) bool { return p.Name == out[i].Name })
		out[i].Protocol, out[i].NoVerbs = described[at], true
	}
	out = append(out, treeServices()...)
	out = append(out, webServices()...)
	return append(append(append(out, mailServices()...), newsServices()...), telnetServices()...)
}

// Networks are those on which the service listens at a host and port.
func (s Service) Networks() []string {
	var out []string
	if s.Stream != nil {
		out = append(out, "tcp")
	}
	if s.Packets != nil {
		out = append(out, "udp")
	}
	return out
}

func connected(service string, say func(Note)) func(net.Addr) {
	if say == nil {
		return nil
	}
	return func(peer net.Addr) { say(Note{Service: service, Peer: peer}) }
}

func wrote(service string, say func(Note)) func(net.Addr, []byte) {
	if say == nil {
		return nil
	}
	return func(peer net.Addr, data []byte) { say(Note{Service: service, Peer: peer, Wrote: true, Data: data}) }
}

// names are those of the services.
func names(of []Service) []string {
	var out []string
	for _, s := range of {
		out = append(out, s.Name)
	}
	return out
}
