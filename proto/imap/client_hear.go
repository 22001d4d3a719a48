package imap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// line hears a line, which is valid until the next.
func (c *Client) line(ctx context.Context) (line []byte, err error) {
	err = c.within(ctx, func() error {
		if c.o.Strict {
			line, err = c.c.R.Line()
		} else {
			line, err = c.c.R.LooseLine()
		}
		return err
	})
	if err != nil {
		return nil, c.lost(err)
	}
	return line, nil
}

// hear hears a response with its literals; of a FETCH only up to the first
// piece of the message.
func (c *Client) hear(ctx context.Context) (Response, *Letter, error) {
	for {
		line, err := c.line(ctx)
		if err != nil {
			return Response{}, nil, err
		}
		r, err := ParseResponse(line)
		switch {
		case err == nil && r.Tag == "*" && r.Name == "FETCH":
			m := c.newLetter(ctx, r.Number)
			if err := m.feed(r.Rest); err != nil {
				return r, nil, err
			}
			return r, m, nil
		case err == nil && (r.Tag != "*" || isStatus(r.Name)): // nothing of it can be a literal
			return r, nil, nil
		}
		whole, lerr := c.collect(ctx, line)
		if lerr != nil {
			return r, nil, lerr
		}
		if err == nil {
			r, err = ParseResponse(whole)
		}
		if err == nil {
			return r, nil, nil
		}
		if len(bytes.TrimSpace(whole)) == 0 && !c.o.Strict {
			continue // empty lines come from old proxies
		}
		if err := c.odd(fmt.Errorf("%w: %.100q", err, whole)); err != nil {
			return r, nil, err
		}
	}
}

func isStatus(name string) bool {
	switch Kind(name) {
	case OK, NO, BAD, PREAUTH, BYE:
		return true
	}
	return false
}

// collect reads what belongs to a line that may end with the head of a literal.
func (c *Client) collect(ctx context.Context, line []byte) ([]byte, error) {
	head, more := token.Trailing(line)
	if !more {
		return line, nil
	}
	whole := bytes.Clone(line)
	for more {
		var err error
		if whole, err = c.literal(ctx, whole, head); err != nil {
			return nil, err
		}
		if line, err = c.line(ctx); err != nil {
			return nil, err
		}
		if len(whole)+len(line) > c.limit() {
			c.broken = true
			return nil, ErrTooLong
		}
		whole = append(whole, line...)
		head, more = token.Trailing(line)
	}
	return whole, nil
}

// literal adds a literal, and the CRLF before it, to whole.
func (c *Client) literal(ctx context.Context, whole []byte, head token.Head) ([]byte, error) {
	if head.Size > int64(c.limit()-len(whole)) {
		c.broken = true
		return nil, ErrTooLong
	}
	whole = append(whole, "\r\n"...)
	err := c.within(ctx, func() error {
		l, err := c.c.R.Literal(head.Size)
		if err != nil {
			return err
		}
		var b bytes.Buffer // grows with what comes, not with what is announced
		_, err = io.CopyN(&b, l, head.Size)
		whole = append(whole, b.Bytes()...)
		return err
	})
	if err != nil {
		return nil, c.lost(unexpected(err))
	}
	return whole, nil
}

// note keeps what responses tell of the session.
func (c *Client) note(r Response) error {
	switch r.Name {
	case "CAPABILITY":
		c.caps = capabilities(string(r.Rest))
	case "ENABLED":
		c.enabled = append(c.enabled, capabilities(string(r.Rest))...)
	case "OK", "NO", "BAD", "PREAUTH", "BYE":
		s, err := r.Status()
		if err != nil {
			return err
		}
		if s.Kind == BYE {
			c.bye = &s
		}
		c.learn(s)
	}
	if c.box == nil {
		return nil
	}
	if r.Name == "EXPUNGE" || r.Name == "VANISHED" && !bytes.HasPrefix(r.Rest, []byte("(")) {
		c.shifts++
		c.stirred = true
	}
	c.stirred = c.stirred || r.Name == "EXISTS"
	return c.box.note(r)
}

// learn keeps what a code tells.
func (c *Client) learn(s Status) {
	if s.Code.Name == "CAPABILITY" {
		c.caps = capabilities(s.Code.Args)
	}
}

func capabilities(text string) Capabilities {
	return append(Capabilities{}, strings.Fields(strings.ToUpper(text))...)
}
