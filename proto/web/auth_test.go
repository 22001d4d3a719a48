package web_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/web"
)

func newAuth() *web.Auth {
	return &web.Auth{
		Realm:  "a \"realm\"",
		Next:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, web.User(r)) }),
		Logins: logins(map[string]string{"Mufasa": "Circle of Life", "jäger": "grün"}),
	}
}

// logins let in whoever has one of these passwords, and take no time to refuse.
func logins(passwords map[string]string) *auth.Authenticator {
	users := &auth.Users{Secrets: map[string]auth.Secret{}}
	for name, password := range passwords {
		users.Secrets[name] = auth.Clear(password)
	}
	return &auth.Authenticator{Accounts: users, ClearText: true, Delay: -1}
}

// challenge gives the parameters of a Digest challenge.
func challenge(t *testing.T, r *http.Response, algorithm string) web.Params {
	t.Helper()
	for _, line := range r.Header["Www-Authenticate"] {
		scheme, rest, _ := strings.Cut(line, " ")
		if p, ok := web.ParseParams(rest); ok && scheme == "Digest" && p["algorithm"] == algorithm {
			return p
		}
	}
	t.Fatalf("no challenge with %s in %v", algorithm, r.Header)
	return nil
}

// seal computes a response as RFC 7616 section 3.4.1 has it.
func seal(algorithm, user, realm, password, method, uri, nonce, nc, cnonce string) string {
	hash := func(s string) string {
		if algorithm == "MD5" {
			b := md5.Sum([]byte(s))
			return hex.EncodeToString(b[:])
		}
		b := sha256.Sum256([]byte(s))
		return hex.EncodeToString(b[:])
	}
	return hash(hash(user+":"+realm+":"+password) + ":" + nonce + ":" + nc + ":" + cnonce + ":auth:" + hash(method+":"+uri))
}

// The example of RFC 7616 section 3.9.1: what our test's client computes is
// right.
func TestDigestExample(t *testing.T) {
	const nonce, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		got := seal(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html", nonce, "00000001", cnonce)
		if got != want {
			t.Errorf("%s: %s, want %s", algorithm, got, want)
		}
	}
}

func TestDigest(t *testing.T) {
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		a := newAuth()
		p := challenge(t, ask(t, a, "GET", "/x", nil, ""), algorithm)
		credentials := func(user, password, nonce, nc, uri string) []string {
			response := seal(algorithm, user, p["realm"], password, "GET", uri, nonce, nc, "c")
			return []string{fmt.Sprintf(`Authorization: Digest username="%s", realm="a \"realm\"", nonce="%s", uri="%s", algorithm=%s, qop=auth, nc=%s, cnonce="c", response="%s"`,
				user, nonce, uri, algorithm, nc, response)}
		}
		for i, c := range []struct {
			header []string
			want   string
			stale  bool
		}{
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000001", "/x"), "Mufasa", false},
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000001", "/x"), "", true}, // again
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000003", "/x"), "Mufasa", false},
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000002", "/x"), "Mufasa", false}, // overtaken
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000002", "/x"), "", true},
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00001000", "/x"), "Mufasa", false},
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000004", "/x"), "", true}, // too far behind
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00000000", "/x"), "", true},
			{credentials("jäger", "grün", p["nonce"], "00001001", "/x"), "jäger", false},
			{credentials("Mufasa", "circle of life", p["nonce"], "00001002", "/x"), "", false},
			{credentials("Scar", "", p["nonce"], "00001002", "/x"), "", false},
			{credentials("Mufasa", "Circle of Life", p["nonce"], "00001002", "/y"), "", false},        // of another resource
			{credentials("Mufasa", "Circle of Life", "x"+p["nonce"][1:], "00001002", "/x"), "", true}, // of a server that has started again
			{credentials("Mufasa", "Circle of Life", "", "00001002", "/x"), "", true},
			{credentials("Mufasa", "circle of life", "x"+p["nonce"][1:], "00001002", "/x"), "", false},
			{[]string{"Authorization: Digest"}, "", false},
			{[]string{"Authorization: Digest " + strings.Repeat("x=y,", 100)}, "", false},
			{[]string{strings.Replace(credentials("Mufasa", "Circle of Life", p["nonce"], "00001002", "/x")[0], "qop=auth,", "", 1)}, "", false}, // RFC 2069
		} {
			r := ask(t, a, "GET", "/x", c.header, "")
			got := bodyOf(t, r)
			if c.want == "" {
				if stale := challenge(t, r, algorithm)["stale"] == "true"; r.StatusCode != 401 || stale != c.stale {
					t.Errorf("%s %d: %s, stale %v", algorithm, i, r.Status, stale)
				}
				continue
			}
			if got != c.want {
				t.Errorf("%s %d: %s %q, want %q", algorithm, i, r.Status, got, c.want)
			}
			info, ok := web.ParseParams(r.Header.Get("Authentication-Info"))
			if !ok || info["rspauth"] == "" || info["cnonce"] != "c" {
				t.Errorf("%s %d: Authentication-Info: %q", algorithm, i, r.Header.Get("Authentication-Info"))
			}
		}
	}
}

