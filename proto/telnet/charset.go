package telnet

import (
	"bytes"
	"strings"
)

// The codes of CHARSET (RFC 2066).
const (
	charsetRequest  = 1
	charsetAccepted = 2
	charsetRejected = 3
	ttableIs        = 4
	ttableRejected  = 5
)

// RequestCharset offers our character sets, which it may where CHARSET is on at
// our end. The answer is Peer.Charset, which stays empty where none suits.
func (n *NVT) RequestCharset() {
	if !n.Ours(Charset) || len(n.o.Charsets) == 0 {
		return
	}
	n.requested = true
	n.Sub(Charset, append([]byte{charsetRequest, ';'}, strings.Join(n.o.Charsets, ";")...))
}

// subCharset answers a request, or takes the answer to ours. When both ends
// have asked it is the server that refuses (RFC 2066 section 7).
func (n *NVT) subCharset(b []byte) {
	if len(b) == 0 || !n.Ours(Charset) && !n.Theirs(Charset) {
		return
	}
	what, b := b[0], b[1:]
	switch what {
	case charsetRequest:
		chosen := n.choose(b)
		if n.requested && n.o.Server {
			chosen = ""
		}
		if chosen == "" {
			n.Sub(Charset, []byte{charsetRejected})
			return
		}
		n.Peer.Charset = chosen
		n.Sub(Charset, append([]byte{charsetAccepted}, chosen...))
	case charsetAccepted:
		if n.requested {
			n.Peer.Charset = printable(b)
		}
		n.requested = false
	case charsetRejected:
		n.requested = false
	case ttableIs:
		n.Sub(Charset, []byte{ttableRejected})
	}
}

// choose gives the first character set of a request that we speak, as it is
// written there. Translation tables we do not take.
func (n *NVT) choose(b []byte) string {
	if rest, ok := bytes.CutPrefix(b, []byte("[TTABLE]")); ok {
		if b = rest; len(b) > 0 { // the version
			b = b[1:]
		}
	}
	if len(b) == 0 {
		return ""
	}
	for name := range strings.SplitSeq(string(b[1:]), string(b[:1])) {
		for _, ours := range n.o.Charsets {
			if strings.EqualFold(name, ours) {
				return name
			}
		}
	}
	return ""
}
