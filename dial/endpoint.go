package dial

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/farend-go/farend/socket"
)

// Scheme is the first word of an endpoint: how its peer is reached.
type Scheme string

// The schemes.
const (
	TCP      Scheme = "tcp"
	TLS      Scheme = "tls"
	StartTLS Scheme = "starttls"
	Unix     Scheme = "unix"
	UDP      Scheme = "udp"
	Unixgram Scheme = "unixgram"
)

// Schemes lists all of them, those of streams first.
func Schemes() []Scheme { return []Scheme{TCP, TLS, StartTLS, Unix, UDP, Unixgram} }

// Packet tells the schemes of datagrams from those of streams.
func (s Scheme) Packet() bool { return s == UDP || s == Unixgram }

// Path tells the schemes whose peer is a path from those of host and port.
func (s Scheme) Path() bool { return s == Unix || s == Unixgram }

// An Endpoint is an endpoint string taken apart.
type Endpoint struct {
	Scheme Scheme
	Host   string // as socket.Pair takes it, without brackets; "" is the loopback address
	Port   string // a number or the name of a service
	Path   string // of a Unix socket, instead of Host and Port
}

// Parse takes an endpoint string apart. It looks nothing up. The error is one
// line that says what was wanted. Behind "//" it is a URL, whose host
// socket.CheckURLHost judges: tcp:127.1:80 is an endpoint, tcp://127.1:80 is
// none.
func Parse(s string) (Endpoint, error) {
	word, rest, colon := strings.Cut(s, ":")
	scheme := Scheme(strings.ToLower(word))
	if !colon || !slices.Contains(Schemes(), scheme) {
		return Endpoint{}, fmt.Errorf("endpoint %q: it begins with tcp: tls: starttls: unix: udp: or unixgram: (tcp:localhost:9999)", s)
	}
	rest, isURL := strings.CutPrefix(rest, "//")
	if scheme.Path() {
		if rest == "" || rest == "@" {
			return Endpoint{}, fmt.Errorf("endpoint %q: the path is missing (%s:/run/peer.sock)", s, scheme)
		}
		if strings.ContainsRune(rest, 0) {
			return Endpoint{}, fmt.Errorf("endpoint %q: a NUL in the path (an abstract name is written @name)", s)
		}
		return Endpoint{Scheme: scheme, Path: rest}, nil
	}
	host, port, err := socket.ParseHostPort(rest)
	if err == nil && isURL {
		err = socket.CheckURLHost(host)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q: %w", s, err)
	}
	return Endpoint{Scheme: scheme, Host: host, Port: port}, nil
}

// String is the endpoint as Parse takes it.
func (e Endpoint) String() string {
	if e.Scheme.Path() {
		slashes := ""
		if strings.HasPrefix(e.Path, "//") { // or Parse would take them for those of a URL
			slashes = "//"
		}
		return string(e.Scheme) + ":" + slashes + e.Path
	}
	return string(e.Scheme) + ":" + net.JoinHostPort(e.Host, e.Port)
}

// address is what leads to the peer.
func (e Endpoint) address() socket.Address {
	if e.Scheme.Path() {
		return socket.Path(e.Path)
	}
	host := e.Host
	if host == "" {
		host = "127.0.0.1"
	}
	return socket.Pair(host, e.Port)
}

// ServerName is the name for which the peer's certificate must be good: the
// host, numbers written out in full and without a zone; "localhost" where the
// endpoint names no host, and "" for a path.
func (e Endpoint) ServerName() string {
	if e.Scheme.Path() {
		return ""
	}
	if e.Host == "" {
		return "localhost"
	}
	if b, err := socket.InetAton(e.Host); err == nil {
		return socket.InetNtoa(b)
	}
	if name, _, zoned := strings.Cut(e.Host, "%"); zoned {
		return name
	}
	return e.Host
}
