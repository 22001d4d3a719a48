package open_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/web"
)

// direct hands requests to a handler, without a network, and counts those that
// it refuses.
type direct struct {
	h       http.Handler
	refused int
	sent    []string // credentials
}

func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	body := io.Reader(http.NoBody)
	if req.Body != nil {
		body = req.Body
	}
	r := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.RequestURI(), body)
	r.Header, r.ContentLength = req.Header, req.ContentLength
	d.sent = append(d.sent, req.Header.Get("Authorization"))
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	if w.Code == http.StatusUnauthorized {
		d.refused++
	}
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// guarded is a server that asks for Digest; it answers with the user's name and
// the body.
func guarded(known *auth.Users, algorithms []string, authInt int64) (*web.Auth, *direct) {
	a := &web.Auth{
		Realm: `a "realm"`, Algorithms: algorithms, AuthInt: authInt,
		Logins: &auth.Authenticator{Accounts: known, Delay: -1},
		Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s:%s", web.User(r), body)
		}),
	}
	return a, &direct{h: a}
}

// accounts are those of these passwords.
func accounts(passwords map[string]string) *auth.Users {
	known := &auth.Users{Secrets: map[string]auth.Secret{}}
	for name, password := range passwords {
		known.Secrets[name] = auth.Clear(password)
	}
	return known
}

// client logs in to what is behind d.
func client(t *testing.T, d *direct, user, password string, authInt bool) *http.Client {
	t.Helper()
	h := open.NewHTTPDigestAuthHandler(nil)
	h.AuthInt = authInt
	if err := h.AddPassword(`a "realm"`, "http://h.test/", user, password); err != nil {
		t.Fatal(err)
	}
	return open.BuildOpener(h, open.Layer{Order: open.OrderProxy + 1, Wrap: func(http.RoundTripper) http.RoundTripper { return d }})
}

func post(t *testing.T, c *http.Client, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://h.test/x?q=1&r=%20", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, text := do(t, c, req)
	return resp.StatusCode, text
}

// TestDigestBothEnds: our opener at our server, by every algorithm and quality,
// for names within ASCII and beyond.
func TestDigestBothEnds(t *testing.T) {
	users := map[string]string{"ann": "secret!", "Jäsøn Doe": "Secret, or not?", `q"u\o`: `p"w\:`}
	known := accounts(users)
	for _, algorithm := range []string{"MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"} {
		for _, authInt := range []int64{0, 100} {
			for user, password := range users {
				_, d := guarded(known, []string{algorithm}, authInt)
				c := client(t, d, user, password, true)
				for i := range 3 {
					body := strings.Repeat("x", i*50)
					if status, text := post(t, c, body); status != 200 || text != user+":"+body {
						t.Errorf("%s, auth-int %d, %q: %d %q", algorithm, authInt, user, status, text)
					}
				}
				if d.refused != 1 { // the first one asks, then the nonce is used on
					t.Errorf("%s, auth-int %d, %q: asked %d times: %q", algorithm, authInt, user, d.refused, d.sent)
				}
				if hashed, last := !strings.HasPrefix(algorithm, "MD5"), d.sent[len(d.sent)-1]; hashed != strings.Contains(last, "userhash=true") || hashed && strings.Contains(last, user) ||
					(authInt > 0) != strings.Contains(last, "qop=auth-int") {
					t.Errorf("%s, auth-int %d, %q: %s", algorithm, authInt, user, last)
				}
				if status, _ := post(t, client(t, d, user, "wrong", true), "x"); status != 401 {
					t.Errorf("%s, auth-int %d, %q: a wrong password: %d", algorithm, authInt, user, status)
				}
			}
		}
	}
}

// TestDigestOfTheBody: what is changed on its way is refused, and what is too
// long to be checked too.
func TestDigestOfTheBody(t *testing.T) {
	a, d := guarded(accounts(map[string]string{"ann": "secret"}), nil, 100)
	c := client(t, d, "ann", "secret", true)
	if status, text := post(t, c, "pay 1"); status != 200 || text != "ann:pay 1" {
		t.Errorf("%d %q", status, text)
	}
	d.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // somebody between the two
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(strings.Replace(string(body), "pay 1", "pay 9", 1)))
		a.ServeHTTP(w, r)
	})
	if status, text := post(t, c, "pay 1"); status != 401 {
		t.Errorf("changed: %d %q", status, text)
	}
	d.h = a
	if status, _ := post(t, c, strings.Repeat("x", 101)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", status)
	}
	if status, text := post(t, client(t, d, "ann", "secret", false), strings.Repeat("x", 101)); status != 200 {
		t.Errorf("without auth-int: %d %q", status, text)
	}
}

// TestDigestNoncesAge: a nonce that gets old is replaced while it is in use; one
// that is too old, or of a server that has started again, is stale, and costs
// no question to the user.
func TestDigestNoncesAge(t *testing.T) {
	for _, algorithm := range []string{"SHA-256", "SHA-256-sess"} {
		synctest.Test(t, func(t *testing.T) {
			users := accounts(map[string]string{"ann": "secret"})
			_, d := guarded(users, []string{algorithm}, 0)
			c := client(t, d, "ann", "secret", false)
			ask := func(when string, want int) {
				t.Helper()
				before := d.refused
				if status, text := post(t, c, "x"); status != 200 || text != "ann:x" || d.refused-before != want {
					t.Errorf("%s, %s: %d %q, refused %d times, want %d", algorithm, when, status, text, d.refused-before, want)
				}
			}
			ask("at first", 1)
			ask("again", 0)
			<-time.After(3 * time.Minute)
			ask("getting old", 0) // SHA-256 is told the next nonce
			<-time.After(3 * time.Minute)
			ask("past the first one's time", map[string]int{"SHA-256": 0, "SHA-256-sess": 1}[algorithm])
			<-time.After(10 * time.Minute)
			ask("too old", 1)
			again, _ := guarded(users, []string{algorithm}, 0)
			d.h = again
			ask("started again", 1)
		})
	}
}
