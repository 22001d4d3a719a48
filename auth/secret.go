package auth

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
	"golang.org/x/crypto/argon2"
)

// Kinds says what can be done with a Secret beside the check of a plain
// password, which is always possible.
type Kinds uint8

// The kinds.
const (
	KindClear  Kinds = 1 << iota // CRAM-MD5 and APOP
	KindSHA1                     // SCRAM-SHA-1
	KindSHA256                   // SCRAM-SHA-256
	KindArgon2                   // nothing beside
)

// Iterations is how often the hash of SCRAM keys is iterated, for those that
// are made here and for those that are made up for unknown users.
const Iterations = 10_000

// Parameters of argon2id, for those that are made here: OWASP's.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonSize    = 32
)

// A Secret is what a server keeps of a password. The zero Secret matches no
// password. It prints as "***"; Text gives its content. It is not changed, and
// may be used concurrently.
type Secret struct {
	kinds        Kinds
	any          bool
	clear        string
	sha1, sha256 scram.StoredCredentials
	argon        argon
}

type argon struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

// Clear keeps the password as it is, for all mechanisms; needed only for
// CRAM-MD5 and APOP.
func Clear(password string) Secret {
	s := Keys(password)
	s.kinds |= KindClear
	s.clear = Prepare(password)
	return s
}

// Keys keeps the keys of SCRAM-SHA-1 and SCRAM-SHA-256, from which no password
// can be read, with a new salt.
func Keys(password string) Secret {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	factors := scram.KeyFactors{Salt: string(salt), Iters: Iterations}
	password = Prepare(password)
	return Secret{
		kinds:  KindSHA1 | KindSHA256,
		sha1:   keys(sha1.New, password, factors),
		sha256: keys(sha256.New, password, factors),
	}
}

// Hash keeps an argon2id hash (RFC 9106): the hardest to guess from, but good
// for plain passwords only.
func Hash(password string) Secret {
	a := argon{time: argonTime, memory: argonMemory, threads: argonThreads, salt: make([]byte, 16)}
	_, _ = rand.Read(a.salt) // never fails
	a.key = a.derive(Prepare(password), argonSize)
	return Secret{kinds: KindArgon2, argon: a}
}

// Any matches every password, also in CRAM-MD5 and APOP.
func Any() Secret { return Secret{kinds: KindClear, any: true} }

// Kinds says what the secret is good for.
func (s Secret) Kinds() Kinds { return s.kinds }

// String is "***".
func (s Secret) String() string { return "***" }

// GoString is "***".
func (s Secret) GoString() string { return "***" }

// LogValue is "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue("***") }

// Matches compares with a plain password, in a time that does not depend on
// either.
func (s Secret) Matches(password string) bool {
	password = Prepare(password)
	same := false
	switch {
	case s.any:
		return true
	case s.kinds&KindClear != 0:
		same = equal(password, s.clear)
	case s.kinds&KindArgon2 != 0:
		same = subtle.ConstantTimeCompare(s.argon.derive(password, uint32(len(s.argon.key))), s.argon.key) == 1
	case s.kinds&KindSHA256 != 0:
		same = sameKeys(keys(sha256.New, password, s.sha256.KeyFactors), s.sha256)
	case s.kinds&KindSHA1 != 0:
		same = sameKeys(keys(sha1.New, password, s.sha1.KeyFactors), s.sha1)
	}
	return same && password != ""
}

// proves compares a proof with what f makes of the clear-text password.
func (s Secret) proves(proof []byte, f func(password string) []byte) bool {
	if s.any {
		return true
	}
	want := f(s.clear)
	same := subtle.ConstantTimeCompare(want, proof) == 1
	return same && s.kinds&KindClear != 0 && s.clear != ""
}

func sameKeys(a, b scram.StoredCredentials) bool {
	return len(b.StoredKey) > 0 && subtle.ConstantTimeCompare(a.StoredKey, b.StoredKey) == 1
}

// equal compares in a time that tells neither content nor length.
func equal(a, b string) bool {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	return hmac.Equal(mac(sha256.New, key[:], a), mac(sha256.New, key[:], b))
}

func mac(h func() hash.Hash, key []byte, message string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

// cramMD5 is the keyed digest of RFC 2195.
func cramMD5(password, challenge string) []byte { return mac(md5.New, []byte(password), challenge) }

// keys derives SCRAM's keys (RFC 5802 section 3).
func keys(h func() hash.Hash, password string, f scram.KeyFactors) scram.StoredCredentials {
	salted, err := pbkdf2.Key(h, password, []byte(f.Salt), f.Iters, h().Size())
	if err != nil { // only under FIPS 140's rules: then nothing matches
		return scram.StoredCredentials{KeyFactors: f}
	}
	stored := h()
	stored.Write(mac(h, salted, "Client Key"))
	return scram.StoredCredentials{KeyFactors: f, StoredKey: stored.Sum(nil), ServerKey: mac(h, salted, "Server Key")}
}

func (a argon) derive(password string, size uint32) []byte {
	return argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, size)
}

