package open

import (
	"errors"
	"strings"
	"sync"
)

// ErrToken is a text that is no bearer token.
var ErrToken = errors.New("a bearer token holds letters, digits and -._~+/ only, and = at its end")

// HTTPBearerAuthHandler sends tokens (RFC 6750 section 2.1), unasked, to the
// URIs for which they were stored; where one is refused, the 401 is the
// caller's. The zero value knows none; any number of goroutines may use it.
type HTTPBearerAuthHandler struct {
	mu     sync.RWMutex
	tokens map[space]string
}

// AddToken stores a token for a URI and what lies below it, instead of one
// before. The URI has a scheme, so that a token for https never leaves in
// clear (RFC 6750 section 5.3). The error is ErrToken, or about the URI.
func (h *HTTPBearerAuthHandler) AddToken(uri, token string) error {
	body := strings.TrimRight(token, "=")
	if body == "" {
		return ErrToken
	}
	for i := range len(body) {
		if !isToken(body[i]) && body[i] != '/' || strings.IndexByte("!#$%&'*^`|", body[i]) >= 0 {
			return ErrToken
		}
	}
	s, err := storedSpace(uri)
	if err != nil {
		return err
	}
	if s.origin.scheme == "" {
		return errors.New("bearer token: the URI needs a scheme")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tokens == nil {
		h.tokens = map[space]string{}
	}
	h.tokens[s] = token
	return nil
}

// Join sends the tokens.
func (h *HTTPBearerAuthHandler) Join(p *Plan) { p.origin = append(p.origin, h) }

func (*HTTPBearerAuthHandler) rank() int { return 3 }

// ahead gives the token of the longest path that covers the URI.
func (h *HTTPBearerAuthHandler) ahead(t turn) (string, error) {
	target, err := parseSpace(t.uri)
	if err != nil {
		return "", nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	best, value := -1, ""
	for s, token := range h.tokens {
		if s.covers(target) && len(s.path) > best {
			best, value = len(s.path), "Bearer "+token
		}
	}
	return value, nil
}

func (*HTTPBearerAuthHandler) answer(turn, []Challenge) (string, error) { return "", nil }

func (*HTTPBearerAuthHandler) heard(turn, string, map[string]string) {}
