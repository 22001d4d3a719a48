package open_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/farend-go/farend/open"
)

const klem = "Basic a2xlbTprYWRpZGQhZWhvcHBlcg==" // klem:kadidd!ehopper

func store(t *testing.T, realm, uri string) *open.HTTPBasicAuthHandler {
	t.Helper()
	h := open.NewHTTPBasicAuthHandler(nil)
	if err := h.AddPassword(realm, uri, "klem", "kadidd!ehopper"); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTutorial55_BasicOnceThenGivesUp(t *testing.T) {
	s := newSite(t, wantBasic("PDQ", "klem", "kadidd!ehopper"))
	c := build(t, store(t, "PDQ", s.URL))
	if resp, body := get(t, c, s.URL+"/x"); resp.StatusCode != 200 || body != "in" {
		t.Errorf("%s, %q", resp.Status, body)
	}
	if got := s.credentials(); !slices.Equal(got, []string{"", klem}) {
		t.Errorf("sent %q", got)
	}

	other := newSite(t, wantBasic("PDQ", "another", "x"))
	c = build(t, store(t, "PDQ", other.URL))
	if resp, _ := get(t, c, other.URL+"/x"); resp.StatusCode != 401 {
		t.Errorf("refused, and the answer is %s", resp.Status)
	}
	if got := other.credentials(); !slices.Equal(got, []string{"", klem}) {
		t.Errorf("sent %q", got)
	}
}

func TestTutorial56_RealmAndPrefix(t *testing.T) {
	s := newSite(t, wantBasic("PDQ", "klem", "kadidd!ehopper"))
	host := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := strings.Cut(host, ":")
	tests := []struct {
		realm, uri, path string
		sends            bool
	}{
		{"PDQ", s.URL, "/login.html", true},
		{"PDQ", s.URL + "/", "/login.html", true},
		{"PDQ", host, "/login.html", true},
		{"PDQ", s.URL + "/a/", "/login.html", false},
		{"PDQ", s.URL + "/a/", "/a/x", true},
		{"PDQ", s.URL + "/a", "/a/x", true},
		{"PDQ", s.URL + "/a", "/a", true},
		{"PDQ", s.URL + "/a", "/ab", false},
		{"PDQ", s.URL + "/a/x.py", "/a/y.html", false},
		{"PDQ", s.URL + "/a/x.py", "/a/x.py", true},
		{"PDQ", s.URL + "/a/x.py", "/a/x.py?q=1", true},
		{"PDQ", s.URL + "/a", "/a/../b", false},
		{"PDQ", s.URL + "/a", "/a/%2e%2e/b", false},
		{"PDQ", s.URL + "/a", "/a/..%2fb", false},
		{"PDQ", s.URL + "/a", "/b/../a/x", true},
		{"pdq", s.URL, "/login.html", false},
		{"Other", s.URL, "/login.html", false},
		{"", s.URL, "/login.html", false},
		{open.AnyRealm, s.URL, "/login.html", false},
		{"PDQ", "http://mahler:" + port, "/login.html", false},
		{"PDQ", "https://" + host, "/login.html", false},
		{"PDQ", "http://127.0.0.1", "/login.html", false},
		{"PDQ", "127.0.0.1", "/login.html", false},
	}
	for _, tt := range tests {
		c := build(t, store(t, tt.realm, tt.uri))
		resp, _ := get(t, c, s.URL+tt.path)
		if sent := resp.StatusCode == 200; sent != tt.sends {
			t.Errorf("stored for %q %s, asked for %s: sent %t", tt.realm, tt.uri, tt.path, sent)
		}
	}
}

// The page's own store and URL.
func TestTutorial57_NoCredentialLeaves(t *testing.T) {
	s := newSite(t, wantBasic("PDQ Application", "klem", "kadidd!ehopper"))
	h := open.NewHTTPBasicAuthHandler(nil)
	if err := h.AddPassword("PDQ Application", "https://mahler:8092/site-updates.py", "klem", "kadidd!ehopper"); err != nil {
		t.Fatal(err)
	}
	c := build(t, everywhere(s.Listener.Addr().String()), h)
	if resp, _ := get(t, c, "http://www.example.com/login.html"); resp.StatusCode != 401 {
		t.Errorf("the answer is %s", resp.Status)
	}
	if got := s.credentials(); !slices.Equal(got, []string{""}) {
		t.Errorf("sent %q", got)
	}
}

// Nothing leaves across redirects, whatever the other end says of itself.
func TestTutorial57_NoCredentialLeavesByRedirect(t *testing.T) {
	evil := newSite(t, wantBasic("PDQ", "nobody", "x"))
	good := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/away":
			http.Redirect(w, r, evil.URL+"/away", http.StatusTemporaryRedirect)
		case r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", `Basic realm="PDQ"`)
			w.WriteHeader(401)
		default:
			http.Redirect(w, r, evil.URL+"/x", http.StatusFound)
		}
	})
	prior := &open.HTTPPasswordMgrWithPriorAuth{}
	if err := errors.Join(prior.AddPassword(open.AnyRealm, good.URL, "klem", "kadidd!ehopper"), prior.UpdateAuthenticated(good.URL, true)); err != nil {
		t.Fatal(err)
	}
	bearer := &open.HTTPBearerAuthHandler{}
	if err := bearer.AddToken(good.URL, "secret-token"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*http.Client{
		"asked":  build(t, store(t, "PDQ", good.URL)),
		"prior":  build(t, open.NewHTTPBasicAuthHandler(prior)),
		"bearer": build(t, bearer),
	} {
		for _, path := range []string{"/in", "/away"} {
			if resp, _ := get(t, c, good.URL+path); resp.StatusCode != 401 {
				t.Errorf("%s: %s: the answer is %s", name, path, resp.Status)
			}
		}
	}
	// What the caller put in by hand stays too, and what stands in the URL.
	c := build(t)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, good.URL+"/away", nil)
	req.Header.Set("Authorization", klem)
	req.Header.Set("Cookie", "a=b")
	if resp, err := c.Do(req); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	u, _ := url.Parse(good.URL + "/away")
	u.User = url.UserPassword("klem", "x")
	get(t, c, u.String())
	for _, r := range evil.seen {
		if len(r.Header["Authorization"]) > 0 || len(r.Header["Cookie"]) > 0 {
			t.Errorf("%s got %v", r.URL, r.Header)
		}
	}
	if len(evil.seen) < 8 {
		t.Errorf("only %d requests arrived", len(evil.seen))
	}
}

