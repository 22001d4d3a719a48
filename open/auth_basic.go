package open

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// ErrColon is a user that Basic cannot carry: the colon ends it (RFC 7617
// section 2).
var ErrColon = errors.New("a user of Basic authentication holds no colon")

// BasicCredentials is the value of Authorization for a user and a password, in
// UTF-8 where the strings are (RFC 7617 section 2.1). The password may hold any
// byte. The error is ErrColon.
func BasicCredentials(user, passwd string) (string, error) {
	if strings.Contains(user, ":") {
		return "", ErrColon
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+passwd)), nil
}

// ParseBasicCredentials takes such a value apart.
func ParseBasicCredentials(value string) (user, passwd string, ok bool) {
	r := http.Request{Header: http.Header{"Authorization": {value}}}
	return r.BasicAuth()
}

// credentials is what the handlers have in common: a store of their own, and
// one that was given.
type credentials struct {
	own   HTTPPasswordMgr
	store PasswordStore
}

// FindUserPassword looks into the handler's own store, then into the given.
func (c *credentials) FindUserPassword(realm, uri string) (user, passwd string, ok bool) {
	if user, passwd, ok = c.own.FindUserPassword(realm, uri); ok || c.store == nil {
		return user, passwd, ok
	}
	return c.store.FindUserPassword(realm, uri)
}

// HTTPBasicAuthHandler answers an origin that asks for Basic (RFC 7617), once
// for each request: where the answer is refused, the 401 is the caller's. It
// sends nothing unasked, except to URIs of which a HTTPPasswordMgrWithPriorAuth
// says so.
type HTTPBasicAuthHandler struct{ basic }

// NewHTTPBasicAuthHandler takes the passwords from a store, and from what
// AddPassword adds; a nil store is none.
func NewHTTPBasicAuthHandler(store PasswordStore) *HTTPBasicAuthHandler {
	return &HTTPBasicAuthHandler{basic{credentials{store: store}}}
}

// Join answers 401.
func (h *HTTPBasicAuthHandler) Join(p *Plan) { p.origin = append(p.origin, &h.basic) }

// ProxyBasicAuthHandler answers a proxy that asks for Basic. Its URIs are those
// of proxies: http://proxy.example:3128 or proxy.example:3128.
type ProxyBasicAuthHandler struct{ basic }

// NewProxyBasicAuthHandler is as NewHTTPBasicAuthHandler.
func NewProxyBasicAuthHandler(store PasswordStore) *ProxyBasicAuthHandler {
	return &ProxyBasicAuthHandler{basic{credentials{store: store}}}
}

// Join answers 407.
func (h *ProxyBasicAuthHandler) Join(p *Plan) { p.proxy = append(p.proxy, &h.basic) }

type basic struct{ credentials }

// AddPassword stores a user and password as HTTPPasswordMgr does. The error is
// ErrColon, or says what is wrong with the URI.
func (b *basic) AddPassword(realm, uri, user, passwd string) error {
	if strings.Contains(user, ":") {
		return ErrColon
	}
	return b.own.AddPassword(realm, uri, user, passwd)
}

func (*basic) rank() int { return 1 }

func (b *basic) ahead(t turn) (string, error) {
	prior, ok := b.store.(interface{ IsAuthenticated(uri string) bool })
	if !ok || !prior.IsAuthenticated(t.uri) {
		return "", nil
	}
	user, passwd, ok := b.store.FindUserPassword(AnyRealm, t.uri)
	if !ok {
		return "", nil
	}
	return BasicCredentials(user, passwd)
}

func (b *basic) answer(t turn, challenges []Challenge) (string, error) {
	for _, c := range challenges {
		if !c.Is("Basic") {
			continue
		}
		if user, passwd, ok := b.FindUserPassword(c.Realm(), t.uri); ok {
			return BasicCredentials(user, passwd)
		}
	}
	return "", nil
}

func (*basic) heard(turn, string, map[string]string) {}

// byRank sorts the strongest first.
func byRank(all []authenticator) []authenticator {
	return slices.SortedStableFunc(slices.Values(all), func(a, b authenticator) int { return b.rank() - a.rank() })
}
