package dial

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
)

// SOCKSReply is the reply of a SOCKS proxy that did not connect (RFC 1928
// section 6). errors.Is finds the errno that would have come without a proxy:
// ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EACCES.
type SOCKSReply uint8

var socksReplies = map[SOCKSReply]struct {
	text  string
	errno syscall.Errno
}{
	1: {"general failure", 0},
	2: {"not allowed by its rules", syscall.EACCES},
	3: {"network unreachable", syscall.ENETUNREACH},
	4: {"host unreachable", syscall.EHOSTUNREACH},
	5: {"connection refused", syscall.ECONNREFUSED},
	6: {"time to live expired", syscall.ETIMEDOUT},
	7: {"command not supported", syscall.EOPNOTSUPP},
	8: {"address type not supported", syscall.EAFNOSUPPORT},
}

func (r SOCKSReply) Error() string {
	if known, ok := socksReplies[r]; ok {
		return fmt.Sprintf("the proxy answers %d (%s)", uint8(r), known.text)
	}
	return fmt.Sprintf("the proxy answers %d", uint8(r))
}

// Is tells whether target is the errno of the same meaning.
func (r SOCKSReply) Is(target error) bool {
	known := socksReplies[r]
	return known.errno != 0 && target == known.errno
}

// The numbers of RFC 1928 and RFC 1929.
const (
	socksVersion   = 5
	socksNoAuth    = 0
	socksUserPass  = 2
	socksNone      = 0xff
	socksConnectTo = 1
	socksIPv4      = 1
	socksDomain    = 3
	socksIPv6      = 4
	userPassV1     = 1
)

// socksConnect says RFC 1928's CONNECT. It reads not a byte more than the
// reply, since the far end may speak at once.
func socksConnect(rw io.ReadWriter, user, password, host string, port uint16) error {
	if err := socksGreet(rw, user, password); err != nil {
		return err
	}
	request, err := appendSOCKSAddress([]byte{socksVersion, socksConnectTo, 0}, host, port)
	if err != nil {
		return err
	}
	if _, err := rw.Write(request); err != nil {
		return err
	}
	var head [4]byte // version, reply, reserved, address type
	if err := readSOCKS(rw, head[:]); err != nil {
		return err
	}
	if head[0] != socksVersion {
		return fmt.Errorf("this is no SOCKS5 proxy: it answers with version %d", head[0])
	}
	if head[1] != 0 {
		return SOCKSReply(head[1])
	}
	return skipSOCKSAddress(rw, head[3])
}

// socksGreet agrees on a method and, if that is it, gives the user.
func socksGreet(rw io.ReadWriter, user, password string) error {
	hello := []byte{socksVersion, 1, socksNoAuth}
	if user != "" {
		hello = []byte{socksVersion, 2, socksNoAuth, socksUserPass}
	}
	if _, err := rw.Write(hello); err != nil {
		return err
	}
	var method [2]byte
	if err := readSOCKS(rw, method[:]); err != nil {
		return err
	}
	switch {
	case method[0] != socksVersion:
		return fmt.Errorf("this is no SOCKS5 proxy: it answers with version %d", method[0])
	case method[1] == socksNoAuth:
		return nil
	case method[1] == socksNone:
		return ErrProxyAuth
	case method[1] != socksUserPass || user == "":
		return fmt.Errorf("the proxy wants method %d, which was not offered", method[1])
	}
	b := append([]byte{userPassV1, byte(len(user))}, user...) // RFC 1929; the lengths were checked
	b = append(append(b, byte(len(password))), password...)
	if _, err := rw.Write(b); err != nil {
		return err
	}
	var status [2]byte
	if err := readSOCKS(rw, status[:]); err != nil {
		return err
	}
	if status[1] != 0 {
		return ErrProxyAuth
	}
	return nil
}

func appendSOCKSAddress(b []byte, host string, port uint16) ([]byte, error) {
	a, err := netip.ParseAddr(host)
	switch {
	case err == nil && a.Zone() != "":
		return nil, errors.New("an address with a zone means nothing to a proxy")
	case err == nil && a.Unmap().Is4():
		b = append(append(b, socksIPv4), a.Unmap().AsSlice()...)
	case err == nil:
		b = append(append(b, socksIPv6), a.AsSlice()...)
	case len(host) > 255:
		return nil, errors.New("a name has at most 255 bytes (RFC 1928)")
	default:
		b = append(append(b, socksDomain, byte(len(host))), host...)
	}
	return append(b, byte(port>>8), byte(port)), nil
}

// skipSOCKSAddress reads the address and port that end a reply.
func skipSOCKSAddress(r io.Reader, kind byte) error {
	n := 0
	switch kind {
	case socksIPv4:
		n = 4
	case socksIPv6:
		n = 16
	case socksDomain:
		var length [1]byte
		if err := readSOCKS(r, length[:]); err != nil {
			return err
		}
		n = int(length[0])
	default:
		return fmt.Errorf("the proxy answers with an address of type %d", kind)
	}
	return readSOCKS(r, make([]byte, n+2))
}

func readSOCKS(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
