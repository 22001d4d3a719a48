package transfer

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
)

// webPutter is PUT of HTTP (RFC 9110 section 9.3.4).
type webPutter struct{ c *Client }

func putWeb(c *Client, _ *url.URL) putter { return webPutter{c} }

// expectFrom is the size from which a body waits for 100 Continue, as curl has
// it; one that cannot be sent twice always does.
const expectFrom = 1 << 20

func (w webPutter) put(ctx context.Context, u *url.URL, p *payload, resume bool, r *Result) error {
	if resume {
		return failuref(CodeResume, "HTTP has no way to go on with a PUT")
	}
	if p.file == nil && w.c.hasPassword(u) {
		whole, err := spool(p.in)
		if err != nil {
			return err
		}
		defer os.Remove(whole.file.Name())
		defer whole.file.Close()
		p = whole
	}
	body, err := w.c.reader(p, 0, r)
	if err != nil {
		return err
	}
	resp, err := w.c.http.Do(w.request(ctx, u, p, body, r))
	if err != nil {
		if body.err != nil {
			return body.err
		}
		return plain(err)
	}
	defer resp.Body.Close()
	r.Status = resp.StatusCode
	if resp.StatusCode < 300 {
		_, err := io.Copy(orDiscard(w.c.o.Out), resp.Body)
		return err
	}
	status := error(&StatusError{resp.StatusCode, resp.Status})
	if passing(resp.StatusCode) {
		status = retryAfter(resp.Header.Get("Retry-After"), status)
	}
	drain(resp)
	if w.c.o.Fail && resp.StatusCode >= 400 {
		return status
	}
	return &Failure{CodeUpload, status}
}

func (w webPutter) request(ctx context.Context, u *url.URL, p *payload, body io.Reader, r *Result) *http.Request {
	clean := *u
	clean.User = nil
	req := (&http.Request{
		Method: http.MethodPut, URL: &clean, Host: clean.Host, Header: http.Header{"User-Agent": {agent}},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: p.size, Body: io.NopCloser(body),
	}).WithContext(ctx)
	if p.size == 0 {
		req.Body = http.NoBody
	}
	maps.Copy(req.Header, w.c.o.Header)
	if p.size < 0 || p.size >= expectFrom || w.c.hasPassword(u) && p.size > 0 {
		req.Header.Set("Expect", "100-continue")
	}
	if p.file != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			r.Bytes = 0
			again, err := w.c.reader(p, 0, r)
			return io.NopCloser(again), err
		}
	}
	return req
}

// hasPassword tells whether there is one that the server may ask for.
func (c *Client) hasPassword(u *url.URL) bool {
	clean := *u
	clean.User = nil
	_, _, ok := c.FindUserPassword("", clean.String())
	return ok
}

// spool keeps standard input in a file, to send it twice.
func spool(in io.Reader) (*payload, error) {
	f, err := os.CreateTemp("", "farend-put-")
	if err != nil {
		return nil, failure(CodeLocalRead, err)
	}
	n, err := io.Copy(f, in)
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, failure(CodeLocalRead, fmt.Errorf("keeping standard input: %w", err))
	}
	return &payload{file: f, in: f, size: n}, nil
}
