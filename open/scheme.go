package open

import "net/http"

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
