package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Auth is an http.Handler that asks who comes before it hands a request on: by
// Digest (RFC 7616) with SHA-256 or MD5, or Basic (RFC 7617). Its fields are
// set before it serves and not changed afterwards; it may be used by several
// goroutines, and is not copied after the first use.
type Auth struct {
	Next  http.Handler
	Realm string
	// Need tells which requests need a login; nil: all. See Writes.
	Need func(r *http.Request) bool
	// Password gives the password of a user, for which Digest must know it;
	// nil: there is no Digest.
	Password func(user string) (password string, known bool)
	// Check tells whether somebody is who they say; nil: by Password. An
	// unknown user takes it as long as a wrong password.
	Check func(ctx context.Context, user, password string) bool
	Delay time.Duration // how long a refusal takes; 0: 1 s, below 0: none

	once   sync.Once
	nonces nonces
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

// ServeHTTP asks, or hands on.
func (a *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Need != nil && !a.Need(r) {
		a.Next.ServeHTTP(w, r)
		return
	}
	a.once.Do(func() { _, _ = rand.Read(a.nonces.key[:]) }) // never fails
	user, state := "", nobody
	if value, ok := field(r.Header, "Authorization"); ok {
		scheme, rest, _ := strings.Cut(value, " ")
		switch {
		case strings.EqualFold(scheme, "Basic"):
			user, state = a.basic(r, rest)
		case strings.EqualFold(scheme, "Digest") && a.Password != nil:
			user, state = a.digest(w, r, rest)
		}
	}
	switch state {
	case known:
		a.Next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
		return
	case wrong:
		if a.pause(r.Context()) != nil {
			return
		}
	}
	w.Header()["Www-Authenticate"] = a.challenges(state == stale)
	refuse(w, http.StatusUnauthorized, "")
}

// standing is what is known of whoever comes.
type standing uint8

const (
	nobody standing = iota
	known
	wrong
	stale // right, but for a nonce that is too old
)

// challenges are what to answer with, the strongest first: one field each.
// The name of a parameter may be spelled in any case. Python's urllib wants
// "algorithm" in small letters, and before 3.14 gives up when it finds one that
// it does not know; like this it takes the challenge for one of MD5, as it
// should.
func (a *Auth) challenges(isStale bool) []string {
	realm := quoted(a.Realm)
	var out []string
	if a.Password != nil {
		nonce := a.nonces.make(time.Now())
		for _, alg := range algorithms {
			c := "Digest realm=" + realm + `, qop="auth", Algorithm=` + alg.name + ", nonce=" + quoted(nonce)
			if isStale {
				c += ", stale=true"
			}
			out = append(out, c+", charset=UTF-8")
		}
	}
	return append(out, "Basic realm="+realm+`, charset="UTF-8"`)
}

// basic checks a name and password (RFC 7617 section 2).
func (a *Auth) basic(r *http.Request, token string) (string, standing) {
	b, err := base64.StdEncoding.DecodeString(strings.Trim(token, " \t"))
	user, password, ok := strings.Cut(string(b), ":")
	if err != nil || !ok {
		return "", nobody
	}
	if a.Check != nil {
		ok = a.Check(r.Context(), user, password)
	} else {
		ok = a.compare(user, password)
	}
	if !ok {
		return "", wrong
	}
	return user, known
}

func (a *Auth) compare(user, password string) bool {
	if a.Password == nil {
		return false
	}
	want, exists := a.Password(user)
	x, y := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1 && exists
}

// pause makes guessing slow.
func (a *Auth) pause(ctx context.Context) error {
	delay := a.Delay
	if delay == 0 {
		delay = time.Second
	}
	if delay < 0 {
		return nil
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
