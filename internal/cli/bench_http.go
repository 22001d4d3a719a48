package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/farend-go/farend/load"
)

// pages gets one page again and again, on connections that stay open.
type pages struct {
	request []byte
	once    bool // a connection for each
	text    []byte
	isSame  bool                   // each body is compared with the first one
	first   atomic.Pointer[[]byte] // that one
}

// benchPages is http and https.
func benchPages(p *load.Plan, m *benchMessage) error {
	if m.send != "" || m.size != 0 {
		return errors.New("--as http gets the URL's page: --send and --size have no meaning")
	}
	g := &pages{once: p.Reconnect, isSame: m.expect == "same"}
	if m.expect != "" && !g.isSame {
		var err error
		if g.text, err = load.ParseText(strings.TrimPrefix(m.expect, "text:")); err != nil {
			return fmt.Errorf("--expect: %w", err)
		}
	}
	path := m.url.RequestURI()
	if path == "" || path[0] != '/' {
		path = "/"
	}
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: farend\r\n", path, m.url.Host)
	if m.user != "" {
		b = fmt.Appendf(b, "Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(m.user+":"+m.password)))
	}
	if p.Reconnect {
		b = append(b, "Connection: close\r\n"...)
	}
	g.request = append(b, "\r\n"...)
	p.Conversation = g
	return nil
}

func (g *pages) Open(_ context.Context, c net.Conn) (load.Exchanger, error) {
	return &pageTalk{pages: g, c: c, r: bufio.NewReaderSize(c, 4<<10)}, nil
}

// pageTalk is one connection.
type pageTalk struct {
	*pages
	c      net.Conn
	r      *bufio.Reader
	buf    []byte
	closes bool // the server does, after the answer that it gave
}

// Exchange gets the page and checks its status and its body.
func (t *pageTalk) Exchange(context.Context) error {
	if t.closes && !t.once {
		return errors.New("the server closes after each answer: --reconnect")
	}
	if _, err := t.c.Write(t.request); err != nil {
		return err
	}
	length, chunked, err := t.head()
	if err != nil {
		return err
	}
	switch {
	case chunked:
		if err := t.body(httputil.NewChunkedReader(t.r), -1); err != nil {
			return err
		}
		return t.fields(func(string, string) {}) // the trailer
	case length >= 0:
		return t.body(io.LimitReader(t.r, length), length)
	}
	t.closes = true
	return t.body(t.r, -1)
}

// head reads up to the body (RFC 9112 sections 4 to 6). length is -1 where it
// is not told.
func (t *pageTalk) head() (length int64, chunked bool, err error) {
	status, err := t.line()
	if err != nil {
		return 0, false, err
	}
	version, code, _ := strings.Cut(status, " ")
	if !strings.HasPrefix(version, "HTTP/1.") || !strings.HasPrefix(code, "2") {
		return 0, false, fmt.Errorf("%w: %.100q", load.ErrWrong, status)
	}
	length, t.closes = -1, version == "HTTP/1.0"
	err = t.fields(func(name, value string) {
		switch {
		case strings.EqualFold(name, "Content-Length"):
			if n, perr := strconv.ParseInt(value, 10, 64); perr == nil && n >= 0 {
				length = n
			}
		case strings.EqualFold(name, "Transfer-Encoding"):
			chunked = strings.EqualFold(value, "chunked")
		case strings.EqualFold(name, "Connection"):
			t.closes = strings.EqualFold(value, "close") || t.closes && !strings.EqualFold(value, "keep-alive")
		}
	})
	return length, chunked, err
}

// fields reads lines up to an empty one.
func (t *pageTalk) fields(f func(name, value string)) error {
	for {
		line, err := t.line()
		if err != nil || line == "" {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		f(name, strings.TrimSpace(value))
	}
}

func (t *pageTalk) line() (string, error) {
	b, err := t.r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("%w: a line without an end", load.ErrWrong)
		}
		return "", err
	}
	return string(bytes.TrimRight(b, "\r\n")), nil
}

// body reads a body of so many bytes, -1: as many as come, and compares it.
func (t *pageTalk) body(r io.Reader, length int64) error {
	want := t.text
	if first := t.first.Load(); first != nil {
		want = *first
	}
	if t.isSame && want == nil {
		b, err := io.ReadAll(r)
		if err == nil && length >= 0 && int64(len(b)) < length {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			t.first.CompareAndSwap(nil, &b)
		}
		return err
	}
	if t.buf == nil {
		t.buf = make([]byte, 16<<10)
	}
	total := int64(0)
	for {
		n, err := r.Read(t.buf)
		if want != nil && (int64(len(want)) < total+int64(n) || !bytes.Equal(want[total:total+int64(n)], t.buf[:n])) {
			return fmt.Errorf("%w: another body, from byte %d on at the latest", load.ErrWrong, total)
		}
		total += int64(n)
		switch {
		case errors.Is(err, io.EOF) && total < length:
			return io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF) && want != nil && total < int64(len(want)):
			return fmt.Errorf("%w: a body of %d bytes, not %d", load.ErrWrong, total, len(want))
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