// A server that plays the proxy gets no proxy's password.
func TestTutorial57_OriginGetsNoProxyPassword(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Proxy-Authorization"]) > 0 {
			t.Error("it got the proxy's password")
		}
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(407)
	})
	h := open.NewProxyBasicAuthHandler(nil)
	if err := h.AddPassword("proxy", s.URL, "klem", "x"); err != nil {
		t.Fatal(err)
	}
	if resp, _ := get(t, build(t, h), s.URL); resp.StatusCode != 407 {
		t.Errorf("the answer is %s", resp.Status)
	}
}

func TestTutorial58_RoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(58, 1000))
	var user, passwd string
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(401)
			return
		}
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != passwd {
			t.Errorf("%q and %q arrived as %q and %q", user, passwd, u, p)
		}
	})
	random := func(not string) string {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		text := string(b)
		if r.IntN(2) == 0 {
			text = strings.ToValidUTF8(text, "ß日🙂!")
		}
		return strings.ReplaceAll(text, not, "!")
	}
	h := open.NewHTTPBasicAuthHandler(nil)
	c := build(t, h)
	for range 1000 {
		user, passwd = random(":"), random("\x00\x00\x00\x00")
		if err := h.AddPassword("r", s.URL, user, passwd); err != nil {
			t.Fatal(err)
		}
		if resp, _ := get(t, c, s.URL); resp.StatusCode != 200 {
			t.Fatalf("%q, %q: %s", user, passwd, resp.Status)
		}
	}
	if err := h.AddPassword("r", s.URL, "a:b", "x"); !errors.Is(err, open.ErrColon) {
		t.Errorf("a colon in the user: %v", err)
	}
	if _, err := open.BasicCredentials("a:b", "x"); !errors.Is(err, open.ErrColon) {
		t.Errorf("a colon in the user: %v", err)
	}
}

