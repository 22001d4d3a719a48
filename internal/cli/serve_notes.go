package cli

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/internal/cli/talk"
	"github.com/farend-go/farend/socket"
)

// noteText is what the tutorials' servers print, as on their pages.
func noteText(n app.Note) []byte {
	if !n.Wrote {
		return []byte("Got connection from " + printed(n.Peer) + "\n")
	}
	return fmt.Appendf(nil, "%s wrote:\n%s\n", peerHost(n.Peer), socket.Repr(n.Data))
}

// printed is an address as Python's print shows it: the path of a Unix socket
// without quotes, so that nothing is left of a peer without a name.
func printed(a net.Addr) string {
	tuple := socket.Tuple(a)
	if path, ok := a.(*net.UnixAddr); ok && !strings.HasPrefix(tuple, "b'") {
		return strings.TrimPrefix(path.Name, "@")
	}
	return tuple
}

// peerHost is Python's client_address[0]; a Unix socket's name, if it has one.
func peerHost(a net.Addr) string {
	if a == nil || a.String() == "" || a.String() == "@" {
		return "somebody"
	}
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}

// noteJSON is the same as an event.
func noteJSON(n app.Note) []byte {
	event := struct {
		Event   string `json:"event"`
		Service string `json:"service"`
		Peer    string `json:"peer"`
		talk.Bytes
	}{Event: "connected", Service: n.Service}
	if n.Peer != nil && n.Peer.String() != "@" { // which is nobody's name
		event.Peer = n.Peer.String()
	}
	if n.Wrote {
		event.Event, event.Bytes = "wrote", talk.BytesOf(n.Data)
	}
	b, err := json.Marshal(event)
	if err != nil {
		panic(err) // texts only
	}
	return append(b, '\n')
}
