package nntp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/deflate"
	"github.com/farend-go/farend/dial"
)

// Options of a Client. The zero value is what most want.
type Options struct {
	Dialer dial.Dialer
	// NoReader is for those who feed. Without it Dial says MODE READER where the
	// server does not say that it is one for readers: some then switch to
	// another program.
	NoReader bool
	// Opportunistic begins TLS on a tcp: endpoint where the server offers
	// STARTTLS. Whoever stands between can take the offer away; the way to be
	// safe is starttls: or tls:.
	Opportunistic bool
	// Window is how many commands may be on their way at once; 0: 32; 1: each
	// waits for the answer to the one before.
	Window int
	// Line is the longest line of an answer, CRLF included; 0: 64 KiB, for rows
	// of an overview can be long.
	Line int
}

// Errors of a Client.
var (
	// ErrBusy is a command while an answer is being read: read it to its end,
	// close it, leave the loop.
	ErrBusy = errors.New("nntp: an answer is being read")
	// ErrNoTLS is a server that refuses STARTTLS.
	ErrNoTLS = errors.New("nntp: the server does not speak TLS")
)

// A Client is a session with a server. It is used by one goroutine at a time. A
// negative reply is a Reply as the error and leaves the session usable. After
// any other error, also of a context, nobody knows which answers are still to
// come, so it can only be closed: Broken tells.
type Client struct {
	c          *conv.Conn
	o          Options
	cfg        *tls.Config // for STARTTLS
	e          dial.Endpoint
	welcome    Reply
	caps       Capabilities // nil: not asked yet
	format     Format       // nil: not asked yet
	noOver     bool         // it knows XOVER only
	noHdr      bool         // it knows XHDR only
	compressed bool
	body       *Body // the last one
	piping     bool  // commands are on their way
	broken     bool
}

