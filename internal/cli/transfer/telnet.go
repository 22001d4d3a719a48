package transfer

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/telnet"
)

// telnets opens telnet: and telnets:.
func (c *Client) telnets() open.Schemes {
	return open.Telnet(telnet.ClientOptions{Dialer: c.dialer})
}

func isTelnet(u *url.URL) bool { return u.Scheme == "telnet" || u.Scheme == "telnets" }

// openTelnet types Options.In, which only the first such URL gets.
func (c *Client) openTelnet(ctx context.Context, u *url.URL) (*source, error) {
	req := (&http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{}}).WithContext(ctx)
	c.mu.Lock()
	if c.o.In != nil {
		req.Body, c.o.In = io.NopCloser(c.o.In), nil
	}
	c.mu.Unlock()
	resp, err := c.http.Do(req) //nolint:bodyclose // it is the source's
	if err != nil {
		return nil, &final{errFile(u, plain(err))}
	}
	s, err := c.whole(u, resp)
	if err != nil {
		return nil, err
	}
	s.body = &spoken{resp.Body}
	return s, nil
}

// spoken is a conversation: it cannot be had again.
type spoken struct{ io.ReadCloser }

func (s *spoken) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &final{err}
	}
	return n, err
}

// final is an error after which nothing is tried again.
type final struct{ error }

func (f *final) Unwrap() error { return f.error }
