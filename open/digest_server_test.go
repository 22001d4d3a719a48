package open_test

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/farend-go/farend/open"
)

// digestServer checks by what RFC 7616 says of a server, from the header's text.
type digestServer struct {
	t                   *testing.T
	algorithm, qop      string
	userhash, next      bool
	alone               bool // no other challenge beside ours
	user, passwd, realm string

	mu     sync.Mutex
	nonces map[string]int // how often each was used
	count  int
	log    []string
	mute   bool // refuses all
	stale  bool // the next nonce used is stale
}

var pair = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^,\s]*))`)

func (s *digestServer) h(text string) string {
	var w hash.Hash
	switch {
	case strings.HasPrefix(s.algorithm, "SHA-256"):
		w = sha256.New()
	case strings.HasPrefix(s.algorithm, "SHA-512-256"):
		w = sha512.New512_256()
	default:
		w = md5.New()
	}
	io.WriteString(w, text)
	return hex.EncodeToString(w.Sum(nil))
}

func (s *digestServer) fresh() string {
	s.count++
	n := fmt.Sprintf("nonce%d", s.count)
	s.nonces[n] = 0
	return n
}

func (s *digestServer) challenge(w http.ResponseWriter, stale bool) {
	c := fmt.Sprintf(`Digest realm="%s", nonce="%s", opaque="o/="`, s.realm, s.fresh())
	if s.algorithm != "" {
		c += ", algorithm=" + s.algorithm
	}
	if s.qop != "" {
		c += fmt.Sprintf(`, qop="%s"`, s.qop)
	}
	if s.userhash {
		c += ", userhash=true, charset=UTF-8"
	}
	if stale {
		c += ", stale=TRUE"
	}
	if !s.alone {
		w.Header().Add("WWW-Authenticate", `Digest realm="other", algorithm=SHA-3000, nonce="n"`)
	}
	w.Header().Add("WWW-Authenticate", c)
	w.WriteHeader(401)
}

func (s *digestServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, is := strings.CutPrefix(r.Header.Get("Authorization"), "Digest ")
	if !is {
		s.log = append(s.log, "none")
		s.challenge(w, false)
		return
	}
	p := map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		p[m[1]] = m[2] + m[3]
	}
	s.log = append(s.log, p["nonce"]+"/"+strings.TrimLeft(p["nc"], "0"))
	used, known := s.nonces[p["nonce"]]
	if s.stale || !known {
		s.stale = false
		s.challenge(w, true)
		return
	}
	if s.mute || !s.good(r, p, used) {
		s.challenge(w, false)
		return
	}
	s.nonces[p["nonce"]]++
	if s.next {
		w.Header().Set("Authentication-Info", fmt.Sprintf("nextnonce=\"%s\", qop=auth", s.fresh()))
	}
	io.WriteString(w, "in")
}

func (s *digestServer) good(r *http.Request, p map[string]string, used int) bool {
	want := s.user
	if s.userhash {
		want = s.h(s.user + ":" + s.realm)
	}
	ha1 := s.h(s.user + ":" + s.realm + ":" + s.passwd)
	if strings.HasSuffix(s.algorithm, "-sess") {
		ha1 = s.h(ha1 + ":" + p["nonce"] + ":" + p["cnonce"])
	}
	a2 := r.Method + ":" + r.RequestURI
	if p["qop"] == "auth-int" {
		body, _ := io.ReadAll(r.Body)
		a2 += ":" + s.h(string(body))
	}
	mid := ""
	if s.qop != "" {
		nc, err := strconv.ParseInt(p["nc"], 16, 64)
		if err != nil || len(p["nc"]) != 8 || int(nc) != used+1 || !slices.Contains(strings.Split(s.qop, ","), p["qop"]) {
			s.t.Errorf("nc %q, qop %q", p["nc"], p["qop"])
			return false
		}
		mid = p["nc"] + ":" + p["cnonce"] + ":" + p["qop"] + ":"
	}
	return p["username"] == want && p["uri"] == r.RequestURI && p["opaque"] == "o/=" && p["realm"] == s.realm &&
		p["response"] == s.h(ha1+":"+p["nonce"]+":"+mid+s.h(a2))
}

func newDigest(t *testing.T, algorithm, qop string) (*digestServer, *site) {
	d := &digestServer{t: t, algorithm: algorithm, qop: qop, user: "klem", passwd: "kadidd!ehopper", realm: "PDQ", nonces: map[string]int{}}
	return d, newSite(t, d.ServeHTTP)
}

func digestFor(t *testing.T, realm, uri string) *open.HTTPDigestAuthHandler {
	t.Helper()
	h := open.NewHTTPDigestAuthHandler(nil)
	if err := h.AddPassword(realm, uri, "klem", "kadidd!ehopper"); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDigestMatrix(t *testing.T) {
	for _, algorithm := range []string{"", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"} {
		for _, qop := range []string{"", "auth", "auth-int", "auth,auth-int"} {
			for _, userhash := range []bool{false, true} {
				if qop == "" && strings.HasSuffix(algorithm, "-sess") {
					continue
				}
				d, s := newDigest(t, algorithm, qop)
				d.userhash = userhash
				h := digestFor(t, "PDQ", s.URL)
				h.AuthInt = true
				c := build(t, h)
				for i, body := range []string{"", "a body", "another"} {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/dir/x?q=1&r=%20", strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					resp, err := c.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if resp.StatusCode != 200 {
						t.Errorf("%q, %q, userhash %t, request %d: %s", algorithm, qop, userhash, i, resp.Status)
					}
				}
				if len(d.log) != 4 { // one challenge, then its nonce is used on
					t.Errorf("%q, %q: %q", algorithm, qop, d.log)
				}
			}
		}
	}
}

func TestDigestStaleAndNext(t *testing.T) {
	d, s := newDigest(t, "SHA-256", "auth")
	c := build(t, digestFor(t, "PDQ", s.URL))
	get(t, c, s.URL)
	get(t, c, s.URL)
	d.stale = true
	if resp, _ := get(t, c, s.URL); resp.StatusCode != 200 {
		t.Errorf("after a stale nonce: %s", resp.Status)
	}
	d.next = true
	get(t, c, s.URL)
	get(t, c, s.URL)
	if want := []string{"none", "nonce1/1", "nonce1/2", "nonce1/3", "nonce2/1", "nonce2/2", "nonce3/1"}; !slices.Equal(d.log, want) {
		t.Errorf("got  %q\nwant %q", d.log, want)
	}
}

func TestTutorial55_DigestGivesUp(t *testing.T) {
	d, s := newDigest(t, "MD5", "auth")
	d.mute = true
	c := build(t, digestFor(t, "PDQ", s.URL))
	for range 2 {
		if resp, _ := get(t, c, s.URL); resp.StatusCode != 401 {
			t.Errorf("%s", resp.Status)
		}
	}
	if len(d.log) > 5 {
		t.Errorf("it went on: %q", d.log)
	}
}

func TestTutorial57_DigestStaysHome(t *testing.T) {
	d, s := newDigest(t, "MD5", "auth")
	for _, h := range []*open.HTTPDigestAuthHandler{
		digestFor(t, "Other", s.URL), digestFor(t, "PDQ", "https://mahler:8092/x"), digestFor(t, "PDQ", s.URL+"/a"),
	} {
		if resp, _ := get(t, build(t, h), s.URL+"/b"); resp.StatusCode != 401 {
			t.Errorf("%s", resp.Status)
		}
	}
	// A nonce that is known does not go where the store names nothing.
	c := build(t, digestFor(t, "PDQ", s.URL+"/a"))
	get(t, c, s.URL+"/a/x")
	get(t, c, s.URL+"/b")
	if want := []string{"none", "none", "none", "none", "nonce4/1", "none"}; !slices.Equal(d.log, want) {
		t.Errorf("got %q", d.log)
	}
}

// Where both are offered, Digest it is, in whatever order the handlers stand.
func TestDigestBeforeBasic(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Add("WWW-Authenticate", `Basic realm="PDQ"`)
			w.Header().Add("WWW-Authenticate", `Digest realm="PDQ", nonce="n", qop="auth"`)
			w.WriteHeader(401)
		}
	})
	get(t, build(t, store(t, "PDQ", s.URL), digestFor(t, "PDQ", s.URL)), s.URL)
	if got := s.credentials(); len(got) != 2 || !strings.HasPrefix(got[1], "Digest ") {
		t.Errorf("sent %q", got)
	}
}
