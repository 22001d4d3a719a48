package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

// vector is an exchange that an RFC spells out: what the client says and what
// the server says, alternating; the client begins unless the first line is the
// server's.
type vector struct {
	name   string
	client Credentials
	user   string // who it turns out to be
	secret Secret
	nonces [2]string // the client's, and what the server adds
	script string
}

func stored(t *testing.T, name, password, salt string, iterations int) Secret {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		t.Fatal(err)
	}
	f := scram.KeyFactors{Salt: string(raw), Iters: iterations}
	if name == SCRAMSHA1 {
		return Secret{kinds: KindSHA1, sha1: keys(scram.SHA1, password, f)}
	}
	return Secret{kinds: KindSHA256, sha256: keys(scram.SHA256, password, f)}
}

func vectors(t *testing.T) []vector {
	return []vector{{
		name: SCRAMSHA1, user: "user", client: Credentials{User: "user", Password: "pencil"}, // RFC 5802 section 5
		secret: stored(t, SCRAMSHA1, "pencil", "QSXCR+Q6sek8bf92", 4096),
		nonces: [2]string{"fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"},
		script: `C: n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL
S: r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096
C: c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=
S: v=rmF9pqV8S7suAoZWja4dJRkFsKQ=
C: `,
	}, {
		name: SCRAMSHA256, user: "user", client: Credentials{User: "user", Password: "pencil"}, // RFC 7677 section 3
		secret: stored(t, SCRAMSHA256, "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096),
		nonces: [2]string{"rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"},
		script: `C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO
S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096
C: c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=
S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
C: `,
	}, {
		name: CRAMMD5, user: "tim", client: Credentials{User: "tim", Password: "tanstaaftanstaaf"}, // RFC 2195 section 2
		secret: Clear("tanstaaftanstaaf"),
		nonces: [2]string{"", "<1896.697170952@postoffice.reston.mci.net>"},
		script: `S: <1896.697170952@postoffice.reston.mci.net>
C: tim b913a602c7eda7a495b4e6e7334d3890`,
	}, {
		name: PLAIN, user: "tim", client: Credentials{User: "tim", Password: "tanstaaftanstaaf"}, // RFC 4616 section 4
		secret: Hash("tanstaaftanstaaf"),
		script: `C: \0tim\0tanstaaftanstaaf`,
	}, {
		name: PLAIN, user: "Kurt", client: Credentials{User: "Kurt", Password: "xipj3plmq", Authorization: "Ursel"},
		secret: Keys("xipj3plmq"),
		script: `C: Ursel\0Kurt\0xipj3plmq`,
	}, {
		name: OAUTHBEARER, user: "user@example.com", // RFC 7628 section 4.1
		client: Credentials{User: "user@example.com", Token: token("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")},
		script: `C: n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1`,
	}, {
		name: XOAUTH2, user: "someuser@example.com", // developers.google.com/workspace/gmail/imap/xoauth2-protocol
		client: Credentials{User: "someuser@example.com", Token: token("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")},
		script: `C: user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1`,
	}, {
		name: ANONYMOUS, user: "sirhc", client: Credentials{Anonymous: true, Trace: "sirhc"}, // RFC 4505 section 3
		script: `C: sirhc`,
	}, {
		name: LOGIN, user: "tim", client: Credentials{User: "tim", Password: "tanstaaftanstaaf"}, // draft-murchison-sasl-login
		secret: Clear("tanstaaftanstaaf"),
		script: "S: Username:\nC: tim\nS: Password:\nC: tanstaaftanstaaf",
	}}
}

// lines takes a script apart.
func (v vector) lines() [][]byte {
	var all [][]byte
	for line := range strings.SplitSeq(v.script, "\n") {
		_, text, _ := strings.Cut(line, ": ")
		all = append(all, []byte(strings.NewReplacer(`\0`, "\x00", `\1`, "\x01").Replace(text)))
	}
	return all
}

func (v vector) serverFirst() bool { return strings.HasPrefix(v.script, "S") }

func TestVectorsAtTheClient(t *testing.T) {
	for _, v := range vectors(t) {
		c, err := v.client.Client(t.Context(), v.name, nil, Channel{Peer: &net.UnixAddr{}, Host: "server.example.com", Port: 143})
		if err != nil {
			t.Fatal(err)
		}
		if v.nonces[0] != "" {
			c, err = newSCRAM(v.name, &v.client, nil, false, func() string { return v.nonces[0] })
			if err != nil {
				t.Fatal(err)
			}
		}
		said, err := c.Start()
		if err != nil || (said == nil) != v.serverFirst() {
			t.Fatalf("%s: Start: %q, %v", v.name, said, err)
		}
		lines := v.lines()
		if !v.serverFirst() {
			if !bytes.Equal(said, lines[0]) {
				t.Errorf("%s: said %q, want %q", v.name, said, lines[0])
			}
			lines = lines[1:]
		}
		for len(lines) > 0 {
			said, err := c.Next(lines[0])
			if err != nil || !bytes.Equal(said, lines[1]) {
				t.Fatalf("%s: to %q said %q, %v, want %q", v.name, lines[0], said, err, lines[1])
			}
			lines = lines[2:]
		}
		if !c.Done() {
			t.Errorf("%s: not done", v.name)
		}
	}
}

func token(t string) func(context.Context, bool) (string, error) {
	return func(context.Context, bool) (string, error) { return t, nil }
}

// deputy is Users of which Kurt may act for Ursel; guests are known by their
// trace, and tokens by their ends.
type deputy struct{ *Users }

func (deputy) Guest(_ context.Context, trace string) (Account, error) {
	return Account{Name: trace}, nil
}

func (deputy) Token(_ context.Context, name, token string) (Account, error) {
	if !strings.Contains(token, "9dft4qmTc2Nvb3RlckB") {
		return Account{}, ErrRefused
	}
	return Account{Name: name}, nil
}

func (deputy) MayAct(_ context.Context, account, other string) (bool, error) {
	return account == "Kurt" && other == "Ursel", nil
}

func TestVectorsAtTheServer(t *testing.T) {
	for _, v := range vectors(t) {
		a := &Authenticator{Accounts: deputy{&Users{Secrets: map[string]Secret{v.user: v.secret}}}, Delay: -1}
		a.nonce = func() string { return v.nonces[1] }
		a.pick = a.nonce
		s, err := a.Server(strings.ToLower(v.name), Channel{Peer: &net.UnixAddr{}})
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		lines := v.lines()
		var response []byte
		if !v.serverFirst() {
			response, lines = lines[0], lines[1:]
		}
		for len(lines) > 0 {
			challenge, done, err := s.Next(t.Context(), response)
			if err != nil || done || !bytes.Equal(challenge, lines[0]) {
				t.Fatalf("%s: to %q said %q, %v, %v, want %q", v.name, response, challenge, done, err, lines[0])
			}
			response, lines = lines[1], lines[2:]
		}
		want := Identity{v.user, v.user}
		if v.client.Authorization != "" {
			want.Authorization = v.client.Authorization
		}
		_, done, err := s.Next(t.Context(), response)
		if err != nil || !done || s.Identity() != want {
			t.Errorf("%s: %v, %v, %+v", v.name, done, err, s.Identity())
		}
	}
}
