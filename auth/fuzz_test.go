package auth_test

import (
	"bytes"
	"testing"

	"github.com/farend-go/farend/auth"
)

// FuzzServer says anything to a server: nobody comes in who does not know a
// password, and nothing panics.
func FuzzServer(f *testing.F) {
	a := &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("\U0001f511 a long secret")}}, Delay: -1}
	tokens := &auth.Authenticator{Accounts: everybody(), Delay: -1}
	f.Add(uint8(0), []byte("\x00ann\x00secret"), []byte(""), []byte(""))
	f.Add(uint8(1), []byte(""), []byte("ann"), []byte("secret"))
	f.Add(uint8(2), []byte(""), []byte("ann 0123456789abcdef0123456789abcdef"), []byte(""))
	f.Add(uint8(3), []byte("n,a=ann,n=a=2Cn,r=x"), []byte("c=biws,r=x,p=AAAA"), []byte(""))
	f.Add(uint8(5), []byte("n,a=ann,\x01auth=Bearer x\x01\x01"), []byte("\x01"), []byte(""))
	f.Add(uint8(6), []byte("user=ann\x01auth=Bearer x\x01\x01"), []byte(""), []byte(""))
	names := []string{auth.PLAIN, auth.LOGIN, auth.CRAMMD5, auth.SCRAMSHA1, auth.SCRAMSHA256, auth.OAUTHBEARER, auth.XOAUTH2}
	f.Fuzz(func(t *testing.T, which uint8, first, second, third []byte) {
		name, all := names[int(which)%len(names)], bytes.Join([][]byte{first, second, third}, nil)
		if bytes.Contains(all, []byte("a long secret")) || bytes.Contains(all, []byte("fresh")) {
			return
		}
		from := a
		if name == auth.OAUTHBEARER || name == auth.XOAUTH2 {
			from = tokens
		}
		s, err := from.Server(name, local().server)
		if err != nil {
			t.Fatal(err)
		}
		if len(first) == 0 {
			first = nil
		}
		for _, response := range [][]byte{first, second, third} {
			challenge, done, err := s.Next(t.Context(), response)
			if done || s.Identity() != (auth.Identity{}) {
				t.Fatalf("%s let %q in", name, all)
			}
			if err != nil {
				return
			}
			if challenge == nil {
				t.Fatalf("%s: neither a challenge nor an end", name)
			}
		}
	})
}

// FuzzClient says anything to a client: it believes no yes without the proof,
// and does not panic.
func FuzzClient(f *testing.F) {
	f.Add(uint8(3), []byte("r=x,s=c2FsdA==,i=4096"), []byte("v=AAAA"))
	f.Add(uint8(4), []byte("i=,r=,"), []byte("e=other-error"))
	names := []string{auth.PLAIN, auth.LOGIN, auth.CRAMMD5, auth.SCRAMSHA1, auth.SCRAMSHA256, auth.OAUTHBEARER, auth.XOAUTH2}
	f.Fuzz(func(t *testing.T, which uint8, first, second []byte) {
		name := names[int(which)%len(names)]
		c, err := auth.Credentials{User: "ann", Password: "secret", Token: bearer}.Client(t.Context(), name, nil, local().client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for _, challenge := range [][]byte{first, second} {
			response, err := c.Next(challenge)
			if err != nil {
				break
			}
			if response == nil {
				t.Fatalf("%s: no response to %q", name, challenge)
			}
		}
		if c.Done() && (name == auth.SCRAMSHA1 || name == auth.SCRAMSHA256) {
			t.Fatalf("%s believes %q, %q", name, first, second)
		}
	})
}

// FuzzParse: what is read back is what was written.
func FuzzParse(f *testing.F) {
	f.Add([]byte("="), []byte{})
	f.Add([]byte("AGFubgBzZWNyZXQ="), []byte("\x00ann"))
	f.Add([]byte("*"), []byte("*"))
	f.Fuzz(func(t *testing.T, line, message []byte) {
		if b, err := auth.ParseInitial(line); err == nil && !bytes.Equal(auth.AppendInitial(nil, b), line) && !bytes.ContainsAny(line, "\r\n") {
			if again, err := auth.ParseInitial(auth.AppendInitial(nil, b)); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%q became %q", line, again)
			}
		}
		if b, err := auth.ParseInitial(auth.AppendInitial(nil, message)); err != nil || !bytes.Equal(b, message) {
			t.Errorf("%q became %q: %v", message, b, err)
		}
		if b, err := auth.Parse(auth.Append(nil, message)); err != nil || !bytes.Equal(b, message) || b == nil {
			t.Errorf("%q became %q: %v", message, b, err)
		}
	})
}
