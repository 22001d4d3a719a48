package open

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// An authenticator answers challenges of one scheme.
type authenticator interface {
	// rank orders those that could answer: the strongest first.
	rank() int
	// ahead is what goes to a URI unasked; "" is nothing.
	ahead(t turn) (value string, err error)
	// answer is what goes in answer to the challenges; "" is nothing.
	answer(t turn, challenges []Challenge) (value string, err error)
	// heard is told the Authentication-Info of an answer to value.
	heard(t turn, value string, info map[string]string)
}

// A turn is one request to authenticate.
type turn struct {
	req    *http.Request
	method string
	uri    string // as the store knows it: absolute
	target string // as the request line has it (RFC 9112 section 3.2)
}

// maxAnswers is how often a request may carry a credential. Once is enough;
// only a nonce kept from before may have grown stale (RFC 7616 section 3.3).
const maxAnswers = 2

// fields names the fields of an origin's or a proxy's authentication.
type fields struct {
	status                  int
	challenge, value, infos string
}

var (
	originFields = fields{http.StatusUnauthorized, "Www-Authenticate", "Authorization", "Authentication-Info"}
	proxyFields  = fields{http.StatusProxyAuthRequired, "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info"}
)

// originAuth answers 401.
type originAuth struct {
	next http.RoundTripper
	auth []authenticator
}

func (a *originAuth) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isHTTP(req.URL.Scheme) || len(req.Header.Values("Authorization")) > 0 {
		return a.next.RoundTrip(req) // the caller's own word stands
	}
	uri := *req.URL
	uri.User, uri.Fragment = nil, ""
	t := turn{req: req, method: method(req), uri: uri.String(), target: uri.RequestURI()}
	return converse(a.next, a.auth, t, originFields)
}

func method(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

// converse sends a request, and again with an answer to its challenge.
func converse(next http.RoundTripper, auth []authenticator, t turn, f fields) (*http.Response, error) {
	value, by, err := ahead(auth, t)
	if err != nil {
		return nil, closing(t.req, err)
	}
	body, unasked := t.req.Body, value != ""
	for answers := 0; ; {
		req := t.req.Clone(t.req.Context())
		req.Body = body
		if value != "" {
			req.Header.Set(f.value, value)
			answers++
		}
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		if by != nil && value != "" {
			by.heard(t, value, parseParams(resp.Header.Get(f.infos)))
		}
		if resp.StatusCode != f.status || answers >= maxAnswers || !replayable(t.req) {
			return resp, nil
		}
		again, by2, err := answer(auth, t, ParseChallenges(resp.Header, f.challenge), value, unasked)
		if err != nil {
			resp.Body.Close()
			return nil, err
		}
		if again == "" {
			return resp, nil
		}
		value, by, unasked = again, by2, false
		if body, err = rewind(t.req); err != nil {
			resp.Body.Close()
			return nil, err
		}
		finish(resp)
	}
}

// closing closes the body of a request that was not sent, as a RoundTripper has
// to.
func closing(req *http.Request, err error) error {
	if req.Body != nil {
		req.Body.Close()
	}
	return err
}

func ahead(auth []authenticator, t turn) (string, authenticator, error) {
	for _, a := range auth {
		value, err := a.ahead(t)
		if value != "" || err != nil {
			return value, a, err
		}
	}
	return "", nil, nil
}

// answer asks the authenticators, strongest first. A value that has just been
// refused is no answer. After one to a challenge was refused, only a fresh
// nonce for a stale one helps.
func answer(auth []authenticator, t turn, challenges []Challenge, refused string, unasked bool) (string, authenticator, error) {
	for _, a := range byRank(auth) {
		value, err := a.answer(t, challenges)
		if err != nil {
			return "", nil, err
		}
		if value == "" || value == refused {
			continue
		}
		if refused != "" && !unasked && !stale(challenges) {
			return "", nil, nil
		}
		return value, a, nil
	}
	return "", nil, nil
}

// replayable tells whether the body can be sent again.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func rewind(req *http.Request) (io.ReadCloser, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req.Body, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("send the body again: %w", err)
	}
	return body, nil
}

// finish reads a little of a body that nobody wants, so that its connection
// can be used again, and closes it.
func finish(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // whatever happens, it is closed
	resp.Body.Close()
}

// requestTarget is how a proxy gets the URL of a request (RFC 9112 section
// 3.2.2).
func requestTarget(u *url.URL) string {
	t := *u
	t.User, t.Fragment = nil, ""
	if t.Path == "" && t.Opaque == "" {
		t.Path = "/"
	}
	return t.String()
}