// A nonce is good for five minutes; a refusal takes a second.
func TestDigestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth()
		a.Logins.Delay = 0
		p := challenge(t, ask(t, a, "GET", "/x", nil, ""), "MD5")
		try := func(password, nc string) *http.Response {
			response := seal("MD5", "Mufasa", p["realm"], password, "GET", "/x", p["nonce"], nc, "c")
			return ask(t, a, "GET", "/x", []string{fmt.Sprintf(`Authorization: Digest username="Mufasa", realm="a \"realm\"", nonce="%s", uri="/x", qop=auth, nc=%s, cnonce=c, response=%s`, p["nonce"], nc, response)}, "")
		}
		began := time.Now()
		if r := try("wrong", "00000001"); r.StatusCode != 401 || time.Since(began) != time.Second {
			t.Errorf("%s after %v", r.Status, time.Since(began))
		}
		<-time.After(5*time.Minute - time.Second)
		if r := try("Circle of Life", "00000001"); r.StatusCode != 200 {
			t.Errorf("after five minutes: %s", r.Status)
		}
		<-time.After(time.Millisecond)
		if r := try("Circle of Life", "00000002"); r.StatusCode != 401 || challenge(t, r, "MD5")["stale"] != "true" {
			t.Errorf("later: %s", r.Status)
		}
	})
}

func TestBasic(t *testing.T) {
	a := newAuth()
	for credentials, want := range map[string]string{
		"Mufasa:Circle of Life": "Mufasa", "jäger:grün": "jäger", "Mufasa:": "", "Mufasa": "", ":": "", "": "", "Scar:": "",
	} {
		token := base64.StdEncoding.EncodeToString([]byte(credentials))
		r := ask(t, a, "GET", "/x", []string{"Authorization: bASIC " + token}, "")
		if got := bodyOf(t, r); want != "" && got != want || want == "" && r.StatusCode != 401 {
			t.Errorf("%q: %s %q", credentials, r.Status, got)
		}
	}
	keys := logins(nil)
	keys.Accounts = &auth.Users{Secrets: map[string]auth.Secret{"a": auth.Keys("a")}} // the password itself is not kept: no Digest
	b := &web.Auth{Realm: "r", Next: a.Next, Need: web.Writes, Logins: keys}
	r := ask(t, b, "PUT", "/x", nil, "")
	if got := r.Header["Www-Authenticate"]; len(got) != 1 || got[0] != `Basic realm="r", charset="UTF-8"` {
		t.Errorf("%q", got)
	}
	if r := ask(t, b, "GET", "/x", nil, ""); r.StatusCode != 200 {
		t.Errorf("reading: %s", r.Status)
	}
	if r := ask(t, b, "PUT", "/x", []string{"Authorization: Basic YTph"}, ""); bodyOf(t, r) != "a" {
		t.Errorf("a:a: %s", r.Status)
	}
}
