package transfer

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

func dialContext(d dial.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return d.DialNet(ctx, "tcp:"+address)
	}
}

// ear makes lines of what is said on a conversation.
type ear struct{ talk func(line string) }

// tap is what the dialer asks for each connection.
func (c *Client) tap(net.Conn) conv.Tap { return ear{c.o.Talk} }

// Hear hands the lines on. Secrets are masked by the conversation itself.
func (e ear) Hear(u conv.Utterance) {
	if u.Event != conv.Said {
		return
	}
	sign := "< "
	if u.Ours {
		sign = "> "
	}
	for line := range strings.Lines(string(u.Bytes)) {
		e.talk(sign + strings.TrimRight(line, "\r\n"))
	}
}

// overheard tells the heads of HTTP's requests and answers.
func (c *Client) overheard(next http.RoundTripper) http.RoundTripper {
	return heads{next, c.o.Talk}
}

type heads struct {
	next http.RoundTripper
	talk func(line string)
}

// RoundTrip tells, and hands on.
func (h heads) RoundTrip(req *http.Request) (*http.Response, error) {
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return h.next.RoundTrip(req)
	}
	h.talk("> " + req.Method + " " + req.URL.RequestURI() + " HTTP/1.1")
	h.talk("> Host: " + req.URL.Host)
	h.header("> ", req.Header)
	resp, err := h.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	h.talk("< " + resp.Proto + " " + resp.Status)
	h.header("< ", resp.Header)
	return resp, nil
}

func (h heads) header(sign string, fields http.Header) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range fields[name] {
			if name == "Authorization" || name == "Proxy-Authorization" || name == "Cookie" || name == "Set-Cookie" {
				value, _, _ = strings.Cut(value, " ")
				value += " ***"
			}
			h.talk(sign + name + ": " + value)
		}
	}
}
