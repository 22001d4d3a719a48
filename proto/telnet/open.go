package telnet

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/socket"
)

// A URL names a service for people (RFC 4248). It can be compared.
type URL struct {
	TLS      bool // telnets
	Host     string
	Port     string // "" is the scheme's own
	User     string // advice for who logs in; it is not sent
	Password string
}

// ParseURL reads telnet://user:password@host:port/, and telnets:// likewise.
// The user and the password are for whoever logs in by hand; nothing sends
// them. The error does not hold the password.
func ParseURL(s string) (URL, error) {
	u, err := parseURL(s)
	if err != nil {
		return URL{}, fmt.Errorf("telnet URL: %w", err)
	}
	return u, nil
}

func parseURL(s string) (URL, error) {
	p, err := url.Parse(s)
	if err != nil {
		inner := errors.Unwrap(err) // the outer one repeats the URL
		if inner == nil || strings.Contains(s, "@") {
			inner = errors.New("it cannot be read")
		}
		return URL{}, inner
	}
	u := URL{Host: p.Hostname(), Port: p.Port(), User: p.User.Username()}
	u.Password, _ = p.User.Password()
	switch p.Scheme {
	case "telnet":
	case "telnets":
		u.TLS = true
	default:
		return URL{}, errors.New("it begins with telnet:// or telnets://")
	}
	if p.Path != "" && p.Path != "/" || p.RawQuery != "" || p.Fragment != "" {
		return URL{}, errors.New("nothing follows the host and the port but /")
	}
	return u, socket.CheckURLHost(u.Host)
}

// Endpoint is where a Client dials.
func (u URL) Endpoint() string {
	scheme, port := dial.TCP, "23"
	if u.TLS {
		scheme, port = dial.TLS, "992"
	}
	if u.Port != "" {
		port = u.Port
	}
	return string(scheme) + ":" + net.JoinHostPort(u.Host, port)
}
