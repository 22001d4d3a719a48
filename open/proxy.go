package open

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/farend-go/farend/dial"
)

// ProxyHandler says by which proxy http and https go. The zero value takes that
// from the environment: http_proxy, https_proxy, all_proxy and no_proxy, in
// capitals too; HTTP_PROXY in capitals counts only outside of CGI, where a
// client could set it. The environment is read when the opener is built.
type ProxyHandler struct {
	// Proxies are URLs by the scheme of the request: "http", "https" or "all".
	// A proxy is http, https, socks5 or socks5h. nil is the environment, an
	// empty map no proxy at all.
	Proxies map[string]string
	// NoProxy names what is reached directly, between commas: a name and what
	// is below it (example.org, also with a port), an address, a range
	// (10.0.0.0/8), * for all. It is only for Proxies by hand.
	NoProxy string
}

// Join sets the proxies. A URL that cannot be read is the error of each request
// that would have gone that way.
func (h ProxyHandler) Join(p *Plan) {
	if h.Proxies == nil {
		h = environment(os.Getenv)
	}
	p.Transport.Proxy = h.proxy
}

func environment(get func(string) string) ProxyHandler {
	h := ProxyHandler{Proxies: map[string]string{}}
	either := func(name string) string {
		if v := get(name); v != "" {
			return v
		}
		if name == "http_proxy" && get("REQUEST_METHOD") != "" {
			return ""
		}
		return get(strings.ToUpper(name))
	}
	for _, scheme := range []string{"http", "https", "all"} {
		if v := either(scheme + "_proxy"); v != "" {
			h.Proxies[scheme] = v
		}
	}
	h.NoProxy = either("no_proxy")
	return h
}

func (h ProxyHandler) proxy(req *http.Request) (*url.URL, error) {
	text := h.Proxies[req.URL.Scheme]
	if text == "" {
		text = h.Proxies["all"]
	}
	if text == "" || bypass(h.NoProxy, req.URL) {
		return nil, nil
	}
	p, err := dial.ParseProxy(text)
	if err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: string(p.Scheme), Host: strings.TrimPrefix(p.String(), string(p.Scheme)+"://")}
	if p.User != "" {
		u.User = url.UserPassword(p.User, p.Password)
	}
	return u, nil
}

// bypass tells whether a no_proxy list names the host of a URL.
func bypass(list string, u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	isAddr := err == nil
	addr = addr.Unmap()
	for word := range strings.SplitSeq(list, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "" {
			continue
		}
		if word == "*" {
			return true
		}
		if prefix, err := netip.ParsePrefix(word); err == nil {
			if isAddr && prefix.Contains(addr) {
				return true
			}
			continue
		}
		name, port := splitPort(word)
		if port != "" && port != originOf(u).port {
			continue
		}
		if a, err := netip.ParseAddr(name); err == nil {
			if isAddr && a.Unmap() == addr {
				return true
			}
			continue
		}
		name = strings.Trim(strings.TrimPrefix(name, "*"), ".")
		if name != "" && (host == name || strings.HasSuffix(host, "."+name)) {
			return true
		}
	}
	return false
}

// splitPort takes a port off; IPv6 stands in brackets then.
func splitPort(s string) (host, port string) {
	if strings.HasPrefix(s, "[") {
		host, rest, _ := strings.Cut(s[1:], "]")
		return host, strings.TrimPrefix(rest, ":")
	}
	if strings.Count(s, ":") != 1 {
		return s, ""
	}
	host, port, _ = strings.Cut(s, ":")
	return host, port
}

// proxyAuth answers 407: of a proxy that gets the request itself, and of one
// that is asked for a tunnel. What an origin says inside a tunnel, or without
// a proxy, is not heard.
type proxyAuth struct {
	next  http.RoundTripper
	proxy func(*http.Request) (*url.URL, error)
	auth  []authenticator

	mu      sync.Mutex
	refusal map[string][]Challenge // of tunnels, by proxy
}

// connectError is a 407 to CONNECT that could be answered.
type connectError struct{ status string }

func (e *connectError) Error() string { return "the proxy answers " + e.status }

// Is tells that it is a question of user and password.
func (e *connectError) Is(target error) bool { return target == dial.ErrProxyAuth }

func newProxyAuth(next http.RoundTripper, t *http.Transport, auth []authenticator) http.RoundTripper {
	a := &proxyAuth{next: next, proxy: t.Proxy, auth: auth, refusal: map[string][]Challenge{}}
	t.GetProxyConnectHeader = a.connectHeader
	t.OnProxyConnectResponse = a.connected
	return a
}

func (a *proxyAuth) RoundTrip(req *http.Request) (*http.Response, error) {
	proxy := (*url.URL)(nil)
	if a.proxy != nil && isHTTP(req.URL.Scheme) {
		var err error
		if proxy, err = a.proxy(req); err != nil {
			return nil, closing(req, err)
		}
	}
	switch {
	case proxy == nil || !isHTTP(proxy.Scheme) || proxy.User != nil:
		return a.next.RoundTrip(req)
	case req.URL.Scheme == "http":
		t := turn{req: req, method: method(req), uri: proxyURI(proxy), target: requestTarget(req.URL)}
		return converse(a.next, a.auth, t, proxyFields)
	}
	for range maxAnswers {
		resp, err := a.next.RoundTrip(req)
		var refused *connectError
		if err == nil || !errors.As(err, &refused) || !replayable(req) {
			return resp, err
		}
		body, err := rewind(req)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	return a.next.RoundTrip(req)
}

func proxyURI(proxy *url.URL) string { return proxy.Scheme + "://" + proxy.Host + "/" }

// connectHeader gives CONNECT an answer to the last refusal, which is then
// used up.
func (a *proxyAuth) connectHeader(_ context.Context, proxy *url.URL, target string) (http.Header, error) {
	t := connectTurn(proxy, target)
	a.mu.Lock()
	challenges := a.refusal[proxyURI(proxy)]
	a.mu.Unlock()
	value, _, err := ahead(a.auth, t)
	if value == "" && err == nil && len(challenges) > 0 {
		value, _, err = answer(a.auth, t, challenges, "", false)
	}
	if value == "" || err != nil {
		return nil, err
	}
	return http.Header{"Proxy-Authorization": {value}}, nil
}

// connected looks at what the proxy says to CONNECT.
func (a *proxyAuth) connected(_ context.Context, proxy *url.URL, req *http.Request, resp *http.Response) error {
	value := req.Header.Get("Proxy-Authorization")
	t := connectTurn(proxy, req.URL.Opaque)
	for _, one := range a.auth {
		if value != "" {
			one.heard(t, value, parseParams(resp.Header.Get("Proxy-Authentication-Info")))
		}
	}
	if resp.StatusCode != http.StatusProxyAuthRequired {
		return nil
	}
	challenges := ParseChallenges(resp.Header, "Proxy-Authenticate")
	again, _, err := answer(a.auth, t, challenges, value, false)
	if err != nil || again == "" {
		return fmt.Errorf("proxy %s: %w", proxy.Host, errors.Join(dial.HTTPReply(resp.StatusCode), err))
	}
	a.mu.Lock()
	a.refusal[proxyURI(proxy)] = challenges
	a.mu.Unlock()
	return &connectError{resp.Status}
}

func connectTurn(proxy *url.URL, target string) turn {
	return turn{req: &http.Request{}, method: http.MethodConnect, uri: proxyURI(proxy), target: target}
}
