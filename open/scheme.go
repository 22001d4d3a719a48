package open

import (
	"net/http"

	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/telnet"
)

// A Scheme is how URLs of one scheme are opened. As a Handler it joins an
// opener.
type Scheme struct {
	Name string // in lower case: "ftp"
	// RoundTripper gets every request for a URL of this scheme. It closes the
	// request's Body, ends with the request's context, and answers with a
	// status of HTTP that says the same.
	RoundTripper http.RoundTripper
}

// Join takes the scheme in; the last one of its name counts.
func (s Scheme) Join(p *Plan) { p.schemes[s.Name] = s.RoundTripper }

// Schemes is several schemes as one Handler.
type Schemes []Scheme

// Join takes each of them in.
func (s Schemes) Join(p *Plan) {
	for _, one := range s {
		one.Join(p)
	}
}

// FTP is ftp: and ftps: (RFC 1738 section 3.2), as an ftp.Transport opens them:
// as anonymous where the URL has no login. Sessions are kept for a while, and
// CloseIdleConnections of the opener ends them.
func FTP(o ftp.Options) Schemes {
	t := &ftp.Transport{Options: o}
	return Schemes{{"ftp", t}, {"ftps", t}}
}

// Gopher is gopher: and gophers: (RFC 4266), as a gopher.Transport opens them;
// nil is the zero Client.
func Gopher(c *gopher.Client) Schemes {
	t := &gopher.Transport{Client: c}
	return Schemes{{"gopher", t}, {"gophers", t}}
}

// NNTP is nntp:, nntps: and news: (RFC 5538), as an nntp.Transport opens them.
// server is where news: URLs without a host are opened, as host or host:port;
// "": localhost.
func NNTP(o nntp.Options, server string) Schemes {
	t := &nntp.Transport{Options: o, Server: server}
	return Schemes{{"nntp", t}, {"nntps", t}, {"news", t}}
}

// Telnet is telnet: and telnets: (RFC 4248), as a telnet.Transport opens them:
// the Body is what the server says until it hangs up, and what a PUT or POST
// carries is typed meanwhile.
func Telnet(o telnet.ClientOptions) Schemes {
	t := &telnet.Transport{Options: o}
	return Schemes{{"telnet", t}, {"telnets", t}}
}

// New is a client over a clone of base that knows more schemes, and follows
// redirects as the zero HTTPRedirectHandler does. With a nil base it is a
// transport as BuildOpener has it, without a proxy. The connections are the
// client's own: CloseIdleConnections closes those at rest.
func New(base *http.Transport, schemes ...Scheme) *http.Client {
	p := newPlan(base)
	HTTPRedirectHandler{}.Join(p)
	for _, s := range schemes {
		s.Join(p)
	}
	return p.finish()
}
