package auth

import (
	"crypto/md5" // RFC 7616 still has it, for ends that know no other
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// A DigestAlgorithm is one of HTTP's Digest (RFC 7616 section 3.3).
type DigestAlgorithm struct {
	Name string // as the RFC writes it
	Sess bool   // the password's hash is made anew for each nonce
	New  func() hash.Hash
}

// FindDigestAlgorithm knows MD5, SHA-256 and SHA-512-256, each also with -sess,
// whatever their case; no name is MD5.
func FindDigestAlgorithm(name string) (a DigestAlgorithm, ok bool) {
	if name == "" {
		name = "MD5"
	}
	a.Name, a.Sess = strings.CutSuffix(strings.ToUpper(name), "-SESS")
	switch a.Name {
	case "MD5":
		a.New = md5.New
	case "SHA-256":
		a.New = sha256.New
	case "SHA-512-256":
		a.New = sha512.New512_256
	default:
		return DigestAlgorithm{}, false
	}
	if a.Sess {
		a.Name += "-sess"
	}
	return a, true
}

// Sum is H of the RFC: the hash, in hexadecimal, of parts with colons between
// them.
func (a DigestAlgorithm) Sum(parts ...string) string {
	h := a.New()
	_, _ = io.WriteString(h, strings.Join(parts, ":")) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
}

// Response is the proof (section 3.4.1). secret is the sum of user, realm and
// password, and with Sess the sum of that and of the nonce and cnonce with which
// the session began; a2 is the method and the URI, and for auth-int the hash of
// the body. Without a qop it is that of RFC 2069.
func (a DigestAlgorithm) Response(secret, nonce, nc, cnonce, qop string, a2 ...string) string {
	if qop == "" {
		return a.Sum(secret, nonce, a.Sum(a2...))
	}
	return a.Sum(secret, nonce, nc, cnonce, qop, a.Sum(a2...))
}