// RFC 7617 sections 2 and 2.1.
func TestRFC7617Examples(t *testing.T) {
	for _, tt := range []struct{ user, passwd, want string }{
		{"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"test", "123£", "Basic dGVzdDoxMjPCow=="},
	} {
		got, err := open.BasicCredentials(tt.user, tt.passwd)
		if got != tt.want || err != nil || !utf8.ValidString(tt.passwd) {
			t.Errorf("%s: %s, %v", tt.user, got, err)
		}
		if u, p, ok := open.ParseBasicCredentials(got); u != tt.user || p != tt.passwd || !ok {
			t.Errorf("%s: back as %q, %q, %t", got, u, p, ok)
		}
	}
}

func TestStores(t *testing.T) {
	var d open.HTTPPasswordMgrWithDefaultRealm
	var p open.HTTPPasswordMgrWithPriorAuth
	if err := errors.Join(
		d.AddPassword(open.AnyRealm, "http://h", "any", "1"), d.AddPassword("r", "http://h", "own", "2"),
		p.UpdateAuthenticated("http://h/a", true), p.UpdateAuthenticated("http://h/a/b", false),
	); err != nil {
		t.Fatal(err)
	}
	for realm, want := range map[string]string{"r": "own", "other": "any", "": "any"} {
		if user, _, ok := d.FindUserPassword(realm, "http://h/x"); user != want || !ok {
			t.Errorf("%q: %q", realm, user)
		}
	}
	for uri, want := range map[string]bool{"http://h/a/x": true, "http://h/a/b/c": false, "http://h/": false, "https://h/a": false, "://": false} {
		if p.IsAuthenticated(uri) != want {
			t.Errorf("%s: want %t", uri, want)
		}
	}
	for _, bad := range []string{"", "http://", "http://u:p@h/", "h/path", "http://h/%2f", "http://h/%zz", "/path", "a b"} {
		if err := d.AddPassword("r", bad, "u", "p"); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	var bearer open.HTTPBearerAuthHandler
	for _, bad := range []string{"", "=", "a b", "a\r\nb", "ä", "a=b"} {
		if err := bearer.AddToken("https://h", bad); !errors.Is(err, open.ErrToken) {
			t.Errorf("token %q: %v", bad, err)
		}
	}
	if err := bearer.AddToken("h", "abc"); err == nil {
		t.Error("a token for every scheme passed")
	}
}

func TestBodyIsSentAgain(t *testing.T) {
	var bodies []int64
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		bodies = append(bodies, r.ContentLength)
		wantBasic("r", "klem", "kadidd!ehopper")(w, r)
	})
	c := build(t, store(t, "r", s.URL))
	for body, want := range map[*strings.Reader]int{strings.NewReader("four"): 200} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
		resp, err := c.Do(req)
		if err != nil || resp.StatusCode != want {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, struct{ *strings.Reader }{strings.NewReader("once")})
	resp, err := c.Do(req)
	if err != nil || resp.StatusCode != 401 { // it cannot be sent again
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if !slices.Equal(bodies, []int64{4, 4, -1}) {
		t.Errorf("bodies of %d", bodies)
	}
}

func ExampleBasicCredentials() {
	value, err := open.BasicCredentials("Aladdin", "open sesame")
	fmt.Println(value, err)
	_, err = open.BasicCredentials("Ala:ddin", "open sesame")
	fmt.Println(err)
	// Output:
	// Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== <nil>
	// a user of Basic authentication holds no colon
}
