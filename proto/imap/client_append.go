package imap

import (
	"bytes"
	"context"
	"io"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/conv/deflate"
)

// An Upload is a message to be appended: Size octets of Body, with CRLF as line
// ends.
type Upload struct {
	NewMessage
	Body   io.Reader
	Binary bool // NUL may be in it (RFC 3516)
	// UTF8 says that there is UTF-8 in its header (RFC 6532). A server where only
	// UTF8=ACCEPT is in force has to be told (RFC 6855 section 4).
	UTF8 bool
}

// Append puts messages at the end of a mailbox: several at once, all or none,
// where the server has MULTIAPPEND. No other command travels beside it. A Body
// that ends before Size breaks the session, and nothing is appended. The result
// is zero where the server does not tell. Status with the code TRYCREATE: there
// is no such mailbox.
func (c *Client) Append(mailbox string, uploads ...Upload) *Call[AppendUID] {
	st := c.style()
	x := c.begin("APPEND", writeName(st, nil, mailbox))
	x.alone = true
	out := &AppendUID{}
	if x.done {
		return &Call[AppendUID]{c, x, out}
	}
	last := &x.chunks[len(x.chunks)-1]
	last.data = bytes.TrimSuffix(last.data, []byte("\r\n"))
	for _, d := range uploads {
		head, sync := c.appendUpload(nil, &d)
		last = &x.chunks[len(x.chunks)-1]
		last.data, last.sync = append(last.data, head...), sync
		behind := chunk{}
		if c.wraps(&d) {
			behind.data = []byte(")")
		}
		x.chunks = append(x.chunks, chunk{body: d.Body, size: d.Size}, behind)
	}
	last = &x.chunks[len(x.chunks)-1]
	last.data = append(last.data, "\r\n"...)
	if i := slices.IndexFunc(uploads, func(d Upload) bool { return !validFlags(d.Flags) }); i >= 0 {
		x.done, x.err = true, ErrSyntax
		c.queue = c.queue[:len(c.queue)-1]
	}
	x.end = func(s Status) (err error) {
		if s.Code.Name == "APPENDUID" {
			*out, err = ParseAppendUID(s.Code.Args)
		}
		return err
	}
	return &Call[AppendUID]{c, x, out}
}

// wraps tells whether a message travels in UTF8 (...).
func (c *Client) wraps(d *Upload) bool {
	return d.UTF8 && c.enabled.Has("UTF8=ACCEPT") && !c.enabled.Has("IMAP4REV2")
}

func validFlags(flags []Flag) bool {
	return !slices.ContainsFunc(flags, func(f Flag) bool { return !f.Valid() })
}

// appendUpload writes what stands before a message, and tells whether the server
// must then say that it may come.
func (c *Client) appendUpload(b []byte, d *Upload) (_ []byte, sync bool) {
	b = append(b, ' ')
	if len(d.Flags) > 0 {
		b = append(AppendFlags(b, d.Flags), ' ')
	}
	if !d.Date.IsZero() {
		b = append(AppendTime(b, d.Date), ' ')
	}
	if c.wraps(d) {
		b = append(b, "UTF8 ("...)
	}
	if d.Binary || c.wraps(d) {
		b = append(b, '~')
	}
	b = strconv.AppendInt(append(b, '{'), d.Size, 10)
	small := d.Size <= 4096 && (c.caps.Has("LITERAL-") || c.caps.Has("IMAP4REV2")) // RFC 7888 section 5
	if sync = !c.caps.Has("LITERAL+") && !small || d.Size > c.caps.appendLimit(); !sync {
		b = append(b, '+')
	}
	return append(b, "}\r\n"...), sync
}

// appendLimit is how large a message may be (RFC 7889): one that is larger is
// announced, so that the server can refuse it and go on.
func (c Capabilities) appendLimit() int64 {
	for _, word := range c {
		if text, ok := strings.CutPrefix(word, "APPENDLIMIT="); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n
			}
		}
	}
	return math.MaxInt64
}

// Compress begins COMPRESS=DEFLATE (RFC 4978).
func (c *Client) Compress(ctx context.Context) error {
	if _, err := c.alone("COMPRESS", []byte("DEFLATE")).Wait(ctx); err != nil {
		return err
	}
	err := c.c.Upgrade(ctx, func(below net.Conn) (net.Conn, error) { return deflate.New(below), nil })
	if err != nil {
		c.broken = true
	}
	return err
}
