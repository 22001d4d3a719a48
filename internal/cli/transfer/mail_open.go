package transfer

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// mail is how the URLs of mail are opened.
func (c *Client) mail() open.Schemes {
	pop := &pop3.Transport{Options: pop3.Options{Dialer: c.dialer}, StartTLS: c.o.RequireTLS, Login: c.mailLogin}
	box := c.imapTransport()
	send := sender{c}
	return open.Schemes{
		{Name: "pop", RoundTripper: pop}, {Name: "pops", RoundTripper: pop}, {Name: "pop3", RoundTripper: pop}, {Name: "pop3s", RoundTripper: pop},
		{Name: "imap", RoundTripper: box}, {Name: "imaps", RoundTripper: box},
		{Name: "smtp", RoundTripper: send}, {Name: "smtps", RoundTripper: send},
	}
}

func (c *Client) imapTransport() *imap.Transport {
	return &imap.Transport{Options: imap.Options{Dialer: c.dialer}, StartTLS: c.o.RequireTLS, Login: c.mailLogin}
}

func (c *Client) mailLogin(_ context.Context, u *url.URL) (auth.Credentials, error) {
	user, password := c.ftpUser(u)
	return auth.Credentials{User: user, Password: password}, nil
}

// sender is smtp: with the sender and the recipients of the options.
type sender struct{ c *Client }

// RoundTrip sends the message. On this machine TLS is used where it is demanded
// alone: a server that is tried out has a certificate that nobody knows.
func (s sender) RoundTrip(req *http.Request) (*http.Response, error) {
	t := &smtp.Transport{Options: smtp.Options{Dialer: s.c.dialer}, From: s.c.o.From, To: s.c.o.To, Login: s.c.ftpLogin}
	switch {
	case s.c.o.RequireTLS:
		t.Options.Security = smtp.Required
	case loopback(req.URL.Hostname()):
		t.Options.Security = smtp.InClear
	}
	return t.RoundTrip(req)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// refusedMail turns the statuses of the transports of mail back.
func refusedMail(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return nil
	}
	code := CodeWeird
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		code = CodeLogin
	case http.StatusNotFound:
		code = CodeMissing
	case http.StatusForbidden, http.StatusServiceUnavailable:
		code = CodeDenied
	case http.StatusBadRequest:
		return failuref(CodeUsage, "%s", said(resp))
	case http.StatusMethodNotAllowed:
		return failuref(CodeUsage, "%s: nothing is fetched from there; farend put sends", resp.Request.URL.Scheme)
	}
	err := failuref(code, "the server says: %s", said(resp))
	if resp.StatusCode == http.StatusServiceUnavailable {
		return &later{err}
	}
	return err
}
