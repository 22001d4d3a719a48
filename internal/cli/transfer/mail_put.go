package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/smtp"
)

// mailPutter sends a message by smtp:, or appends it by imap:.
type mailPutter struct{ c *Client }

func putMail(c *Client, _ *url.URL) putter { return mailPutter{c} }

// IsMail tells the schemes where a URL names no file.
func IsMail(u *url.URL) bool {
	switch u.Scheme {
	case "smtp", "smtps", "imap", "imaps":
		return true
	}
	return false
}

func (m mailPutter) put(ctx context.Context, u *url.URL, p *payload, resume bool, r *Result) error {
	if resume {
		return failuref(CodeResume, "a message is sent as a whole")
	}
	if strings.HasPrefix(u.Scheme, "imap") && strings.Trim(u.Path, "/") == "" {
		return failuref(CodeUsage, "the URL names no mailbox for the message: %s://%s/INBOX does", u.Scheme, u.Host)
	}
	body, err := m.c.reader(p, 0, r)
	if err != nil {
		return err
	}
	req := (&http.Request{
		Method: http.MethodPut, URL: u, Host: u.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: p.size, Body: io.NopCloser(body),
	}).WithContext(ctx)
	if p.file != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			r.Bytes = 0
			again, err := m.c.reader(p, 0, r)
			return io.NopCloser(again), err
		}
	}
	resp, err := m.c.http.Do(req)
	if err != nil {
		if body.err != nil {
			return body.err
		}
		return mailError(plain(err), r.Bytes > 0)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return nil
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return failuref(CodeLogin, "the server says: %s", said(resp))
	case http.StatusBadRequest: // nobody else was asked
		return failuref(CodeUsage, "%s", said(resp))
	}
	return failuref(CodeUpload, "the server says: %s", said(resp))
}

// mailError puts curl's number on what befalls a message. Once it was begun
// nobody knows whether it has been taken, and it is not sent again.
func mailError(err error, begun bool) error {
	switch {
	case errors.Is(err, smtp.ErrAddress), errors.Is(err, smtp.ErrNoRecipients):
		return failure(CodeUsage, fmt.Errorf("%w (--from ADDRESS, --to ADDRESS)", err))
	case errors.Is(err, smtp.ErrNotOffered) && strings.Contains(err.Error(), "STARTTLS"):
		return failure(CodeNoTLS, err)
	case errors.Is(err, smtp.ErrNotOffered) && strings.HasSuffix(err.Error(), "AUTH"):
		return failure(CodeLogin, err)
	case isLogin(err):
		return failure(CodeLogin, err)
	}
	switch Code(err) {
	case CodeTimeout, CodeCertificate, CodeNoHost, CodeNoConnect, CodeTLS, CodeNoTLS:
		return err
	}
	if begun || errors.Is(err, context.Canceled) {
		return failure(CodeUpload, err)
	}
	return err
}

// isLogin tells errors that have to do with who we are.
func isLogin(err error) bool {
	return errors.Is(err, auth.ErrRefused) || errors.Is(err, auth.ErrMechanism) || errors.Is(err, auth.ErrClear)
}
