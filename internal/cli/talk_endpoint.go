package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/socket"
)

// talkEndpoint reads what follows farend talk. It takes what package dial
// takes, host:port (tcp), the name of a service as the scheme (smtp://host,
// imaps:host:993; its port where none is given), and with listen a port alone.
func talkEndpoint(s string, listen bool) (dial.Endpoint, error) {
	if listen && s != "" && strings.Trim(s, "0123456789") == "" {
		s = ":" + s
	}
	scheme, rest, ok := splitScheme(s)
	if !ok {
		e, err := dial.Parse("tcp:" + s)
		if err != nil {
			return e, fmt.Errorf("%q is no endpoint: %w (tcp:localhost:50007, udp::9999, unix:/run/x.sock, tls://host:443)", s, plainAddress(err))
		}
		return withPort(s, e)
	}
	e, err := dial.Parse(scheme + ":" + rest)
	if slices.Contains(dial.Schemes(), dial.Scheme(scheme)) {
		if err != nil {
			return e, err
		}
		return withPort(s, e)
	}
	return serviceEndpoint(s, scheme, rest)
}

// plainAddress is what is wrong with a host and port, without repeating them.
func plainAddress(err error) error {
	if inside := errors.Unwrap(err); inside != nil {
		err = inside
	}
	if text, ok := strings.CutPrefix(err.Error(), "address "); ok {
		if quoted, qerr := strconv.QuotedPrefix(text); qerr == nil {
			return errors.New(strings.TrimPrefix(text[len(quoted):], ": "))
		}
	}
	return err
}

// withPort refuses an endpoint without a port, which nobody can connect to, and
// one whose port nobody knows.
func withPort(s string, e dial.Endpoint) (dial.Endpoint, error) {
	if e.Scheme.Path() {
		return e, nil
	}
	if e.Port == "" {
		return e, fmt.Errorf("%q: the port is missing", s)
	}
	if strings.Trim(e.Port, "0123456789") == "" {
		return e, nil
	}
	protocol := "tcp"
	if e.Scheme.Packet() {
		protocol = "udp"
	}
	if _, err := socket.GetServByName(e.Port, protocol); err != nil {
		return e, fmt.Errorf("%q: no service is called %s; a port is a number or a service's name (talk localhost 50007)", s, e.Port)
	}
	return e, nil
}

// splitScheme takes the scheme off, if there is one: before "://", or before a
// colon that more follows than a port. The rest of a URL keeps its "//", by
// which dial.Parse knows one.
func splitScheme(s string) (scheme, rest string, ok bool) {
	if scheme, rest, ok = strings.Cut(s, "://"); ok {
		return strings.ToLower(scheme), "//" + strings.TrimSuffix(rest, "/"), scheme != ""
	}
	scheme, rest, ok = strings.Cut(s, ":")
	scheme = strings.ToLower(scheme)
	if !ok || !isScheme(scheme) {
		return "", s, false
	}
	known := slices.Contains(dial.Schemes(), dial.Scheme(scheme))
	return scheme, rest, known || !strings.HasPrefix(rest, ":") && strings.Contains(rest, ":")
}

// isScheme is RFC 3986 section 3.1. An IPv6 address without brackets looks like
// one up to its first colon only if that is a word of a to f.
func isScheme(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return s != ""
}

// serviceEndpoint is the endpoint of a service at a host: its own port unless
// another is given, and TLS from the first byte where its name says so.
func serviceEndpoint(s, scheme, rest string) (dial.Endpoint, error) {
	port, secure, ok := wellKnown(scheme)
	if !ok {
		return dial.Endpoint{}, fmt.Errorf("%q: %s is neither a scheme (tcp, tls, udp, unix, unixgram) nor a service", s, scheme)
	}
	if strings.ContainsAny(strings.TrimPrefix(rest, "//"), "/@?#") {
		return dial.Endpoint{}, fmt.Errorf("%q: talk takes a host and a port, and nothing more of a URL", s)
	}
	if !hasPort(rest) {
		rest += ":" + port
	}
	word := dial.TCP
	if secure {
		word = dial.TLS
	}
	e, err := dial.Parse(string(word) + ":" + rest)
	if err != nil {
		return e, fmt.Errorf("%q: %w", s, errors.Unwrap(err)) // it was another endpoint that was parsed
	}
	return e, nil
}

// hasPort tells whether a port follows the host, which may be IPv6 in brackets.
func hasPort(hostport string) bool {
	return strings.Contains(hostport[strings.LastIndexByte(hostport, ']')+1:], ":")
}

// wellKnown is the port of a service that runs over TCP, and whether TLS comes
// first: its name is then another service's with an s.
func wellKnown(service string) (port string, secure, ok bool) {
	switch service { // names that URLs use and services(5) does not
	case "pop", "pops":
		service = strings.Replace(service, "pop", "pop3", 1)
	case "gophers":
		return "70", true, true
	}
	n, err := socket.GetServByName(service, "tcp")
	if err != nil {
		return ownPort(service)
	}
	if inClear, s := strings.CutSuffix(service, "s"); s {
		_, err := socket.GetServByName(inClear, "tcp")
		secure = err == nil
	}
	return strconv.Itoa(n), secure, true
}

// ownPort is where farend serves what services(5) does not know.
func ownPort(service string) (port string, secure, ok bool) {
	for _, s := range app.Catalogue() {
		if s.Name == service && s.Stream != nil {
			return strconv.Itoa(s.Serve), s.TLS, true
		}
	}
	return "", false, false
}
