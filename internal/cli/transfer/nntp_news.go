package transfer

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/nntp"
)

// news opens nntp:, nntps: and news:. Where a URL names no host it is that of
// NNTPSERVER, as with other programs of news, or of NNTP_URL, which farend run
// sets.
func (c *Client) news() open.Schemes {
	t := &nntp.Transport{Options: nntp.Options{Dialer: c.dialer}, StartTLS: c.o.RequireTLS, Server: os.Getenv("NNTPSERVER")}
	if u, err := url.Parse(os.Getenv("NNTP_URL")); t.Server == "" && err == nil {
		t.Server = u.Host
	}
	t.Login = func(_ context.Context, u *url.URL) (auth.Credentials, error) {
		user, password := c.ftpUser(u)
		return auth.Credentials{User: user, Password: password}, nil
	}
	return open.Schemes{{Name: "nntp", RoundTripper: t}, {Name: "nntps", RoundTripper: t}, {Name: "news", RoundTripper: newsServer{t}}}
}

// newsServer refuses what names no server, instead of asking this host for news.
type newsServer struct{ *nntp.Transport }

func (n newsServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "" && n.Server == "" {
		return nil, failuref(CodeUsage, "neither the URL nor the variable NNTPSERVER names a server (nntp://HOST/GROUP does)")
	}
	return n.Transport.RoundTrip(req)
}

// isNews tells the schemes by which an article is posted: it has no name that
// the URL could end in.
func isNews(u *url.URL) bool { return u.Scheme == "nntp" || u.Scheme == "nntps" || u.Scheme == "news" }

// refusedNNTP turns the statuses of an nntp.Transport back.
func refusedNNTP(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return nil
	}
	code := CodeWeird
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		code = CodeLogin
	case http.StatusForbidden:
		code = CodeDenied
	case http.StatusNotFound:
		code = CodeMissing
	case http.StatusConflict:
		code = CodeUpload
	case http.StatusServiceUnavailable:
		return &later{failuref(CodeWeird, "the server says: %s", said(resp))}
	}
	return failuref(code, "the server says: %s", said(resp))
}

// newsPutter posts articles.
type newsPutter struct{ c *Client }

func putNNTP(c *Client, _ *url.URL) putter { return newsPutter{c} }

func (n newsPutter) put(ctx context.Context, u *url.URL, p *payload, resume bool, r *Result) error {
	if resume {
		return failuref(CodeResume, "an article is posted whole")
	}
	body, err := n.c.reader(p, 0, r)
	if err != nil {
		return err
	}
	req := (&http.Request{Method: http.MethodPost, URL: u, Header: http.Header{}, Body: io.NopCloser(body)}).WithContext(ctx)
	maps.Copy(req.Header, n.c.o.Header)
	resp, err := n.c.http.Do(req)
	if err != nil {
		if body.err != nil {
			return body.err
		}
		return plain(err)
	}
	defer resp.Body.Close()
	if err := refusedNNTP(resp); err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		n.c.say("%s", bytes.TrimSpace(text))
	}
	return err
}
