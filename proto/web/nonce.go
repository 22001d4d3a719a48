package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

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
	cnonce string // of the first of them
}

const (
	nonceLife = 5 * time.Minute
	maxNonces = 4096
	nonceSeal = 12
)

func (n *nonces) fresh() string {
	b := make([]byte, 16, 16+nonceSeal)
	binary.BigEndian.PutUint64(b, uint64(time.Now().UnixMilli()))
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

// age is how old a nonce is.
func age(nonce string) time.Duration {
	return time.Duration(time.Now().UnixMilli()-made(nonce)) * time.Millisecond
}

// first is the cnonce with which a nonce was first used well; "": it was not.
func (n *nonces) first(nonce string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u := n.used[nonce]; u != nil {
		return u.cnonce
	}
	return ""
}

// use notes a count of a nonce of ours; false: it is too old, or the count has
// been used. Requests may overtake each other, but not by far.
func (n *nonces) use(nonce, cnonce string, count uint32) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	born := made(nonce)
	if age(nonce) > nonceLife || count == 0 {
		return false
	}
	u := n.used[nonce]
	if u == nil {
		if born <= n.oldest {
			return false
		}
		u = n.enter(nonce)
		u.cnonce = cnonce
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
