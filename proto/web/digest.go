package web

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // RFC 7616 has it for clients that know nothing better
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// algorithm is a hash of RFC 7616.
type algorithm struct {
	name string
	sum  func(s string) string
}

// algorithms are those that are offered, the strongest first.
var algorithms = [...]algorithm{
	{"SHA-256", func(s string) string { b := sha256.Sum256([]byte(s)); return hex.EncodeToString(b[:]) }},
	{"MD5", func(s string) string { b := md5.Sum([]byte(s)); return hex.EncodeToString(b[:]) }}, //nolint:gosec // as above
}

// Params are the parameters of a challenge or of credentials (RFC 9110 section
// 11.2): names in lower case, values without quotes.
type Params map[string]string

// maxParams is more than any scheme has.
const maxParams = 32

// ParseParams reads name=value, name="value", ... ; false: that is no such list,
// or a name comes twice.
func ParseParams(s string) (Params, bool) {
	out := Params{}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return out, true
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !ok || !isToken(name) || len(out) == maxParams {
			return nil, false
		}
		value, rest, ok := paramValue(strings.TrimLeft(rest, " \t"))
		rest = strings.TrimLeft(rest, " \t")
		if _, twice := out[name]; !ok || twice || rest != "" && rest[0] != ',' {
			return nil, false
		}
		out[name] = value
		s = rest
	}
}

// paramValue reads a token or a quoted string.
func paramValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], isToken(s[:end])
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// isToken tells a token (RFC 9110 section 5.6.2); some clients leave quotes off
// more than a token, base64 among it.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),;<>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// quoted is s as a quoted string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		c := s[i]
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// digest checks credentials (RFC 7616 section 3.4), and tells the client that
// we know the password as well (section 3.5).
func (a *Auth) digest(w http.ResponseWriter, r *http.Request, s string) (string, standing) {
	p, ok := ParseParams(s)
	if !ok || p["realm"] != a.Realm || p["qop"] != "auth" || p["cnonce"] == "" || p["userhash"] == "true" {
		return "", nobody
	}
	if uri := p["uri"]; uri != r.RequestURI && uri != r.URL.RequestURI() {
		return "", nobody
	}
	alg := algorithms[len(algorithms)-1] // MD5, where none is named
	for _, one := range algorithms {
		if strings.EqualFold(p["algorithm"], one.name) {
			alg = one
		}
	}
	if p["algorithm"] != "" && !strings.EqualFold(p["algorithm"], alg.name) {
		return "", nobody
	}
	count, err := strconv.ParseUint(p["nc"], 16, 32)
	if err != nil || len(p["nc"]) != 8 {
		return "", nobody
	}
	user := p["username"]
	password, exists := a.Password(user)
	secret := alg.sum(user + ":" + a.Realm + ":" + password)
	seal := func(method string) string {
		return alg.sum(strings.Join([]string{secret, p["nonce"], p["nc"], p["cnonce"], "auth", alg.sum(method + ":" + p["uri"])}, ":"))
	}
	same := subtle.ConstantTimeCompare([]byte(seal(r.Method)), []byte(strings.ToLower(p["response"]))) == 1
	now := time.Now()
	switch {
	case !a.nonces.ours(p["nonce"]):
		return "", nobody
	case !same || !exists:
		return "", wrong
	case !a.nonces.use(p["nonce"], uint32(count), now):
		return "", stale
	}
	w.Header()["Authentication-Info"] = []string{"qop=auth, rspauth=" + quoted(seal("")) + ", cnonce=" + quoted(p["cnonce"]) + ", nc=" + p["nc"]}
	return user, known
}

// nonces makes nonces that need no memory until they are used well: the time
// at which they were made, and a seal. Of those that were used it knows the
// counts, so that no request can be sent again by somebody who has overheard
// it.
type nonces struct {
	key [32]byte

	mu     sync.Mutex
	used   map[string]*uses
	order  []string
	oldest int64 // nonces that were made until then, and that we do not know, are too old
}

// uses are the counts of one nonce: the last 64 by bit.
type uses struct {
	last   uint32
	before uint64
}

const (
	nonceLife = 5 * time.Minute
	maxNonces = 4096
	nonceSeal = 12
)

func (n *nonces) make(now time.Time) string {
	b := make([]byte, 16, 16+nonceSeal)
	binary.BigEndian.PutUint64(b, uint64(now.UnixMilli()))
	_, _ = rand.Read(b[8:]) // never fails
	return base64.RawURLEncoding.EncodeToString(append(b, n.seal(b)...))
}

func (n *nonces) seal(b []byte) []byte {
	m := hmac.New(sha256.New, n.key[:])
	m.Write(b)
	return m.Sum(nil)[:nonceSeal]
}

// ours tells whether we made it.
func (n *nonces) ours(nonce string) bool {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	return err == nil && len(b) == 16+nonceSeal && hmac.Equal(n.seal(b[:16]), b[16:])
}

// made is when.
func made(nonce string) int64 {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// use notes a count of a nonce of ours; false: it is too old, or the count has
// been used. Requests may overtake each other, but not by far.
func (n *nonces) use(nonce string, count uint32, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	born := made(nonce)
	if now.UnixMilli()-born > nonceLife.Milliseconds() || count == 0 {
		return false
	}
	u := n.used[nonce]
	if u == nil {
		if born <= n.oldest {
			return false
		}
		u = n.enter(nonce)
	}
	if count > u.last {
		u.before = u.before<<(count-u.last) | 1 // a shift by 64 or more leaves none
		u.last = count
		return true
	}
	bit := uint64(1) << (u.last - count)
	if bit == 0 || u.before&bit != 0 {
		return false
	}
	u.before |= bit
	return true
}

// enter makes room for a nonce; n.mu is held.
func (n *nonces) enter(nonce string) *uses {
	if n.used == nil {
		n.used = map[string]*uses{}
	}
	if len(n.order) >= maxNonces {
		n.oldest = max(n.oldest, made(n.order[0]))
		delete(n.used, n.order[0])
		n.order = n.order[1:]
	}
	u := &uses{}
	n.used[nonce] = u
	n.order = append(n.order, nonce)
	return u
}
