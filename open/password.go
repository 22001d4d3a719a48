package open

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"
)

// A PasswordStore finds the user and password for a realm at a URI; ok is
// false where it knows none. Any number of goroutines may ask it.
type PasswordStore interface {
	FindUserPassword(realm, uri string) (user, passwd string, ok bool)
}

// HTTPPasswordMgr keeps users and passwords by realm and URI. The zero value
// is empty; any number of goroutines may use it.
//
// A URI such as https://host:port/path covers itself and all that lies below
// it: /a covers /a and /a/b, not /ab. Scheme, host and port must be the same,
// as RFC 7617 section 2.2 has it; a bare "host" or "host:port" covers http and
// https, and without a port their usual ones. The paths are compared as the
// server will understand them, dots resolved, so that /a/../b is not below /a.
type HTTPPasswordMgr struct {
	mu      sync.RWMutex
	entries []entry // the last one added wins over an equal one before
}

type entry struct {
	realm        string
	space        space
	user, passwd string
}

// AddPassword stores a user and password for a realm at a URI, instead of one
// stored before for the same. The error says that the URI cannot be read.
func (m *HTTPPasswordMgr) AddPassword(realm, uri, user, passwd string) error {
	s, err := storedSpace(uri)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range m.entries {
		if e.realm == realm && e.space == s {
			m.entries[i].user, m.entries[i].passwd = user, passwd
			return nil
		}
	}
	m.entries = append(m.entries, entry{realm, s, user, passwd})
	return nil
}

// FindUserPassword gives the first that was stored for the realm and covers
// the URI.
func (m *HTTPPasswordMgr) FindUserPassword(realm, uri string) (user, passwd string, ok bool) {
	target, err := parseSpace(uri)
	if err != nil {
		return "", "", false
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, e := range m.entries {
		if e.realm == realm && e.space.covers(target) {
			return e.user, e.passwd, true
		}
	}
	return "", "", false
}

// AnyRealm is the realm of a password that stands for every realm, where the
// store knows such: Python's None. No server can name it.
const AnyRealm = "\x00"

// HTTPPasswordMgrWithDefaultRealm is a HTTPPasswordMgr in which what is stored
// for AnyRealm serves where nothing is stored for the realm itself.
type HTTPPasswordMgrWithDefaultRealm struct{ HTTPPasswordMgr }

// FindUserPassword looks for the realm, then for AnyRealm.
func (m *HTTPPasswordMgrWithDefaultRealm) FindUserPassword(realm, uri string) (user, passwd string, ok bool) {
	if user, passwd, ok = m.HTTPPasswordMgr.FindUserPassword(realm, uri); ok {
		return user, passwd, true
	}
	return m.HTTPPasswordMgr.FindUserPassword(AnyRealm, uri)
}

// HTTPPasswordMgrWithPriorAuth also knows URIs to which a Basic credential
// goes without being asked for: those told by UpdateAuthenticated. It must then
// be stored for AnyRealm, since no realm has been named yet.
type HTTPPasswordMgrWithPriorAuth struct {
	HTTPPasswordMgrWithDefaultRealm
	prior sync.Map // space -> bool
}

// UpdateAuthenticated says whether credentials go to a URI, and what lies
// below it, unasked.
func (m *HTTPPasswordMgrWithPriorAuth) UpdateAuthenticated(uri string, is bool) error {
	s, err := storedSpace(uri)
	if err != nil {
		return err
	}
	m.prior.Store(s, is)
	return nil
}

// IsAuthenticated tells whether credentials go to a URI unasked. The longest
// path that covers it decides.
func (m *HTTPPasswordMgrWithPriorAuth) IsAuthenticated(uri string) bool {
	target, err := parseSpace(uri)
	if err != nil {
		return false
	}
	best, is := -1, false
	m.prior.Range(func(k, v any) bool {
		if s := k.(space); s.covers(target) && len(s.path) > best {
			best, is = len(s.path), v.(bool)
		}
		return true
	})
	return is
}

// space is where a credential belongs: an origin and a path.
type space struct {
	origin origin // no scheme: http or https; no port then: the usual one
	path   string // clean, decoded, "/" at least
}

func parseSpace(uri string) (space, error) {
	bare := !strings.Contains(uri, "://")
	full := uri
	if bare {
		full = "//" + uri
	}
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return space{}, fmt.Errorf("password store: want scheme://host[:port][/path] or host[:port], have %q", uri)
	}
	p := u.Path
	if bare && p != "" && p != "/" {
		return space{}, fmt.Errorf("password store: a path needs a scheme before it, have %q", uri)
	}
	if doubtful(u) {
		return space{originOf(u), "/"}, nil
	}
	return space{originOf(u), cleanPath(p)}, nil
}

// doubtful tells paths with slashes in disguise, where nobody knows what the
// server takes for a folder: only what covers the whole origin covers them.
func doubtful(u *url.URL) bool {
	p := strings.ToLower(u.EscapedPath())
	return strings.Contains(p, "%2f") || strings.Contains(p, "%5c") || strings.Contains(p, `\`)
}

// storedSpace is that of a URI to keep, which must not be doubtful.
func storedSpace(uri string) (space, error) {
	s, err := parseSpace(uri)
	if err != nil {
		return s, err
	}
	if u, err := url.Parse(uri); err == nil && doubtful(u) {
		return s, fmt.Errorf("password store: the path of %q holds a disguised slash", uri)
	}
	return s, nil
}

// cleanPath resolves dots (RFC 3986 section 5.2.4) in a decoded path and keeps
// the last slash.
func cleanPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

func (s space) covers(t space) bool {
	if s.origin.host != t.origin.host {
		return false
	}
	if s.origin.scheme == "" {
		usual := t.origin.scheme == "http" && t.origin.port == "80" || t.origin.scheme == "https" && t.origin.port == "443"
		if !(s.origin.port == t.origin.port || s.origin.port == "" && (usual || t.origin.port == "")) {
			return false
		}
	} else if s.origin != t.origin {
		return false
	}
	return s.path == t.path || strings.HasPrefix(t.path, strings.TrimSuffix(s.path, "/")+"/")
}
