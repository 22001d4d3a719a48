package talk

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"sync"
	"unicode/utf8"
)

// Bytes are what was said, as events of JSON have it: text, or base64 where it
// is not UTF-8.
type Bytes struct {
	Text   *string `json:"text,omitempty"`
	Base64 *string `json:"base64,omitempty"`
}

// BytesOf makes them of b.
func BytesOf(b []byte) Bytes {
	if text := string(b); utf8.ValidString(text) {
		return Bytes{Text: &text}
	}
	coded := base64.StdEncoding.EncodeToString(b)
	return Bytes{Base64: &coded}
}

// Events tells a conversation in newline-delimited JSON, one object for what
// was said at once. It may be used by several goroutines. A write that fails is
// the conversation's end: every method returns its error.
type Events struct {
	mu sync.Mutex
	w  io.Writer
}

// NewEvents tells it to w.
func NewEvents(w io.Writer) *Events { return &Events{w: w} }

// Listening tells where a peer may come to.
func (e *Events) Listening(at net.Addr) error {
	return e.tell(struct {
		Event   string `json:"event"`
		Network string `json:"network"`
		Address string `json:"address"`
	}{"listening", at.Network(), at.String()})
}

// Opened tells who the peer is, and the version of TLS if it is spoken. Unix
// sockets may have no name.
func (e *Events) Opened(p *Peer) error {
	event := struct {
		Event string `json:"event"`
		Local string `json:"local"`
		Peer  string `json:"peer"`
		TLS   string `json:"tls,omitempty"`
	}{Event: "opened", Local: text(p.nc.LocalAddr()), Peer: text(p.nc.RemoteAddr())}
	if state, ok := p.TLS(); ok {
		event.TLS = tls.VersionName(state.Version)
	}
	return e.tell(event)
}

// said tells what one side said: a datagram, or what came of a stream at once.
func (e *Events) said(ours bool, b []byte) error {
	by := "theirs"
	if ours {
		by = "ours"
	}
	return e.tell(struct {
		Event string `json:"event"`
		By    string `json:"by"`
		Bytes
	}{"said", by, BytesOf(b)})
}

// Closed tells the end; failed is nil where it was a good one.
func (e *Events) Closed(failed error) error {
	why := ""
	if failed != nil {
		why = failed.Error()
	}
	return e.tell(struct {
		Event string `json:"event"`
		Error string `json:"error,omitempty"`
	}{"closed", why})
}

func (e *Events) tell(event any) error {
	b, err := json.Marshal(event)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err = e.w.Write(append(b, '\n'))
	return err
}

func text(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
