package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// algorithmsOf are those of the names; nil is SHA-256 and MD5.
func algorithmsOf(names []string) []auth.DigestAlgorithm {
	if names == nil {
		names = []string{"SHA-256", "MD5"}
	}
	var out []auth.DigestAlgorithm
	for _, name := range names {
		if alg, ok := auth.FindDigestAlgorithm(name); ok {
			out = append(out, alg)
		}
	}
	return out
}

// proof is what a client says with Digest.
type proof struct {
	Params
	alg   auth.DigestAlgorithm
	count uint32
	body  string // the hash of the body, for auth-int
}

// proofOf reads credentials; false: they are not such as we asked for.
func (a *Auth) proofOf(r *http.Request, text string) (p proof, ok bool) {
	p.Params, ok = ParseParams(text)
	if !ok || p.Params["realm"] != a.Realm || p.Params["cnonce"] == "" {
		return p, false
	}
	if qop := p.Params["qop"]; qop != "auth" && (qop != "auth-int" || a.AuthInt <= 0) {
		return p, false
	}
	if uri := p.Params["uri"]; uri != r.RequestURI && uri != r.URL.RequestURI() {
		return p, false
	}
	p.alg, _ = auth.FindDigestAlgorithm(p.Params["algorithm"])
	asked := slices.ContainsFunc(a.algorithms, func(alg auth.DigestAlgorithm) bool { return alg.Name == p.alg.Name })
	count, err := strconv.ParseUint(p.Params["nc"], 16, 32)
	if !asked || err != nil || len(p.Params["nc"]) != 8 {
		return p, false
	}
	p.count = uint32(count)
	return p, true
}

// user is who the proof is about, or "" (RFC 7616 sections 3.4 and 3.4.4).
func (a *Auth) user(p proof) string {
	name, extended := p.Params["username"], p.Params["username*"]
	if strings.EqualFold(p.Params["userhash"], "true") {
		return a.unhashed(p.alg, name)
	}
	if name != "" || extended == "" {
		return name
	}
	charset, rest, _ := strings.Cut(extended, "'") // RFC 8187
	_, text, ok := strings.Cut(rest, "'")
	text, err := url.PathUnescape(text)
	if !ok || err != nil || !strings.EqualFold(charset, "UTF-8") {
		return ""
	}
	return text
}

// unhashed finds the name of a hash.
func (a *Auth) unhashed(alg auth.DigestAlgorithm, hashed string) string {
	named, ok := a.Logins.Accounts.(auth.Named)
	if !ok {
		return ""
	}
	found := ""
	for _, name := range named.Names() { // all of them: how long it takes tells nothing
		if strings.EqualFold(alg.Sum(name, a.Realm), hashed) {
			found = name
		}
	}
	return found
}

// digest checks credentials (RFC 7616 section 3.4), and tells the client that
// we know the password as well (section 3.5).
func (a *Auth) digest(w http.ResponseWriter, r *http.Request, text string) (string, error) {
	p, ok := a.proofOf(r, text)
	if !ok {
		return "", errNobody
	}
	user, nonce := a.user(p), p.Params["nonce"]
	ours := a.nonces.ours(nonce)
	if p.Params["qop"] == "auth-int" {
		if !ours { // no body is kept for whom we did not ask
			return "", errStale
		}
		if err := a.keep(r, &p); err != nil {
			return "", err
		}
	}
	secret := ""
	id, err := a.Logins.CheckDigest(r.Context(), user, []byte(strings.ToLower(p.Params["response"])), func(password string) []byte {
		var response string
		secret, response = p.expected(r.Method, p.alg.Sum(user, a.Realm, password), a.nonces.first(nonce))
		return []byte(response)
	}, channelOf(r))
	switch {
	case err != nil:
		return "", err
	case !ours || !a.nonces.use(nonce, p.Params["cnonce"], p.count):
		return "", errStale
	}
	w.Header()["Authentication-Info"] = []string{a.info(p, secret)}
	return id.Authentication, nil
}

// expected is the response that is right, and the hash of the password that it
// was made of. With -sess that depends on the cnonce with which the nonce was
// first used; some clients take that of the request itself.
func (p proof) expected(method, secret, first string) (used, response string) {
	if !p.alg.Sess {
		return secret, p.response(secret, method)
	}
	for _, cnonce := range []string{first, p.Params["cnonce"]} {
		used = p.alg.Sum(secret, p.Params["nonce"], cnonce)
		if response = p.response(used, method); cnonce != "" && strings.EqualFold(response, p.Params["response"]) {
			break
		}
	}
	return used, response
}

// response is section 3.4.1; without a method it is what the server answers
// with.
func (p proof) response(secret, method string) string {
	a2 := []string{method, p.Params["uri"]}
	if p.Params["qop"] == "auth-int" {
		a2 = append(a2, p.body)
	}
	return p.alg.Response(secret, p.Params["nonce"], p.Params["nc"], p.Params["cnonce"], p.Params["qop"], a2...)
}

// info is Authentication-Info. For auth-int it would need the hash of what is
// answered, and goes without the proof. Of a nonce that is getting old it names
// the next; not with -sess, whose sessions go with their first nonce.
func (a *Auth) info(p proof, secret string) string {
	text := "qop=" + p.Params["qop"] + ", cnonce=" + quoted(p.Params["cnonce"]) + ", nc=" + p.Params["nc"]
	if p.Params["qop"] == "auth" {
		text += ", rspauth=" + quoted(p.response(secret, ""))
	}
	if !p.alg.Sess && age(p.Params["nonce"]) > nonceLife/2 {
		text += ", nextnonce=" + quoted(a.nonces.fresh())
	}
	return text
}

// keep reads the body, to be checked and then read again.
func (a *Auth) keep(r *http.Request, p *proof) error {
	if r.ContentLength > a.AuthInt {
		return Status(http.StatusRequestEntityTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, a.AuthInt+1))
	if err != nil {
		return errors.Join(Status(http.StatusBadRequest), err)
	}
	if int64(len(body)) > a.AuthInt {
		return Status(http.StatusRequestEntityTooLarge)
	}
	p.body = p.alg.Sum(string(body))
	r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(body), r.Body}
	return nil
}
