package open

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Data is the scheme of RFC 2397: the body stands in the URL.
func Data() Scheme { return Scheme{"data", data{}} }

type data struct{}

func (data) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	if m := method(req); m != http.MethodGet && m != http.MethodHead {
		return nil, fmt.Errorf("a data: URL can only be read, not %s", m)
	}
	rest := req.URL.Opaque
	if req.URL.RawQuery != "" || req.URL.ForceQuery {
		rest += "?" + req.URL.RawQuery
	}
	mediaType, body, err := parseData(rest)
	if err != nil {
		return nil, err
	}
	resp := respond(req, http.StatusOK, io.NopCloser(strings.NewReader(body)))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Type", mediaType)
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	if method(req) == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// parseData takes apart what follows "data:". Nothing before the comma is
// text/plain in ASCII; white space in base64 is passed over, and its padding
// may be missing.
func parseData(s string) (mediaType, body string, err error) {
	mediaType, body, ok := strings.Cut(s, ",")
	if !ok {
		return "", "", errors.New("a data: URL has a comma before its data")
	}
	if mediaType, err = url.PathUnescape(mediaType); err != nil {
		return "", "", err
	}
	if body, err = url.PathUnescape(body); err != nil {
		return "", "", err
	}
	if err := header(mediaType); err != nil {
		return "", "", err
	}
	mediaType = strings.TrimSpace(mediaType)
	if cut, is := strings.CutSuffix(mediaType, ";base64"); is {
		mediaType = strings.TrimSpace(cut)
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(strings.Fields(body), ""), "="))
		if err != nil {
			return "", "", fmt.Errorf("data: URL: %w", err)
		}
		body = string(b)
	}
	if mediaType == "" {
		mediaType = "text/plain;charset=US-ASCII"
	}
	if strings.HasPrefix(mediaType, ";") {
		mediaType = "text/plain" + mediaType
	}
	return mediaType, body, nil
}
