package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/socket"
)

// locate finds what is to be measured, and the conversation to hold there where
// the target says it: a URL of a protocol (http://h/x), that of a service in
// the form of an endpoint (greet:h:12345), or an endpoint (tcp:h:50007).
func (b *benchCommand) locate(target string) (dial.Endpoint, error) {
	m := &b.asked
	m.url = &url.URL{}
	scheme, rest, ok := splitScheme(target)
	if _, known := benchConversations()[scheme]; !ok || !known {
		e, err := talkEndpoint(target, false)
		if ok && err == nil && m.as == "" && m.send == "" && !slices.Contains(dial.Schemes(), dial.Scheme(scheme)) {
			return e, fmt.Errorf("%s: no conversation for it is known: --send and --expect say one, or --as another scheme's", scheme)
		}
		m.url = &url.URL{Scheme: string(e.Scheme), Host: net.JoinHostPort(e.Host, e.Port), Path: "/"}
		return e, err
	}
	if m.as == "" {
		m.as = scheme
	}
	if !strings.HasPrefix(rest, "//") {
		rest = "//" + rest
	}
	u, err := url.Parse(scheme + ":" + rest)
	if err != nil { // which has the whole URL in it, and so a password
		return dial.Endpoint{}, fmt.Errorf("%s: the URL cannot be read (want %s://host:port/...)", scheme, scheme)
	}
	if err := checkBenchHost(target, u); err != nil {
		return dial.Endpoint{}, err
	}
	port, secure, _ := wellKnown(scheme)
	if u.Port() != "" {
		port = u.Port()
	}
	e := dial.Endpoint{Scheme: dial.TCP, Host: u.Hostname(), Port: port}
	if secure && scheme != "ftps" { // which shakes hands itself, for its data's sake
		e.Scheme = dial.TLS
	}
	m.url = u
	if m.user == "" && u.User != nil {
		m.user = u.User.Username()
		m.password, _ = u.User.Password()
	}
	if port == "" {
		return e, fmt.Errorf("%s://%s: the port is missing", scheme, u.Host)
	}
	return e, nil
}

// checkBenchHost refuses what a URL may not have; the form with one colon may
// have a host in any form.
func checkBenchHost(target string, u *url.URL) error {
	if u.Hostname() == "" {
		return errors.New("the URL has no host")
	}
	if strings.Contains(target, "://") {
		return socket.CheckURLHost(u.Hostname())
	}
	return nil
}

// login sets who is who where the URL has nobody, from -u.
func (m *benchMessage) login(text string) error {
	if text == "" {
		return nil
	}
	var ok bool
	if m.user, m.password, ok = strings.Cut(text, ":"); !ok || m.user == "" {
		return errors.New("-u: want NAME:PASSWORD")
	}
	return nil
}

// script is a conversation in lines, which knows what to send and to expect.
func script(of func(m *benchMessage) (*load.Script, error)) benchConversation {
	return func(p *load.Plan, m *benchMessage) error {
		if m.send != "" || m.expect != "" {
			return fmt.Errorf("--as %s knows what to send and to expect", m.as)
		}
		if strings.ContainsAny(m.user+m.password+m.url.Path, "\r\n\x00") {
			return errors.New("no line can carry a line end or NUL")
		}
		s, err := of(m)
		p.Conversation = s
		return err
	}
}
