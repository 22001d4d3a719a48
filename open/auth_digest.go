package open

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
)

// HTTPDigestAuthHandler answers an origin that asks for Digest (RFC 7616): MD5,
// SHA-256 and SHA-512-256, each also with -sess; qop auth, auth-int and none;
// userhash, nextnonce and stale. Once a nonce is known it is used, unasked, for
// what the server says it is good for, as far as the store has a password
// there. Of several challenges the first that is understood counts.
type HTTPDigestAuthHandler struct{ digester }

// NewHTTPDigestAuthHandler takes the passwords from a store, and from what
// AddPassword adds; a nil store is none.
func NewHTTPDigestAuthHandler(store PasswordStore) *HTTPDigestAuthHandler {
	return &HTTPDigestAuthHandler{digester{credentials: credentials{store: store}}}
}

// Join answers 401.
func (h *HTTPDigestAuthHandler) Join(p *Plan) {
	p.origin = append(p.origin, &h.digester)
}

// ProxyDigestAuthHandler answers a proxy that asks for Digest. Its URIs are
// those of proxies: http://proxy.example:3128 or proxy.example:3128.
type ProxyDigestAuthHandler struct{ digester }

// NewProxyDigestAuthHandler is as NewHTTPDigestAuthHandler.
func NewProxyDigestAuthHandler(store PasswordStore) *ProxyDigestAuthHandler {
	return &ProxyDigestAuthHandler{digester{credentials: credentials{store: store}}}
}

// Join answers 407.
func (h *ProxyDigestAuthHandler) Join(p *Plan) { p.proxy = append(p.proxy, &h.digester) }

// maxSessions is how many nonces are kept; beyond, all are forgotten.
const maxSessions = 1000

type digester struct {
	credentials
	// AuthInt prefers qop auth-int, which protects the body too, where the
	// server offers it. Set it before the first request.
	AuthInt bool

	mu       sync.Mutex
	sessions map[protection]*session
}

// AddPassword stores a user and password as HTTPPasswordMgr does.
func (d *digester) AddPassword(realm, uri, user, passwd string) error {
	return d.own.AddPassword(realm, uri, user, passwd)
}

// protection is where a nonce is good.
type protection struct {
	origin origin
	realm  string
}

// session is what is kept of a challenge.
type session struct {
	challenge Challenge
	qop       string
	nonce     string // that of the challenge, or a nextnonce
	nc        uint32
	cnonce    string // the first one, for -sess
	domain    []space
}

func (*digester) rank() int { return 2 }

func (d *digester) ahead(t turn) (string, error) {
	target, err := parseSpace(t.uri)
	if err != nil {
		return "", nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, s := range d.sessions {
		if key.origin != target.origin || !s.good(target) || s.qop == "auth-int" && !replayable(t.req) {
			continue
		}
		if user, passwd, ok := d.FindUserPassword(key.realm, t.uri); ok {
			return s.value(t, user, passwd)
		}
	}
	return "", nil
}

func (d *digester) answer(t turn, challenges []Challenge) (string, error) {
	target, err := parseSpace(t.uri)
	if err != nil {
		return "", nil
	}
	for _, c := range challenges {
		if !c.Is("Digest") || c.Params["nonce"] == "" {
			continue
		}
		_, known := auth.FindDigestAlgorithm(c.Params["algorithm"])
		qop, some := chooseQOP(c, d.AuthInt)
		if !known || !some {
			continue
		}
		user, passwd, ok := d.FindUserPassword(c.Realm(), t.uri)
		if !ok {
			continue
		}
		s := &session{challenge: c, qop: qop, nonce: c.Params["nonce"], cnonce: rand.Text(), domain: domains(c, t.uri)}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.sessions == nil || len(d.sessions) >= maxSessions {
			d.sessions = map[protection]*session{}
		}
		d.sessions[protection{target.origin, c.Realm()}] = s
		return s.value(t, user, passwd)
	}
	return "", nil
}

// heard takes up a nextnonce (RFC 7616 section 3.5).
func (d *digester) heard(t turn, value string, info map[string]string) {
	next := info["nextnonce"]
	target, err := parseSpace(t.uri)
	if next == "" || err != nil {
		return
	}
	_, params, _ := strings.Cut(value, " ")
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[protection{target.origin, parseParams(params)["realm"]}]; s != nil && s.nonce != next {
		s.nonce, s.nc = next, 0
	}
}

// good tells whether the nonce may serve for a URI.
func (s *session) good(target space) bool {
	if len(s.domain) == 0 {
		return true
	}
	for _, d := range s.domain {
		if d.covers(target) {
			return true
		}
	}
	return false
}

// domains reads the domain of a challenge (RFC 7616 section 3.3): URIs with
// spaces between, of which only those of the same origin mean anything here.
func domains(c Challenge, uri string) []space {
	base, err := url.Parse(uri)
	if err != nil {
		return nil
	}
	var out []space
	for word := range strings.FieldsSeq(c.Params["domain"]) {
		u, err := base.Parse(word)
		if err != nil || originOf(u) != originOf(base) {
			continue
		}
		if s, err := storedSpace(u.String()); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// value makes the next response of the session. The caller holds the lock.
func (s *session) value(t turn, user, passwd string) (string, error) {
	d := digest{
		challenge: s.challenge, user: user, passwd: passwd,
		method: t.method, uri: t.target, qop: s.qop, nonce: s.nonce, cnonce: s.cnonce,
	}
	d.first.nonce, d.first.cnonce = s.challenge.Params["nonce"], s.cnonce
	s.nc++
	d.nc = s.nc
	if s.qop == "auth-int" {
		a, _ := auth.FindDigestAlgorithm(s.challenge.Params["algorithm"])
		var err error
		if d.bodyHash, err = hashBody(a, t.req); err != nil {
			return "", err
		}
	}
	return d.value()
}

func hashBody(a auth.DigestAlgorithm, req *http.Request) (string, error) {
	body, err := rewind(req)
	if err != nil {
		return "", err
	}
	if body == nil {
		body = http.NoBody
	}
	defer body.Close()
	w := a.New()
	if _, err := io.Copy(w, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(w.Sum(nil)), nil
}
