package open

import (
	"cmp"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// HTTPCookieProcessor keeps cookies; a nil Jar is a new one for each opener.
type HTTPCookieProcessor struct{ Jar http.CookieJar }

// Join sets the jar.
func (h HTTPCookieProcessor) Join(p *Plan) {
	if h.Jar == nil {
		h.Jar = NewCookieJar()
	}
	p.Client.Jar = h.Jar
}

// CookieJar keeps cookies as RFC 6265 has it, with the public suffix list, and
// can list them and write them down, the heir of Python's http.cookiejar. Any
// number of goroutines may use it.
type CookieJar struct {
	jar *cookiejar.Jar // decides what is taken and what is sent

	mu   sync.Mutex
	kept map[cookieKey]Cookie
}

type cookieKey struct{ domain, path, name string }

// Cookie is a cookie as a jar keeps it.
type Cookie struct {
	Domain   string // without a dot in front
	HostOnly bool   // for Domain itself only, not for what is below it
	Path     string
	Name     string
	Value    string // with its quotes, if it came in quotes
	Secure   bool   // for https only
	HTTPOnly bool
	Expires  time.Time // zero: with the session
}

// NewCookieJar makes an empty jar.
func NewCookieJar() *CookieJar {
	jar, _ := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // it never fails
	return &CookieJar{jar: jar, kept: map[cookieKey]Cookie{}}
}

// Cookies gives what goes to a URL.
func (j *CookieJar) Cookies(u *url.URL) []*http.Cookie { return j.jar.Cookies(u) }

// SetCookies takes what an answer from a URL sets.
func (j *CookieJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.jar.SetCookies(u, cookies)
	for _, c := range cookies {
		j.note(u, c)
	}
}

// note writes down what the jar took. It does not tell: it is asked for the
// cookie where it would have to be.
func (j *CookieJar) note(u *url.URL, c *http.Cookie) {
	k := Cookie{
		Domain: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), HostOnly: true, Path: c.Path,
		Name: c.Name, Value: raw(c), Secure: c.Secure, HTTPOnly: c.HttpOnly,
	}
	if d := strings.ToLower(strings.TrimPrefix(c.Domain, ".")); d != "" && net.ParseIP(d) == nil {
		k.HostOnly = d == k.Domain && isPublicSuffix(d)
		k.Domain = d
	}
	if k.Path == "" || k.Path[0] != '/' {
		k.Path = defaultPath(u.Path)
	}
	switch {
	case c.MaxAge > 0:
		k.Expires = time.Now().Add(time.Duration(min(c.MaxAge, 1<<31)) * time.Second)
	case c.MaxAge == 0 && !c.Expires.IsZero():
		k.Expires = c.Expires
	}
	key := cookieKey{k.Domain, k.Path, k.Name}
	if j.taken(k) {
		j.kept[key] = k
		return
	}
	if c.MaxAge < 0 || !k.Expires.IsZero() && !k.Expires.After(time.Now()) {
		delete(j.kept, key)
	}
}

func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// taken tells whether the jar sends the cookie to where it belongs.
func (j *CookieJar) taken(k Cookie) bool {
	host := k.Domain
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	probe := &url.URL{Scheme: "https", Host: host, Path: k.Path}
	return slices.ContainsFunc(j.jar.Cookies(probe), func(c *http.Cookie) bool {
		return c.Name == k.Name && raw(c) == k.Value
	})
}

// raw is the value as it stands in a header, with the quotes that came.
func raw(c *http.Cookie) string {
	if c.Quoted {
		return `"` + c.Value + `"`
	}
	return c.Value
}

// defaultPath is that of RFC 6265 section 5.1.4.
func defaultPath(p string) string {
	i := strings.LastIndexByte(p, '/')
	if p == "" || p[0] != '/' || i <= 0 {
		return "/"
	}
	return p[:i]
}

// All lists the cookies that have not expired, by domain, path and name.
func (j *CookieJar) All() []Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []Cookie
	now := time.Now()
	for key, k := range j.kept {
		if !k.Expires.IsZero() && !k.Expires.After(now) {
			delete(j.kept, key)
			continue
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Cookie) int {
		return cmp.Or(strings.Compare(a.Domain, b.Domain), strings.Compare(a.Path, b.Path), strings.Compare(a.Name, b.Name))
	})
	return out
}

// Add puts a cookie in, as if its domain had set it. One that the rules refuse
// is passed over.
func (j *CookieJar) Add(k Cookie) {
	host := k.Domain
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	c := &http.Cookie{Name: k.Name, Value: k.Value, Path: k.Path, Secure: k.Secure, HttpOnly: k.HTTPOnly, Expires: k.Expires}
	if n := len(k.Value); n > 1 && k.Value[0] == '"' && k.Value[n-1] == '"' {
		c.Value, c.Quoted = k.Value[1:n-1], true
	}
	if !k.HostOnly {
		c.Domain = k.Domain
	}
	if !isHost(k.Domain) || c.Valid() != nil {
		return
	}
	j.SetCookies(&url.URL{Scheme: "https", Host: host, Path: "/"}, []*http.Cookie{c})
}

// isHost tells what can be the domain of a cookie: a name in ASCII, or an
// address.
func isHost(domain string) bool {
	strange := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r))
	}
	return domain != "" && domain[0] != '.' && strings.IndexFunc(domain, strange) < 0 &&
		(!strings.Contains(domain, ":") || net.ParseIP(domain) != nil)
}
