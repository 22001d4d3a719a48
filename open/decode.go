package open

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ErrInflated is a body that unpacks to more than allowed.
var ErrInflated = errors.New("the body unpacks to more than allowed")

// DecodeHandler asks for gzip and deflate and unpacks them (RFC 9110 section
// 8.4); without it, bodies are what the server sent. A request that has
// Accept-Encoding or Range already is left alone. An answer that was unpacked
// has Uncompressed set and no Content-Encoding and Content-Length.
type DecodeHandler struct {
	Size  int64 // bytes that a body may unpack to; 0: 1 GiB, less: any
	Ratio int64 // times what came in, counted beyond the first 64 KiB; 0: 1,032, which is all that deflate can do; less: any
}

// Join wraps.
func (h DecodeHandler) Join(p *Plan) {
	if h.Size == 0 {
		h.Size = 1 << 30
	}
	if h.Ratio == 0 {
		h.Ratio = 1032
	}
	p.Wrap(OrderDecode, func(next http.RoundTripper) http.RoundTripper { return &decode{next, h} })
}

type decode struct {
	next   http.RoundTripper
	limits DecodeHandler
}

func (d *decode) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isHTTP(req.URL.Scheme) || req.Header.Get("Accept-Encoding") != "" || req.Header.Get("Range") != "" {
		return d.next.RoundTrip(req)
	}
	r := req.Clone(req.Context())
	r.Header.Set("Accept-Encoding", "gzip, deflate")
	resp, err := d.next.RoundTrip(r)
	if err != nil || method(req) == http.MethodHead || resp.Body == http.NoBody {
		return resp, err
	}
	var codings []string
	for _, field := range resp.Header.Values("Content-Encoding") {
		for word := range strings.SplitSeq(field, ",") {
			if word = strings.ToLower(strings.TrimSpace(word)); word != "" && word != "identity" {
				codings = append(codings, word)
			}
		}
	}
	switch {
	case len(codings) == 0:
		return resp, nil
	case len(codings) > 1:
		resp.Body.Close()
		return nil, fmt.Errorf("the body is packed %d times over", len(codings))
	case codings[0] != "gzip" && codings[0] != "x-gzip" && codings[0] != "deflate":
		return resp, nil // not asked for; the caller sees how it is packed
	}
	resp.Body = &unpacked{packed: resp.Body, coding: codings[0], limits: d.limits}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	return resp, nil
}

// unpacked is a body that unpacks when it is read.
type unpacked struct {
	packed  io.ReadCloser
	coding  string
	limits  DecodeHandler
	r       io.Reader
	in, out int64
	err     error
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.r == nil {
		if u.r, u.err = u.begin(); u.err != nil {
			return 0, u.err
		}
	}
	n, err := u.r.Read(p)
	u.out += int64(n)
	if u.limits.Size >= 0 && u.out > u.limits.Size || u.limits.Ratio >= 0 && u.out > 64<<10+u.limits.Ratio*u.in {
		u.err = fmt.Errorf("%w: %d bytes from %d", ErrInflated, u.out, u.in)
		return 0, u.err
	}
	u.err = err
	return n, err
}

// begin reads the head. An empty body is empty, whatever it is said to be; and
// deflate is meant to be in a zlib coat, but some servers send it bare.
func (u *unpacked) begin() (io.Reader, error) {
	in := bufio.NewReader(counting{u.packed, &u.in})
	head, err := in.Peek(2)
	if len(head) == 0 {
		return nil, err
	}
	if u.coding != "deflate" {
		return gzip.NewReader(in)
	}
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

func (u *unpacked) Close() error { return u.packed.Close() }

type counting struct {
	r io.Reader
	n *int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}
