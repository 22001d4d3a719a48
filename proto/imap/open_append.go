package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// spoolMost is how large a message may be that cannot be read twice.
const spoolMost = 64 << 20

// appending puts a request's body into a mailbox.
func appending(ctx context.Context, c *Client, req *http.Request, what URL) (*http.Response, error) {
	body, size, err := upload(req)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	up := Upload{NewMessage: NewMessage{Size: size}, Body: &crlf{r: body}}
	got, err := c.Append(what.Mailbox, up).Wait(ctx)
	if err != nil {
		return nil, err
	}
	resp := response(req, http.StatusCreated, "")
	if got.UIDValidity > 0 {
		at := URL{Mailbox: what.Mailbox, UIDValidity: got.UIDValidity, UID: got.UIDs.Largest()}
		resp.Header.Set("Location", req.URL.Scheme+"://"+req.URL.Host+at.Path())
	}
	return resp, nil
}

// upload is the message, and how long it is with CRLF as line ends: it is read
// twice, or held.
func upload(req *http.Request) (io.ReadCloser, int64, error) {
	if req.Body == nil {
		return io.NopCloser(bytes.NewReader(nil)), 0, nil
	}
	if req.GetBody != nil {
		size, err := io.Copy(io.Discard, &crlf{r: req.Body})
		if err != nil {
			return nil, 0, err
		}
		again, err := req.GetBody()
		return again, size, err
	}
	text, err := io.ReadAll(io.LimitReader(req.Body, spoolMost+1))
	if err != nil {
		return nil, 0, err
	}
	if len(text) > spoolMost {
		return nil, 0, fmt.Errorf("imap: a message of more than %d octets must come from a file: %w", spoolMost, ErrTooBig)
	}
	size, err := io.Copy(io.Discard, &crlf{r: bytes.NewReader(text)})
	return io.NopCloser(bytes.NewReader(text)), size, err
}

// crlf makes CRLF of LF alone.
type crlf struct {
	r   io.Reader
	cr  bool // the last octet was CR
	buf []byte
	out []byte // what is to be given
	err error
}

func (c *crlf) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.buf == nil {
			c.buf = make([]byte, 3*4096)
		}
		n, err := c.r.Read(c.buf[:4096])
		c.err = err
		out := c.buf[4096:4096]
		for _, b := range c.buf[:n] {
			if b == '\n' && !c.cr {
				out = append(out, '\r')
			}
			out = append(out, b)
			c.cr = b == '\r'
		}
		c.out = out
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	if len(c.out) == 0 && errors.Is(c.err, io.EOF) {
		return n, io.EOF
	}
	return n, nil
}
