package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/pires/go-proxyproto"
)

// The lengths that the PROXY protocol allows: 107 bytes of line in version 1
// (section 2.1 of its specification), and in version 2 a prefix of 16 bytes and
// as much as it announces there, of which we take 4 KiB.
const (
	proxyLine   = 107
	proxyPrefix = 16
	proxyBlock  = 4096
)

var (
	errNoProxyHeader = errors.New("no PROXY header")
	errProxyLength   = errors.New("PROXY header: too long")
)

// proxyHeaderLen is the length of the PROXY header that b begins with; 0: more
// bytes are needed to tell. errNoProxyHeader: there is none.
func proxyHeaderLen(b []byte) (int, error) {
	const line = "PROXY "
	switch n := min(len(b), len(line)); {
	case string(b[:n]) != line[:n]:
	case len(b) < len(line):
		return 0, nil
	default:
		if i := bytes.IndexByte(b[:min(len(b), proxyLine)], '\n'); i >= 0 {
			return i + 1, nil
		}
		if len(b) >= proxyLine {
			return 0, errProxyLength
		}
		return 0, nil
	}
	if n := min(len(b), len(proxyproto.SIGV2)); !bytes.Equal(b[:n], proxyproto.SIGV2[:n]) {
		return 0, errNoProxyHeader
	}
	if len(b) < proxyPrefix {
		return 0, nil
	}
	block := int(binary.BigEndian.Uint16(b[proxyPrefix-2:]))
	if block > proxyBlock {
		return 0, errProxyLength
	}
	if len(b) < proxyPrefix+block {
		return 0, nil
	}
	return proxyPrefix + block, nil
}

// begunProxyHeader tells whether b, which is not a whole header, is the
// beginning of one and can be nothing else.
func begunProxyHeader(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PROXY ")) || bytes.HasPrefix(b, proxyproto.SIGV2)
}

// parseProxyHeader gives the two ends that a whole header tells; both are nil
// where the connection's own hold: command LOCAL, and protocol UNKNOWN
// (version 1) or UNSPEC (version 2).
func parseProxyHeader(b []byte) (from, to net.Addr, err error) {
	const versionAndProxy, unspec = 0x21, 0x00
	if len(b) >= proxyPrefix && b[12] == versionAndProxy && b[13] == unspec && begunProxyHeader(b) && b[0] != 'P' {
		return nil, nil, nil
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(b), len(b)))
	if err != nil {
		return nil, nil, fmt.Errorf("PROXY header: %w", err)
	}
	if h.Command.IsLocal() {
		return nil, nil, nil
	}
	return h.SourceAddr, h.DestinationAddr, nil
}
