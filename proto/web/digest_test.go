package web

import (
	"net/http"
	"testing"

	"github.com/farend-go/farend/auth"
)

// RFC 7616 section 3.9.2, whose values are those of erratum 4897, and RFC 2617
// section 3.5; the last are of section 3.9.1.
func TestVectorsOfRFC7616(t *testing.T) {
	const (
		both   = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
		mufasa = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	)
	users := &auth.Users{Secrets: map[string]auth.Secret{
		"Mufasa": auth.Clear("Circle of Life"), "Simba": auth.Clear("Circle Of Life"), "Jäsøn Doe": auth.Clear("Secret, or not?"),
	}}
	a := &Auth{Logins: &auth.Authenticator{Accounts: users}, algorithms: algorithmsOf([]string{"MD5", "SHA-256", "SHA-512-256"})}
	for _, c := range []struct {
		realm, uri, credentials  string
		user, password, response string
	}{
		{"http-auth@example.org", "/dir/index.html", `username="Mufasa", algorithm=MD5, nonce="` + both + `", nc=00000001, cnonce="` + mufasa + `"`,
			"Mufasa", "Circle of Life", "8ca523f5e9506fed4657c9700eebdbec"},
		{"http-auth@example.org", "/dir/index.html", `username="Mufasa", algorithm=SHA-256, nonce="` + both + `", nc=00000001, cnonce="` + mufasa + `"`,
			"Mufasa", "Circle of Life", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{"api@example.org", "/doe.json", `username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true, algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"`,
			"Jäsøn Doe", "Secret, or not?", "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
		{"api@example.org", "/doe.json", `username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, userhash=false, algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"`,
			"Jäsøn Doe", "Secret, or not?", "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
		{"testrealm@host.com", "/dir/index.html", `username="Mufasa", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", nc=00000001, cnonce="0a4f113b"`,
			"Mufasa", "Circle Of Life", "6629fae49393a05397450978507c4ef1"},
	} {
		a.Realm = c.realm
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h"+c.uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := a.proofOf(r, `realm="`+c.realm+`", uri="`+c.uri+`", qop=auth, `+c.credentials)
		if user := a.user(p); !ok || user != c.user {
			t.Errorf("%s: %q, %v", c.credentials, user, ok)
		}
		if _, got := p.expected(http.MethodGet, p.alg.Sum(c.user, c.realm, c.password), ""); got != c.response {
			t.Errorf("%s: %s, want %s", c.credentials, got, c.response)
		}
	}
	for _, bad := range []string{"username*=latin1''x", "username*=UTF-8''%zz", "username*=x", `username=""`, "userhash=true, username=0123"} {
		p, ok := ParseParams(bad)
		if user := a.user(proof{Params: p, alg: a.algorithms[0]}); !ok || user != "" {
			t.Errorf("%s is %q", bad, user)
		}
	}
}

// FuzzCredentials: whatever a client says, it is answered, and nobody comes in
// who has not said the password.
func FuzzCredentials(f *testing.F) {
	f.Add(`username="ann", realm="r", nonce="n", uri="/x", qop=auth, nc=00000001, cnonce="c", response="0"`)
	f.Add(`username*=UTF-8''a%20b, realm=r, nonce=n, uri="/x", algorithm=SHA-256-sess, qop=auth-int, nc=00000001, cnonce=c, userhash=false`)
	f.Add(`username=00, userhash=true, realm="r", nonce="n", uri="/x", algorithm=SHA-512-256, qop=auth, nc=00000001, cnonce="c"`)
	users := &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}
	a := &Auth{
		Realm: "r", AuthInt: 100, Logins: &auth.Authenticator{Accounts: users, Delay: -1},
		algorithms: algorithmsOf([]string{"MD5", "SHA-256-sess", "SHA-512-256"}),
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/x", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if user, err := a.digest(discard{}, r, text); err == nil {
			t.Errorf("%q lets %q in", text, user)
		}
	})
}

// discard is an answer that nobody reads.
type discard struct{ http.ResponseWriter }

func (discard) Header() http.Header { return http.Header{} }
