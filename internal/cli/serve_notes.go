package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"unicode/utf8"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/socket"
)

// noteText is what the tutorials' servers print, as on their pages.
func noteText(n app.Note) []byte {
	if !n.Wrote {
		return []byte("Got connection from " + socket.Tuple(n.Peer) + "\n")
	}
	return fmt.Appendf(nil, "%s wrote:\n%s\n", peerHost(n.Peer), socket.Repr(n.Data))
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
		Event   string  `json:"event"`
		Service string  `json:"service"`
		Peer    string  `json:"peer"`
		Text    *string `json:"text,omitempty"`
		Base64  *string `json:"base64,omitempty"` // instead of text that is not UTF-8
	}{Event: "connected", Service: n.Service}
	if n.Peer != nil {
		event.Peer = n.Peer.String()
	}
	if n.Wrote {
		event.Event = "wrote"
		if text := string(n.Data); utf8.ValidString(text) {
			event.Text = &text
		} else {
			coded := base64.StdEncoding.EncodeToString(n.Data)
			event.Base64 = &coded
		}
	}
	b, err := json.Marshal(event)
	if err != nil {
		panic(err) // texts only
	}
	return append(b, '\n')
}