// ErrSecret is a text that is no Secret's.
var ErrSecret = errors.New("auth: malformed secret")

// Text is the secret as a file keeps it, its forms with a blank between them:
// "{PLAIN}password", "$argon2id$v=19$m=…,t=…,p=…$salt$hash" (the PHC string
// format) and "SCRAM-SHA-256$iterations:salt$stored:server" (RFC 5803). A
// clear one stands alone, for its password may have blanks in it.
func (s Secret) Text() string {
	switch {
	case s.any:
		return "{ANY}"
	case s.kinds&KindClear != 0:
		return "{PLAIN}" + s.clear
	}
	var forms []string
	if a := s.argon; s.kinds&KindArgon2 != 0 {
		raw := base64.RawStdEncoding.EncodeToString
		forms = append(forms, fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads, raw(a.salt), raw(a.key)))
	}
	for _, k := range []struct {
		kind Kinds
		name string
		c    scram.StoredCredentials
	}{{KindSHA1, "SCRAM-SHA-1", s.sha1}, {KindSHA256, "SCRAM-SHA-256", s.sha256}} {
		if s.kinds&k.kind != 0 {
			b64 := base64.StdEncoding.EncodeToString
			forms = append(forms, fmt.Sprintf("%s$%d:%s$%s:%s", k.name, k.c.Iters, b64([]byte(k.c.Salt)), b64(k.c.StoredKey), b64(k.c.ServerKey)))
		}
	}
	return strings.Join(forms, " ")
}

// ParseSecret reads what Text wrote, or another program in the same forms.
// ErrSecret: it is none of them.
func ParseSecret(text string) (Secret, error) {
	if password, ok := strings.CutPrefix(text, "{PLAIN}"); ok && Prepare(password) != "" {
		return Clear(password), nil
	}
	if text == "{ANY}" {
		return Any(), nil
	}
	var s Secret
	for form := range strings.FieldsSeq(text) {
		var err error
		switch name, rest, _ := strings.Cut(strings.TrimPrefix(form, "$"), "$"); name {
		case "argon2id":
			s.kinds |= KindArgon2
			s.argon, err = parseArgon(rest)
		case "SCRAM-SHA-1":
			s.kinds |= KindSHA1
			s.sha1, err = parseKeys(rest, sha1.Size)
		case "SCRAM-SHA-256":
			s.kinds |= KindSHA256
			s.sha256, err = parseKeys(rest, sha256.Size)
		default:
			err = ErrSecret
		}
		if err != nil {
			return Secret{}, err
		}
	}
	if s.kinds == 0 {
		return s, ErrSecret
	}
	return s, nil
}

// Limits of what a file may ask for.
const (
	maxArgonMemory = 1 << 20 // KiB
	maxArgonTime   = 1000
	maxIterations  = 5_000_000
)

func parseArgon(s string) (a argon, err error) {
	f := strings.Split(s, "$")
	if len(f) != 4 || f[0] != "v="+strconv.Itoa(argon2.Version) {
		return a, ErrSecret
	}
	if n, err := fmt.Sscanf(f[1], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); n != 3 || err != nil {
		return a, ErrSecret
	}
	a.salt, err = base64.RawStdEncoding.DecodeString(f[2])
	if err != nil {
		return a, ErrSecret
	}
	a.key, err = base64.RawStdEncoding.DecodeString(f[3])
	ok := a.time > 0 && a.time <= maxArgonTime && a.memory <= maxArgonMemory && a.threads > 0
	if err != nil || !ok || len(a.key) < 16 || len(a.key) > 128 || len(a.salt) < 8 {
		return a, ErrSecret
	}
	return a, nil
}

func parseKeys(s string, size int) (c scram.StoredCredentials, err error) {
	factors, both, ok := strings.Cut(s, "$")
	iterations, salt, ok2 := strings.Cut(factors, ":")
	stored, server, ok3 := strings.Cut(both, ":")
	if !ok || !ok2 || !ok3 {
		return c, ErrSecret
	}
	c.Iters, err = strconv.Atoi(iterations)
	if err != nil || c.Iters < 1 || c.Iters > maxIterations {
		return c, ErrSecret
	}
	var raw [3][]byte
	for i, text := range []string{salt, stored, server} {
		if raw[i], err = base64.StdEncoding.DecodeString(text); err != nil {
			return c, ErrSecret
		}
	}
	if len(raw[0]) == 0 || len(raw[1]) != size || len(raw[2]) != size {
		return c, ErrSecret
	}
	c.Salt, c.StoredKey, c.ServerKey = string(raw[0]), raw[1], raw[2]
	return c, nil
}
