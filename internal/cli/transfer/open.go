package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"

	"github.com/farend-go/farend/open"
)

// A span is the part of a file that --range names: bytes first to last, or the
// last count ones.
type span struct {
	first, last int64 // last -1: to the end
	count       int64 // of a span from behind; 0: it is none
}

// parseSpan reads A-B, A- and -N.
func parseSpan(text string) (*span, error) {
	a, b, dash := strings.Cut(text, "-")
	s := &span{last: -1}
	var err1, err2 error
	if a != "" {
		s.first, err1 = strconv.ParseInt(a, 10, 64)
	}
	if b != "" {
		s.last, err2 = strconv.ParseInt(b, 10, 64)
	}
	if a == "" {
		s.count, s.last = s.last, -1
	}
	if !dash || a == "" && b == "" || err1 != nil || err2 != nil || a != "" && b != "" && s.last < s.first || a == "" && s.count <= 0 {
		return nil, failuref(CodeUsage, "--range %s: want A-B, A- or -N, counted in bytes from 0", text)
	}
	return s, nil
}

// field is the value of Range.
func (s *span) field() string {
	switch {
	case s.count > 0:
		return fmt.Sprintf("bytes=-%d", s.count)
	case s.last < 0:
		return fmt.Sprintf("bytes=%d-", s.first)
	}
	return fmt.Sprintf("bytes=%d-%d", s.first, s.last)
}

// cut takes the span out of a whole file, of a server that does not.
func (s *span) cut(body io.Reader, size int64) (io.Reader, error) {
	first, n := s.first, int64(-1)
	if s.last >= 0 {
		n = s.last - s.first + 1
	}
	if s.count > 0 {
		if size < 0 {
			return nil, failuref(CodeResume, "the server knows no ranges, nor how large the file is")
		}
		first = max(0, size-s.count)
	}
	if _, err := io.CopyN(io.Discard, body, first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, failuref(CodeResume, "the file ends before byte %d", first)
		}
		return nil, err
	}
	if n >= 0 {
		return io.LimitReader(body, n), nil
	}
	return body, nil
}

// opener opens a URL, the span of it where there is one.
func (c *Client) urlOpener(u *url.URL, s *span) opener {
	return func(ctx context.Context, r request) (*source, error) {
		if isTelnet(u) && (s != nil || r.from > 0) {
			return nil, failuref(CodeResume, "a conversation has no parts that could be had alone")
		}
		if isTelnet(u) {
			return c.openTelnet(ctx, u)
		}
		if u.Scheme == "file" {
			if names, err := fileListing(u); names != nil || err != nil {
				return names, err
			}
		}
		if s != nil {
			return c.openSpan(ctx, u, s)
		}
		if (r.from > 0 || r.to > 0) && (r.trusted || r.version.Known()) {
			return c.openRest(ctx, u, r)
		}
		resp, err := c.do(ctx, u, nil) //nolint:bodyclose // it is the source's
		if err != nil {
			return nil, err
		}
		return c.whole(u, resp)
	}
}

// do sends a GET.
func (c *Client) do(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	return c.ask(ctx, http.MethodGet, u, header)
}

// ask sends a request without a body.
func (c *Client) ask(ctx context.Context, method string, u *url.URL, header http.Header) (*http.Response, error) {
	clean := u
	if u.User != nil && strings.HasPrefix(u.Scheme, "http") { // it is in the store, for whoever asks for it
		without := *u
		without.User = nil
		clean = &without
	}
	req := new(http.Request).WithContext(ctx)
	req.Method, req.URL, req.Host, req.Header = method, clean, clean.Host, c.header
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	if len(header) > 0 {
		req.Header = maps.Clone(c.header)
		maps.Copy(req.Header, header)
	}
	send := c.http.Do
	if c.o.Follow == 0 && u.Scheme == "http" { // whatever comes is the answer
		send = c.http.Transport.RoundTrip
	}
	resp, err := send(req)
	if err != nil {
		return nil, errFile(u, plain(err))
	}
	return resp, nil
}

// agent is who we say we are.
const agent = "farend"

// judge ends an answer that is an error.
func (c *Client) judge(u *url.URL, resp *http.Response, fail bool) error {
	s, _ := schemeOf(u.Scheme)
	var err error
	switch {
	case s.refused != nil:
		err = s.refused(resp)
	case c.o.Follow < 0 && resp.Header.Get("Location") != "" && resp.StatusCode/100 == 3:
		err = failuref(CodeRedirects, "%w: %s", open.ErrTooManyRedirects, resp.Status)
	case resp.StatusCode >= 400 && fail:
		err = &StatusError{resp.StatusCode, resp.Status}
		if passing(resp.StatusCode) {
			err = retryAfter(resp.Header.Get("Retry-After"), err)
		}
	}
	if err != nil {
		drain(resp)
	}
	return err
}

// drain reads a little of a body that nobody wants, so that its connection can
// be used again, and closes it.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // whatever happens, it is closed
	resp.Body.Close()
}

