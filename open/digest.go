package open

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/farend-go/farend/auth"
)

// digest is all that one response is made of (RFC 7616 section 3.4).
type digest struct {
	challenge    Challenge
	user, passwd string
	method, uri  string
	qop          string // auth, auth-int, or "" for RFC 2069
	nonce        string
	cnonce       string
	nc           uint32
	first        struct{ nonce, cnonce string } // of the session, for -sess
	bodyHash     string                         // for auth-int
}

// response is the proof (section 3.4.1).
func (d *digest) response(a auth.DigestAlgorithm) string {
	secret := a.Sum(d.user, d.challenge.Realm(), d.passwd)
	if a.Sess {
		secret = a.Sum(secret, d.first.nonce, d.first.cnonce)
	}
	a2 := []string{d.method, d.uri}
	if d.qop == "auth-int" {
		a2 = append(a2, d.bodyHash)
	}
	return a.Response(secret, d.nonce, fmt.Sprintf("%08x", d.nc), d.cnonce, d.qop, a2...)
}

// value is the field's value (section 3.4).
func (d *digest) value() (string, error) {
	a, _ := auth.FindDigestAlgorithm(d.challenge.Params["algorithm"])
	var b strings.Builder
	name, err := d.username(a)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "Digest %s, realm=%s, nonce=%s, uri=%s, response=%q",
		name, quote(d.challenge.Realm()), quote(d.nonce), quote(d.uri), d.response(a))
	if v, ok := d.challenge.Params["algorithm"]; ok {
		b.WriteString(", algorithm=" + v)
	}
	if v, ok := d.challenge.Params["opaque"]; ok {
		b.WriteString(", opaque=" + quote(v))
	}
	if d.qop != "" {
		fmt.Fprintf(&b, ", qop=%s, nc=%08x, cnonce=%s", d.qop, d.nc, quote(d.cnonce))
	} else if a.Sess {
		b.WriteString(", cnonce=" + quote(d.cnonce))
	}
	if d.hashesUser() {
		b.WriteString(", userhash=true")
	}
	return b.String(), header(b.String())
}

func (d *digest) hashesUser() bool { return strings.EqualFold(d.challenge.Params["userhash"], "true") }

// username is the parameter that names the user (sections 3.4.3 and 3.4.4):
// hashed, or by RFC 8187 where it is beyond ASCII and the server knows UTF-8.
func (d *digest) username(a auth.DigestAlgorithm) (string, error) {
	if d.hashesUser() {
		return `username="` + a.Sum(d.user, d.challenge.Realm()) + `"`, nil
	}
	beyond := strings.IndexFunc(d.user, func(r rune) bool { return r > 0x7e || r < 0x20 }) >= 0
	if beyond && strings.EqualFold(d.challenge.Params["charset"], "UTF-8") {
		return "username*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(d.user), "+", "%20"), nil
	}
	return "username=" + quote(d.user), header(d.user)
}

// chooseQOP picks from a list such as "auth,auth-int". ok is false where none
// is known; no list at all is RFC 2069.
func chooseQOP(c Challenge, preferInt bool) (qop string, ok bool) {
	list, given := c.Params["qop"]
	if !given || strings.TrimSpace(list) == "" {
		return "", true
	}
	var auth, authInt bool
	for word := range strings.SplitSeq(list, ",") {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "auth":
			auth = true
		case "auth-int":
			authInt = true
		}
	}
	if authInt && (preferInt || !auth) {
		return "auth-int", true
	}
	return "auth", auth
}

// stale tells that a fresh nonce is all that was missing.
func stale(challenges []Challenge) bool {
	for _, c := range challenges {
		if c.Is("Digest") && strings.EqualFold(c.Params["stale"], "true") {
			return true
		}
	}
	return false
}
