package web

import (
	"bytes"

	"github.com/farend-go/farend/conv"
)

// Veil is a tap that lets another hear HTTP without its credentials: the
// values of Authorization, Proxy-Authorization and Cookie, line by line, and in
// HTTP/2, where they are compressed, whole headers. For server.Server.Tap: what
// the peer says is looked at.
func Veil(tap conv.Tap) conv.Tap { return &veil{tap: tap} }

type veil struct {
	tap   conv.Tap
	begun bool // the first line is told from HTTP/2's preface
	h2    bool

	line  []byte // the beginning of the line that is heard
	value bool   // what follows on this line is secret

	head []byte // of a frame
	left int    // bytes of the frame to come
	dark bool   // it is a header
}

// secrets are the fields whose values nobody hears.
var secrets = [][]byte{[]byte("authorization:"), []byte("proxy-authorization:"), []byte("cookie:")}

// longestSecret is how much of a line is looked at.
const longestSecret = len("proxy-authorization:")

// preface begins a connection in HTTP/2 (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// frameHead is how long the beginning of a frame is (RFC 9113 section 4.1).
const frameHead = 9

// Hear tells what may be told.
func (v *veil) Hear(u conv.Utterance) {
	if u.Event != conv.Said || u.Ours || u.Secret {
		v.tap.Hear(u)
		return
	}
	for rest := u.Bytes; len(rest) > 0; {
		n, dark := v.next(rest)
		piece := u
		piece.Bytes = rest[:n]
		if dark {
			piece.Secret, piece.Hidden, piece.Bytes = true, n, []byte("***")
		}
		v.tap.Hear(piece)
		rest = rest[n:]
	}
}

// next tells how many bytes are alike, and whether they are secret.
func (v *veil) next(b []byte) (n int, dark bool) {
	if v.h2 {
		return v.frame(b)
	}
	if v.value {
		if n = bytes.IndexAny(b, "\r\n"); n < 0 {
			return len(b), true
		}
		v.value = false
		if n > 0 {
			return n, true
		}
	}
	for n < len(b) && !v.value && !v.h2 {
		c := b[n]
		n++
		switch {
		case c == '\n':
			v.line = v.line[:0]
		case len(v.line) <= longestSecret:
			v.line = append(v.line, c)
			v.value = isSecret(v.line)
		}
		if !v.begun {
			v.begin(c)
		}
	}
	return n, false
}

// begin looks for the preface, byte by byte.
func (v *veil) begin(c byte) {
	v.head = append(v.head, c)
	at := len(v.head)
	v.begun = at == len(preface) || c != preface[at-1]
	if v.begun {
		v.h2 = string(v.head) == preface
		v.head = v.head[:0]
	}
}

func isSecret(line []byte) bool {
	for _, s := range secrets {
		if len(line) == len(s) && bytes.EqualFold(line, s) {
			return true
		}
	}
	return false
}

// frame goes on to the end of a frame, or of its head.
func (v *veil) frame(b []byte) (n int, dark bool) {
	if v.left > 0 {
		n = min(len(b), v.left)
		v.left -= n
		return n, v.dark
	}
	n = min(len(b), frameHead-len(v.head))
	v.head = append(v.head, b[:n]...)
	if len(v.head) == frameHead {
		v.left = int(v.head[0])<<16 | int(v.head[1])<<8 | int(v.head[2])
		v.dark = v.head[3] == 1 || v.head[3] == 9 // HEADERS, CONTINUATION
		v.head = v.head[:0]
	}
	return n, false
}