// whole is an answer with all of a file.
func (c *Client) whole(u *url.URL, resp *http.Response) (*source, error) {
	if err := c.judge(u, resp, c.o.Fail); err != nil {
		return nil, err
	}
	s := &source{body: resp.Body, version: versionOf(resp), status: resp.StatusCode}
	if resp.StatusCode != http.StatusOK {
		s.version.ETag, s.version.Modified = "", unknown.Modified // an error page is no version of the file
	}
	if strings.HasPrefix(u.Scheme, "ftp") && resp.Header.Get("Content-Type") != "" { // a listing
		s.body = &piece{&loose{r: resp.Body}, resp.Body}
	}
	if c.o.Include {
		s.head = headOf(resp)
	}
	return s, nil
}

// loose makes LF of CRLF, for people.
type loose struct {
	r    io.Reader
	held bool // a CR that may be the first half
}

func (l *loose) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer
	}
	for {
		n, err := l.r.Read(p[1:]) // p[0] is for a CR that was held
		out := p[:0]
		for _, b := range p[1 : 1+n] {
			if l.held && b != '\n' {
				out = append(out, '\r')
			}
			if l.held = b == '\r'; !l.held {
				out = append(out, b)
			}
		}
		if err != nil && l.held {
			l.held = false
			out = append(out, '\r')
		}
		if len(out) > 0 || err != nil {
			return len(out), err
		}
	}
}

// headOf is the head of an answer as -i shows it.
func headOf(resp *http.Response) []byte {
	bare := *resp
	bare.Body = http.NoBody
	b, err := httputil.DumpResponse(&bare, false)
	if err != nil {
		return nil
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		b = b[:i+4]
	}
	return b
}

// openSpan asks for a span, and cuts it out where the server does not.
func (c *Client) openSpan(ctx context.Context, u *url.URL, want *span) (*source, error) {
	resp, err := c.do(ctx, u, http.Header{"Range": {want.field()}})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		drain(resp)
		return nil, failuref(CodeResume, "nothing lies there: %s", resp.Status)
	}
	s, err := c.whole(u, resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		r, err := want.cut(resp.Body, resp.ContentLength)
		if err != nil {
			resp.Body.Close()
			return nil, err
		}
		s.body = &piece{r, resp.Body}
	}
	s.version = unknown
	s.version.Size = resp.ContentLength
	if resp.StatusCode == http.StatusOK {
		s.version.Size = -1
	}
	return s, nil
}

type piece struct {
	io.Reader
	io.Closer
}

// openRest asks for what is behind r.from. Where it turns out that this is
// another file's, it gives the whole of that.
func (c *Client) openRest(ctx context.Context, u *url.URL, r request) (*source, error) {
	want := span{first: r.from, last: r.to - 1}
	header := http.Header{"Range": {want.field()}}
	if v := r.version.ifRange(); v != "" {
		header.Set("If-Range", v)
	}
	resp, err := c.do(ctx, u, header)
	if err != nil {
		return nil, err
	}
	now := versionOf(resp)
	fits := r.trusted || now.Same(r.version)
	switch resp.StatusCode {
	case http.StatusPartialContent:
		from, _, ok := contentRange(resp.Header.Get("Content-Range"))
		if ok && from == r.from && fits {
			s := &source{body: resp.Body, from: from, version: now, status: resp.StatusCode}
			if n := resp.ContentLength; n >= 0 && from+n < now.Size {
				s.to = from + n
			}
			return s, nil
		}
		resp.Body.Close()
		return c.anew(ctx, u, r)
	case http.StatusRequestedRangeNotSatisfiable:
		drain(resp)
		return c.nothingLeft(ctx, u, r, now)
	case http.StatusOK:
		if fits && now.Size == r.from { // of a scheme that has no status for it
			resp.Body.Close()
			return &source{body: http.NoBody, from: r.from, version: now, status: resp.StatusCode}, nil
		}
		if r.trusted {
			resp.Body.Close()
			return nil, failuref(CodeResume, "the server gives no parts of it: without -C it begins anew")
		}
		return c.whole(u, resp)
	}
	if err := c.judge(u, resp, true); err != nil {
		return nil, err
	}
	drain(resp)
	return nil, &StatusError{resp.StatusCode, resp.Status}
}

// nothingLeft is a 416: what is here is all, or of another file.
func (c *Client) nothingLeft(ctx context.Context, u *url.URL, r request, now Version) (*source, error) {
	if now.Size == r.from && (r.trusted || now.Same(r.version)) {
		return &source{body: http.NoBody, from: r.from, version: now, status: http.StatusRequestedRangeNotSatisfiable}, nil
	}
	return c.anew(ctx, u, r)
}

func (c *Client) anew(ctx context.Context, u *url.URL, r request) (*source, error) {
	if r.trusted {
		return nil, failuref(CodeResume, "there is nothing behind byte %d", r.from)
	}
	resp, err := c.do(ctx, u, nil) //nolint:bodyclose // it is the source's
	if err != nil {
		return nil, err
	}
	return c.whole(u, resp)
}
