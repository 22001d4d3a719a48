package open

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var (
	// ErrTooManyRedirects is a chain of redirects longer than allowed.
	ErrTooManyRedirects = errors.New("too many redirects")
	// ErrRedirectScheme is a redirect to another protocol: from http to file,
	// say. Only http and https may lead to each other.
	ErrRedirectScheme = errors.New("redirect to another protocol")
	// ErrRedirectHost is a redirect that leaves the host, where that is not allowed.
	ErrRedirectHost = errors.New("redirect to another host")
)

// HTTPRedirectHandler says which redirects are followed. Whatever it says, the
// scheme never changes except between http and https, and what the caller put
// into Authorization, Proxy-Authorization or Cookie by hand goes to its own
// origin only: scheme, host and port. The zero value follows ten.
type HTTPRedirectHandler struct {
	Max      int  // how many; 0: 10, less: none, so that the 3xx is the answer
	SameHost bool // those that leave the host are ErrRedirectHost
	// NoDowngrade refuses the way from https to http, by ErrRedirectScheme.
	NoDowngrade bool
}

// Join sets the policy.
func (h HTTPRedirectHandler) Join(p *Plan) { p.Client.CheckRedirect = h.check }

func (h HTTPRedirectHandler) check(req *http.Request, via []*http.Request) error {
	limit := h.Max
	switch {
	case limit < 0:
		return http.ErrUseLastResponse
	case limit == 0:
		limit = 10
	}
	last := via[len(via)-1]
	if from, to := last.URL.Scheme, req.URL.Scheme; from != to && !(isHTTP(from) && isHTTP(to)) ||
		h.NoDowngrade && from == "https" && to == "http" {
		return fmt.Errorf("%w: from %s to %s", ErrRedirectScheme, from, to)
	}
	if h.SameHost && !strings.EqualFold(last.URL.Hostname(), req.URL.Hostname()) {
		return fmt.Errorf("%w: %s", ErrRedirectHost, req.URL.Hostname())
	}
	if len(via) > limit {
		return fmt.Errorf("%w: %d", ErrTooManyRedirects, limit)
	}
	// net/http lets these go to subdomains, to other ports and from https to
	// http; a chain that has once left the origin does not get them back.
	for _, r := range via {
		if originOf(r.URL) != originOf(req.URL) {
			for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "Cookie2"} {
				req.Header.Del(name)
			}
		}
	}
	return nil
}

func isHTTP(scheme string) bool { return scheme == "http" || scheme == "https" }

// An origin is what credentials belong to (RFC 6454).
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.port == "" {
		o.port = map[string]string{"http": "80", "https": "443", "ftp": "21"}[o.scheme]
	}
	return o
}
