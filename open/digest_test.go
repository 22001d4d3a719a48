package open

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
)

// RFC 7616 sections 3.9.1 and 3.9.2; the values of the second are those of its
// erratum 4897, since the RFC's were made with a SHA-512 cut short.
func TestRFC7616Examples(t *testing.T) {
	field := func(algorithm string) string {
		return `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=` + algorithm +
			`, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	}
	const doe = `Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8`
	const mufasaNonce, doeNonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
	tests := []struct {
		challenge, user, passwd, uri, cnonce string
		want                                 []string
	}{
		{field("MD5"), "Mufasa", "Circle of Life", "/dir/index.html", mufasaNonce,
			[]string{`username="Mufasa"`, `response="8ca523f5e9506fed4657c9700eebdbec"`, "algorithm=MD5", "nc=00000001", "qop=auth,", `opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`}},
		{field("SHA-256"), "Mufasa", "Circle of Life", "/dir/index.html", mufasaNonce,
			[]string{`response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`}},
		{doe + ", userhash=true", "Jäsøn Doe", "Secret, or not?", "/doe.json", doeNonce,
			[]string{`username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"`, `response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"`, "userhash=true"}},
		{doe + ", userhash=false", "Jäsøn Doe", "Secret, or not?", "/doe.json", doeNonce,
			[]string{"username*=UTF-8''J%C3%A4s%C3%B8n%20Doe,"}},
		// RFC 2617 section 3.5, and RFC 2069 section 2.4 by its erratum 749.
		{`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b", []string{`response="6629fae49393a05397450978507c4ef1"`}},
		{`Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Mufasa", "CircleOfLife", "/dir/index.html", "", []string{`response="1949323746fe6a43ef61f9606e7febea"`}},
	}
	for _, tt := range tests {
		all := ParseChallenges(http.Header{"Www-Authenticate": {tt.challenge}}, "WWW-Authenticate")
		if len(all) != 1 {
			t.Fatalf("%s: %v", tt.challenge, all)
		}
		qop, ok := chooseQOP(all[0], false)
		d := digest{challenge: all[0], user: tt.user, passwd: tt.passwd, method: "GET", uri: tt.uri, qop: qop, nonce: all[0].Params["nonce"], cnonce: tt.cnonce, nc: 1}
		got, err := d.value()
		for _, want := range tt.want {
			if !ok || err != nil || !strings.Contains(got, want) {
				t.Errorf("%s\ngot %s, %v\nwant %s", tt.challenge, got, err, want)
			}
		}
	}
}

// plain is a Challenge that prints as it is.
type plain Challenge

func TestChallenges(t *testing.T) {
	for field, want := range map[string]string{
		`Basic realm="a"`:                          `[{Basic  map[realm:a]}]`,
		`basic realm=a, Digest realm="b", nonce=n`: `[{basic  map[realm:a]} {Digest  map[nonce:n realm:b]}]`,
		`Negotiate, Basic realm="x, y=\"z\""`:      `[{Negotiate  map[]} {Basic  map[realm:x, y="z"]}]`,
		`Negotiate abc==, NTLM`:                    `[{Negotiate abc== map[]} {NTLM  map[]}]`,
		`Newauth realm="apps", type=1, title="L to \"apps\"", Basic realm="simple"`: `[{Newauth  map[realm:apps title:L to "apps" type:1]} {Basic  map[realm:simple]}]`,
		`Basic Realm = "a" , realm="b"`:                                             `[{Basic  map[realm:a]}]`,
		`, ,Basic ,realm="a",,`:                                                     `[{Basic  map[realm:a]}]`,
		`"junk, x" Basic, Digest realm="open`:                                       `[{Digest  map[realm:open]}]`,
		`Bearer`:                                                                    `[{Bearer  map[]}]`,
		``:                                                                          `[]`,
	} {
		var all []plain
		for _, c := range ParseChallenges(http.Header{"X": {field}}, "x") {
			all = append(all, plain(c))
		}
		if got := fmt.Sprint(all); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", field, got, want)
		}
	}
	if got := ParseChallenges(http.Header{"X": {`Basic realm=a`, `Digest realm=b`}}, "x"); len(got) != 2 || !got[1].Is("digest") {
		t.Errorf("two fields: %v", got)
	}
}

func TestDigestRefusesControls(t *testing.T) {
	for _, d := range []digest{{user: "a\r\nb"}, {user: "u", challenge: Challenge{Params: map[string]string{"realm": "a\x00b"}}}} {
		if v, err := d.value(); err == nil {
			t.Errorf("%q", v)
		}
	}
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Newauth realm="apps", type=1, title="L to \"apps\"", Basic realm="simple"`)
	f.Add(`Negotiate abc==, Digest qop="auth,auth-int", nonce=x, stale=TRUE`)
	f.Fuzz(func(t *testing.T, field string) {
		for _, c := range ParseChallenges(http.Header{"X": {field}}, "x") {
			if c.Scheme == "" || c.Params == nil {
				t.Fatalf("%q: %v", field, c)
			}
			again := ParseChallenges(http.Header{"X": {c.String()}}, "x")
			if len(again) != 1 || fmt.Sprint(plain(again[0])) != fmt.Sprint(plain(c)) {
				t.Errorf("%q: %q came back as %q", field, c.String(), again)
			}
		}
	})
}

// What is sent is read back as what was meant, whatever the names hold.
func FuzzDigestHeader(f *testing.F) {
	f.Add("Mufasa", "r", "n", "SHA-256-sess", "auth,auth-int", true)
	f.Add("Jäsøn", `a"b\`, "", "MD5", "", false)
	f.Fuzz(func(t *testing.T, user, realm, nonce, algorithm, qop string, userhash bool) {
		c := Challenge{Scheme: "Digest", Params: map[string]string{"realm": realm, "nonce": nonce, "qop": qop, "userhash": fmt.Sprint(userhash)}}
		chosen, ok := chooseQOP(c, false)
		if _, known := auth.FindDigestAlgorithm(algorithm); !ok || !known {
			return
		}
		d := digest{challenge: c, user: user, passwd: "p", method: "GET", uri: "/", nonce: nonce, cnonce: "c", qop: chosen, nc: 1}
		value, err := d.value()
		if err != nil {
			return
		}
		all := ParseChallenges(http.Header{"X": {value}}, "x")
		if len(all) != 1 || all[0].Realm() != realm || all[0].Params["nonce"] != nonce || !userhash && all[0].Params["username"] != user {
			t.Errorf("%q: %q", value, all)
		}
	})
}
