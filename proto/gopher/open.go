package gopher

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A Transport is an http.RoundTripper for gopher:// and gophers:// URLs, for
// http.Transport.RegisterProtocol. An answer has status 200 and the media type
// of the URL's item type; an item that the server does not have is 404 with its
// text. Only GET exists. URLs that carry the data block of a form are refused:
// whoever wrote the URL would write the whole conversation.
type Transport struct {
	Client *Client // nil: the zero Client
}

var _ http.RoundTripper = (*Transport)(nil)

// ErrForm is a URL with the data block of a form.
var ErrForm = errors.New("the URL of a filled in form is not opened")

// RoundTrip fetches what the request's URL names. The body is a stream, which
// the caller closes; the request's context bounds it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.Method != "" && req.Method != http.MethodGet {
		return nil, fmt.Errorf("gopher: %s: there is only GET", req.Method)
	}
	raw := *req.URL
	raw.Fragment, raw.RawFragment = "", ""
	u, err := ParseURL(raw.String())
	if err != nil {
		return nil, err
	}
	if u.Data != "" || u.Flag == "1" {
		return nil, fmt.Errorf("gopher: %w", ErrForm)
	}
	c := t.Client
	if c == nil {
		c = &Client{}
	}
	resp := &http.Response{
		Proto: "GOPHER/1.0", ProtoMajor: 1, Header: http.Header{}, Request: req, ContentLength: -1, Close: true,
	}
	reply, err := c.Get(req.Context(), u)
	if e, ok := errors.AsType[*ServerError](err); ok {
		status := http.StatusNotFound
		if e.Code == CodeBusy {
			status = http.StatusServiceUnavailable
		}
		resp.StatusCode = status
		resp.Header.Set("Content-Type", "text/plain; charset=utf-8")
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(e.Text+"\n")), int64(len(e.Text)+1)
	} else if err != nil {
		return nil, err
	} else {
		resp.StatusCode = http.StatusOK
		media := reply.URL.Type.MediaType()
		if u.Plus != "" && u.Plus[0] != '+' {
			media = "text/plain" // attributes
		} else if view, _, _ := strings.Cut(strings.TrimPrefix(u.Plus, "+"), " "); view != "" {
			media = view
		}
		resp.Header.Set("Content-Type", media)
		resp.Body, resp.ContentLength = reply, reply.Size
	}
	resp.Status = fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	return resp, nil
}
