package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/farend-go/farend/auth"
)

// Auth is an http.Handler that asks who comes before it hands a request on: by
// Digest (RFC 7616) where Logins keeps passwords, and by Basic (RFC 7617) where
// it takes plain ones on the connection. Its fields are set before it serves
// and not changed afterwards; it may be used by several goroutines, and is not
// copied after the first use.
type Auth struct {
	Next  http.Handler
	Realm string
	// Need tells which requests need a login; nil: all. See Writes.
	Need func(r *http.Request) bool
	// Logins is who may come in, and how slowly guessing goes. nil: nobody.
	Logins *auth.Authenticator

	// Algorithms of Digest that are offered, the strongest first, of MD5,
	// SHA-256 and SHA-512-256, each also with -sess; others are left out. nil:
	// SHA-256 and MD5, which every client knows one of.
	Algorithms []string
	// AuthInt offers qop auth-int too, which protects the body of a request: one
	// of up to so many bytes is kept in memory until it has been checked, a
	// longer one is 413. 0: it is not offered.
	AuthInt int64

	once       sync.Once
	nonces     nonces
	algorithms []auth.DigestAlgorithm
}

var _ http.Handler = (*Auth)(nil)

// Writes tells the requests that change something from those that do not (RFC
// 9110 section 9.2.1). It is an Auth.Need.
func Writes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

type userKey struct{}

// User is the name by which whoever sent r has logged in to an Auth; "" is
// nobody.
func User(r *http.Request) string {
	name, _ := r.Context().Value(userKey{}).(string)
	return name
}

// Errors of a login that is not to be.
var (
	errNobody = errors.New("nobody has said who he is, in a way that we know")
	errStale  = errors.New("right, but for a nonce that is too old")
)

// ServeHTTP asks, or hands on.
func (a *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Need != nil && !a.Need(r) {
		a.Next.ServeHTTP(w, r)
		return
	}
	a.once.Do(func() {
		_, _ = rand.Read(a.nonces.key[:]) // never fails
		a.algorithms = algorithmsOf(a.Algorithms)
	})
	user, err := a.login(w, r)
	status, told := errors.AsType[Status](err)
	switch {
	case err == nil:
		a.Next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	case told:
		refuse(w, int(status), "")
	case errors.Is(err, errNobody), errors.Is(err, errStale), errors.Is(err, auth.ErrRefused), errors.Is(err, auth.ErrClear):
		w.Header()["Www-Authenticate"] = a.challenges(channelOf(r), errors.Is(err, errStale))
		refuse(w, http.StatusUnauthorized, "")
	case r.Context().Err() == nil:
		refuse(w, http.StatusInternalServerError, "")
	}
}

// login gives who sent a request.
func (a *Auth) login(w http.ResponseWriter, r *http.Request) (user string, err error) {
	value, ok := field(r.Header, "Authorization")
	if !ok || a.Logins == nil {
		return "", errNobody
	}
	scheme, rest, _ := strings.Cut(value, " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		return a.basic(r, rest)
	case strings.EqualFold(scheme, "Digest") && a.Logins.DigestAllowed():
		return a.digest(w, r, rest)
	}
	return "", errNobody
}

// channelOf is what is known of a connection.
func channelOf(r *http.Request) auth.Channel {
	ch := auth.Channel{TLS: r.TLS}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		ch.Peer = net.TCPAddrFromAddrPort(at)
	} else { // a socket of this machine
		ch.Peer = &net.UnixAddr{Name: r.RemoteAddr, Net: "unix"}
	}
	return ch
}

// challenges are what to answer with, the strongest first: one field each.
// The name of a parameter may be spelled in any case. Python's urllib wants
// "algorithm" in small letters, and before 3.14 gives up when it finds one that
// it does not know; like this it takes the challenge for one of MD5, as it
// should.
func (a *Auth) challenges(ch auth.Channel, isStale bool) []string {
	realm := quoted(a.Realm)
	var out []string
	if a.Logins != nil && a.Logins.DigestAllowed() {
		more := ", charset=UTF-8"
		if isStale {
			more = ", stale=true" + more
		}
		qop := `"auth"`
		if a.AuthInt > 0 {
			qop = `"auth, auth-int"`
		}
		nonce := a.nonces.fresh()
		for _, alg := range a.algorithms {
			c := "Digest realm=" + realm + ", qop=" + qop + ", Algorithm=" + alg.Name + ", nonce=" + quoted(nonce) + more
			if _, named := a.Logins.Accounts.(auth.Named); named && !strings.HasPrefix(alg.Name, "MD5") { // whose clients may be older than userhash
				c += ", userhash=true"
			}
			out = append(out, c)
		}
	}
	if a.Logins == nil || a.Logins.PlainAllowed(ch) || len(out) == 0 {
		out = append(out, "Basic realm="+realm+`, charset="UTF-8"`)
	}
	return out
}

// basic checks a name and password (RFC 7617 section 2).
func (a *Auth) basic(r *http.Request, token string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Trim(token, " \t"))
	user, password, ok := strings.Cut(string(b), ":")
	if err != nil || !ok {
		return "", errNobody
	}
	id, err := a.Logins.CheckPassword(r.Context(), user, password, channelOf(r))
	return id.Authentication, err
}