// Dial opens a session: tcp:host:119 in clear, starttls:host:119 with STARTTLS,
// tls:host:563 with TLS from the beginning. ctx bounds only Dial. The caller
// ends the session by Quit or Close.
func Dial(ctx context.Context, endpoint string, o Options) (*Client, error) {
	e, err := dial.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	nc, err := o.Dialer.Dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	c := &Client{c: nc, o: o, e: e, cfg: o.Dialer.Config(e)}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// NewClient opens a session on a connection that stands, which it owns from
// then on, also when it fails. It cannot begin TLS.
func NewClient(ctx context.Context, nc *conv.Conn, o Options) (*Client, error) {
	c := &Client{c: nc, o: o}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// start hears the greeting, begins TLS where that is wanted, and becomes a
// reader.
func (c *Client) start(ctx context.Context) (err error) {
	line := c.o.Line
	if line == 0 {
		line = 64 << 10
	}
	c.c.R.SetLimit(line)
	if c.welcome, err = c.answer(ctx, 2); err != nil {
		return err
	}
	switch {
	case c.e.Scheme == dial.StartTLS:
		err = c.StartTLS(ctx)
	case c.e.Scheme == dial.TCP && c.o.Opportunistic:
		var caps Capabilities
		if caps, err = c.Capabilities(ctx); err == nil && caps.Has("STARTTLS") {
			if err = c.StartTLS(ctx); errors.Is(err, ErrNoTLS) {
				err = nil
			}
		}
	}
	if err != nil || c.o.NoReader {
		return err
	}
	caps, err := c.Capabilities(ctx)
	if err != nil || caps.Has("READER") {
		return err
	}
	return c.ModeReader(ctx)
}

// Welcome is the greeting, or what MODE READER was answered with: 200 where
// posting is allowed, perhaps after a login, 201 where it is not.
func (c *Client) Welcome() Reply { return c.welcome }

// Broken tells whether the session can only be closed.
func (c *Client) Broken() bool { return c.broken }

// TLS is the state of the connection; ok is false in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) { return c.c.TLS() }

// ModeReader says that we are a reader (RFC 3977 section 5.3).
func (c *Client) ModeReader(ctx context.Context) error {
	r, err := c.Cmd(ctx, "MODE", "READER")
	if errors.Is(err, ErrUnknown) {
		return nil // it is one for readers only
	}
	if err != nil {
		return err
	}
	c.welcome, c.caps = r, nil
	return nil
}

// StartTLS begins TLS (RFC 4642), on a Client of Dial's, before the login.
// ErrNoTLS: the server refuses, and the session is as it was.
func (c *Client) StartTLS(ctx context.Context) error {
	if c.cfg == nil {
		return fmt.Errorf("%w: nobody knows the server's name", ErrNoTLS)
	}
	if err := c.expect(ctx, 382, "STARTTLS", ""); err != nil {
		if refused(err) {
			return fmt.Errorf("%w: %w", ErrNoTLS, err)
		}
		return err
	}
	c.caps, c.format = nil, nil
	if err := c.c.Upgrade(ctx, conv.ClientTLS(ctx, c.cfg)); err != nil {
		c.broken = true
		return &dial.Error{Endpoint: c.e.String(), Err: err}
	}
	return nil
}

// Compress begins compression (RFC 8054). It comes after TLS and the login, for
// neither is possible behind it. ErrUnknown, ErrNotAllowed, ErrLater: the server
// refuses, and the session is as it was.
func (c *Client) Compress(ctx context.Context) error {
	if err := c.expect(ctx, 206, "COMPRESS", "DEFLATE"); err != nil {
		return err
	}
	c.caps, c.compressed = nil, true
	if err := c.c.Upgrade(ctx, func(below net.Conn) (net.Conn, error) { return deflate.New(below), nil }); err != nil {
		c.broken = true
		return fmt.Errorf("nntp: COMPRESS: %w", err)
	}
	return nil
}

// Compressed tells whether Compress went well.
func (c *Client) Compressed() bool { return c.compressed }

// refused tells a negative reply from other errors.
func refused(err error) bool {
	_, ok := errors.AsType[Reply](err)
	return ok
}

// free tells whether a command may be said now.
func (c *Client) free() error {
	switch {
	case c.broken:
		return conv.ErrBroken
	case c.piping, c.body != nil && c.body.err == nil:
		return ErrBusy
	}
	return nil
}

// write says a command, which leaves at the latest when an answer is waited
// for.
func (c *Client) write(verb, arg string) error {
	if err := c.free(); err != nil {
		return err
	}
	return c.put(verb, arg)
}

// put is write whatever is on its way.
func (c *Client) put(verb, arg string) error {
	if strings.IndexByte(arg, 0) >= 0 {
		return fmt.Errorf("nntp: %s: %w: NUL in its argument", verb, ErrCommand)
	}
	if err := c.c.W.Line(Command{verb, arg}.Append(nil)); err != nil { // refuses a line break, and then nothing has been said
		return fmt.Errorf("nntp: %s: %w", verb, err)
	}
	return nil
}

// within runs f, which reads or writes, under a context.
func (c *Client) within(ctx context.Context, f func() error) error {
	err := c.c.Within(ctx, f)
	if err != nil {
		c.broken = true
	}
	return err
}

// line hears a line. Servers are known that end one by LF alone.
func (c *Client) line(ctx context.Context) (line []byte, err error) {
	err = c.within(ctx, func() error {
		line, err = c.c.R.LooseLine()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("nntp: %w", err)
	}
	return line, nil
}

// answer hears the reply to the oldest command. kind is the digit with which a
// positive one begins: 2 for one that is over, 3 for one that wants more of us,
// 1 for information.
func (c *Client) answer(ctx context.Context, kind int) (Reply, error) {
	line, err := c.line(ctx)
	if err != nil {
		return Reply{}, err
	}
	r, err := ParseReply(line)
	if err != nil {
		c.broken = true
		return r, fmt.Errorf("%w: %.100q", err, line)
	}
	if r.Code >= 400 {
		return r, r
	}
	if r.Code/100 != kind {
		c.broken = true
		return r, fmt.Errorf("%w: %.100q was not asked for", ErrReply, line)
	}
	return r, nil
}

// kindOf is how a positive answer to a command begins.
func kindOf(verb string) int {
	switch verb {
	case "DATE", "HELP", "CAPABILITIES":
		return 1
	case "POST", "IHAVE", "STARTTLS":
		return 3
	}
	return 2
}

// Cmd says a command and hears the first line of its answer: for whatever has
// no method. A line break in arg is wire.ErrBreak, and nothing is said.
func (c *Client) Cmd(ctx context.Context, verb, arg string) (Reply, error) {
	if err := c.write(verb, arg); err != nil {
		return Reply{}, err
	}
	return c.answer(ctx, kindOf(strings.ToUpper(verb)))
}

// expect is Cmd for a command with one good answer.
func (c *Client) expect(ctx context.Context, code int, verb, arg string) error {
	r, err := c.Cmd(ctx, verb, arg)
	if err == nil && r.Code != code {
		c.broken = true
		return fmt.Errorf("%w: %s was answered with %d", ErrReply, verb, r.Code)
	}
	return err
}

// CmdLines is Cmd for a command whose answer has more lines, which are given one
// by one, with their dots undone. A refusal is the only error, before any line.
// Whoever leaves the loop early waits for the rest.
func (c *Client) CmdLines(ctx context.Context, verb, arg string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if _, err := c.Cmd(ctx, verb, arg); err != nil {
			yield("", err)
			return
		}
		c.lines(ctx, yield)
	}
}

// lines hears the lines of an answer up to the dot.
func (c *Client) lines(ctx context.Context, yield func(string, error) bool) {
	c.piping = true
	defer func() { c.piping = false }()
	wanted := true
	for {
		line, err := c.line(ctx)
		if err != nil {
			if wanted {
				yield("", unexpected(err))
			}
			return
		}
		if len(line) > 0 && line[0] == '.' {
			if len(line) == 1 {
				return
			}
			line = line[1:]
		}
		wanted = wanted && yield(string(line), nil)
	}
}

// each makes values of lines. One that cannot be understood is the last.
func each[T any](lines iter.Seq2[string, error], parse func(string) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for line, err := range lines {
			var v T
			if err == nil {
				if v, err = parse(line); err != nil {
					err = fmt.Errorf("%w: %.100q", err, line)
				}
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// collect is a listing as a slice.
func collect[T any](all iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for v, err := range all {
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Capabilities are what the server says that it can do; one that does not know
// the command has none. They are kept until STARTTLS, a login or compression may
// change them.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	if c.caps != nil {
		return c.caps, nil
	}
	lines, err := collect(c.CmdLines(ctx, "CAPABILITIES", ""))
	if err != nil && !refused(err) {
		return nil, err
	}
	c.caps = ParseCapabilities(lines)
	return c.caps, nil
}

// Date is what the time is at the server, to the second (RFC 3977 section 7.1).
func (c *Client) Date(ctx context.Context) (time.Time, error) {
	r, err := c.Cmd(ctx, "DATE", "")
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse("20060102150405", r.word(0))
	if err != nil {
		return t, fmt.Errorf("%w: DATE: %.100q", ErrReply, r.Text)
	}
	return t, nil
}

// Help is a text for people.
func (c *Client) Help(ctx context.Context) ([]string, error) {
	return collect(c.CmdLines(ctx, "HELP", ""))
}

// Quit says goodbye and closes.
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.Cmd(ctx, "QUIT", "")
	return errors.Join(err, c.Close())
}

// Close closes the connection without a word.
func (c *Client) Close() error {
	c.broken = true
	return c.c.Abort()
}

// flush sends what was said.
func (c *Client) flush(ctx context.Context) error {
	if c.c.W.Buffered() == 0 {
		return nil
	}
	return c.within(ctx, c.c.W.Flush)
}
