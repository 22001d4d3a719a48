package pop3_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
)

func TestParseUser(t *testing.T) { // RFC 2384 section 7
	for text, want := range map[string][2]string{
		"pop://rg@mailsrv.qualcomm.com":            {"rg", ""},
		"pop://rg;AUTH=+APOP@mail.eudora.com:8110": {"rg", "+APOP"},
		"pop://baz;AUTH=SCRAM-MD5@foo.bar":         {"baz", "SCRAM-MD5"},
		"pop://baz;auth=*@foo.bar":                 {"baz", ""},
		"pop://a%40b;AUTH=PLAIN:pw@foo.bar":        {"a@b", "PLAIN"},
		"pop://foo.bar":                            {"", ""},
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if user, mechanism := pop3.ParseUser(u); user != want[0] || mechanism != want[1] {
			t.Errorf("%s: %q, %q", text, user, mechanism)
		}
	}
}

// client knows pop: and pops:.
func client(tr *pop3.Transport) *http.Client {
	base := &http.Transport{}
	for _, scheme := range []string{"pop", "pop3", "pops", "pop3s"} {
		base.RegisterProtocol(scheme, tr)
	}
	return &http.Client{Transport: base}
}

func TestURLs(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		both(t, pop3test.Options{Messages: []string{"Subject: a\n\n.x\n", "b"}, Implicit: implicit}, func(t *testing.T, s *pop3test.Server) {
			scheme := map[bool]string{false: "pop3", true: "pops"}[implicit]
			asked := 0
			hc := client(&pop3.Transport{Options: s.Options(), StartTLS: true, Login: func(_ context.Context, u *url.URL) (auth.Credentials, error) {
				asked++
				return auth.Credentials{User: "somebody else", Password: pop3test.Password}, nil
			}})
			for _, c := range []struct {
				method, user, path string
				status             int
				body               string
			}{
				{"GET", "user:password@", "", 200, "1 18\n2 3\n"},
				{"GET", "user:password@", "/", 200, "1 18\n2 3\n"},
				{"GET", "user;AUTH=+APOP:password@", "/1", 200, "Subject: a\r\n\r\n.x\r\n"},
				{"GET", "user;AUTH=SCRAM-SHA-256-PLUS@", "/2", 200, "b\r\n"},
				{"HEAD", "user;AUTH=*@", "/2", 200, ""},
				{"GET", "user:wrong@", "/1", 401, "Login refused\n"},
				{"GET", "", "/1", 401, "Login refused\n"},
				{"GET", "user:password@", "/3", 404, "No such message, only 2 messages in maildrop\n"},
				{"GET", "user:password@", "/x", 404, "\"x\" is no message number\n"},
				{"GET", "user:password@", "/0", 404, "\"0\" is no message number\n"},
				{"DELETE", "user:password@", "/1", 405, "POP3 has no DELETE\n"},
			} {
				req, err := http.NewRequestWithContext(t.Context(), c.method, scheme+"://"+c.user+s.Addr+c.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := hc.Do(req)
				if err != nil {
					t.Errorf("%s %s: %v", c.method, req.URL.Redacted(), err)
					continue
				}
				got, err := io.ReadAll(resp.Body)
				if err != nil || string(got) != c.body || resp.StatusCode != c.status {
					t.Errorf("%s %s: %d, %q, %v", c.method, req.URL.Redacted(), resp.StatusCode, got, err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
				s.Wait(t.Context(), pop3test.User)
			}
			if asked != 3 {
				t.Errorf("asked %d times for a password", asked)
			}
		})
	}
}

func TestURLOfAMaildropInUse(t *testing.T) {
	s := pop3test.New(t, pop3test.Options{Messages: []string{strings.Repeat("x\n", 100_000)}})
	c := s.Client(t.Context(), "tcp")
	hc := client(&pop3.Transport{Options: s.Options()})
	get := func() *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "pop://user:password@"+s.Addr+"/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := get()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("in use: %s", resp.Status)
	}
	resp.Body.Close()
	if err := c.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Wait(t.Context(), pop3test.User)
	resp = get()
	if err := resp.Body.Close(); err != nil { // in the middle: the session ends all the same
		t.Error(err)
	}
	s.Wait(t.Context(), pop3test.User)
}
