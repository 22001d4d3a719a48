package pop3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// Options of a Client. The zero value is what most want.
type Options struct {
	Dialer dial.Dialer
	// Opportunistic begins TLS on a tcp: endpoint where the server offers STLS.
	// Whoever stands between can take the offer away; the way to be safe is
	// starttls: or tls:.
	Opportunistic bool
	// Window is how many commands may be on their way at once to a server that
	// knows PIPELINING; 0: 16; 1: each waits for the answer to the one before.
	Window int
	// Entries is how many lines a listing may have; 0: 1,000,000.
	Entries int
}

// Errors of a Client.
var (
	// ErrBusy is a command while a message is open, or within the loop over
	// Fetch or New: read it to its end, close it, leave the loop.
	ErrBusy = errors.New("pop3: a message is open")
	// ErrNoTLS is a server that refuses STLS.
	ErrNoTLS = errors.New("pop3: the server does not speak TLS")
	// ErrTooMany is a listing with more lines than Options.Entries.
	ErrTooMany = errors.New("pop3: the listing is too long")
	// errNUL is an argument that no server can read.
	errNUL = errors.New("pop3: NUL inside an argument")
)

// A Client is a session with a server. It is used by one goroutine at a time. A
// negative reply is a Reply as the error and leaves the session usable. After
// any other error, also of a context, nobody knows which answers are still to
// come, so it can only be closed: Broken tells.
type Client struct {
	c       *conv.Conn
	o       Options
	cfg     *tls.Config // for STLS
	e       dial.Endpoint
	welcome Reply
	stamp   string       // "": no APOP
	caps    Capabilities // nil: not asked yet
	body    *Body        // the last one
	piping  bool         // Fetch has commands on their way
	broken  bool
}

// Dial opens a session: tcp:host:110 in clear, starttls:host:110 with STLS,
// tls:host:995 with TLS from the beginning. ctx bounds only Dial. The caller
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

// start hears the greeting, and begins TLS where that is wanted.
func (c *Client) start(ctx context.Context) (err error) {
	if c.welcome, err = c.answer(ctx); err != nil {
		return err
	}
	c.stamp = timestamp(c.welcome.Text)
	switch {
	case c.e.Scheme == dial.StartTLS:
		return c.StartTLS(ctx)
	case c.e.Scheme == dial.TCP && c.o.Opportunistic:
		caps, err := c.Capabilities(ctx)
		if err != nil || !caps.Has("STLS") {
			return err
		}
		if err := c.StartTLS(ctx); !errors.Is(err, ErrNoTLS) {
			return err
		}
	}
	return nil
}

// timestamp finds the time stamp in a greeting (RFC 1939 section 7).
func timestamp(text string) string {
	_, rest, ok := strings.Cut(text, "<")
	id, _, end := strings.Cut(rest, ">")
	if !ok || !end || !strings.Contains(id, "@") || strings.ContainsAny(id, " <") {
		return ""
	}
	return "<" + id + ">"
}

// Welcome is the greeting.
func (c *Client) Welcome() Reply { return c.welcome }

// Timestamp is the greeting's, with its angle brackets; "" where the server has
// no APOP.
func (c *Client) Timestamp() string { return c.stamp }

// Broken tells whether the session can only be closed.
func (c *Client) Broken() bool { return c.broken }

// TLS is the state of the connection; ok is false in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) { return c.c.TLS() }

// StartTLS begins TLS (RFC 2595 section 4), on a Client of Dial's, before the
// login. ErrNoTLS: the server refuses, and the session is as it was.
func (c *Client) StartTLS(ctx context.Context) error {
	if c.cfg == nil {
		return fmt.Errorf("%w: nobody knows the server's name", ErrNoTLS)
	}
	if _, err := c.Cmd(ctx, "STLS", ""); err != nil {
		if refused(err) {
			return fmt.Errorf("%w: %w", ErrNoTLS, err)
		}
		return err
	}
	c.caps = nil
	if err := c.c.Upgrade(ctx, conv.ClientTLS(ctx, c.cfg)); err != nil {
		c.broken = true
		return &dial.Error{Endpoint: c.e.String(), Err: err}
	}
	return nil
}

// refused tells a negative reply from other errors.
func refused(err error) bool {
	_, ok := errors.AsType[Reply](err)
	return ok
}

// write says a command, which leaves at the latest when an answer is waited
// for.
func (c *Client) write(cmd Command) error {
	if err := c.free(); err != nil {
		return err
	}
	return c.put(cmd)
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

// put is write whatever is on its way.
func (c *Client) put(cmd Command) error {
	if strings.IndexByte(cmd.Arg, 0) >= 0 {
		return errNUL
	}
	if err := c.c.W.Line(cmd.Append(nil)); err != nil { // refuses a line break, and then nothing has been said
		return fmt.Errorf("pop3: %s: %w", cmd.Verb, err)
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
		return nil, fmt.Errorf("pop3: %w", err)
	}
	return line, nil
}

// answer hears the reply to the oldest command.
func (c *Client) answer(ctx context.Context) (Reply, error) {
	line, err := c.line(ctx)
	if err != nil {
		return Reply{}, err
	}
	r, err := ParseReply(line)
	if err != nil {
		c.broken = true
		return r, fmt.Errorf("%w: %.100q", err, line)
	}
	if !r.OK {
		return r, r
	}
	return r, nil
}

// Cmd says a command and hears the first line of its answer: for whatever has
// no method. A line break in arg is wire.ErrBreak, and nothing is said.
func (c *Client) Cmd(ctx context.Context, verb, arg string) (Reply, error) {
	if err := c.write(Command{verb, arg}); err != nil {
		return Reply{}, err
	}
	return c.answer(ctx)
}

// CmdLines is Cmd for a command whose answer has more lines, which it gives
// with their dots undone.
func (c *Client) CmdLines(ctx context.Context, verb, arg string) (Reply, []string, error) {
	var lines []string
	r, err := c.Cmd(ctx, verb, arg)
	if err == nil {
		err = c.lines(ctx, func(line string) error { lines = append(lines, line); return nil })
	}
	return r, lines, err
}

// lines hears the lines of an answer up to the dot.
func (c *Client) lines(ctx context.Context, each func(line string) error) error {
	limit := c.o.Entries
	if limit == 0 {
		limit = 1_000_000
	}
	for n := 0; ; n++ {
		line, err := c.line(ctx)
		if err != nil {
			return err
		}
		if len(line) > 0 && line[0] == '.' {
			if len(line) == 1 {
				return nil
			}
			line = line[1:]
		}
		if n == limit {
			err = ErrTooMany
		} else {
			err = each(string(line))
		}
		if err != nil {
			c.broken = true
			return err
		}
	}
}

// Capabilities are what the server says that it can do; a server without CAPA
// has none. They are kept until STLS or a login may change them.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	if c.caps != nil {
		return c.caps, nil
	}
	_, lines, err := c.CmdLines(ctx, "CAPA", "")
	if err != nil && !refused(err) {
		return nil, err
	}
	c.caps = ParseCapabilities(lines)
	return c.caps, nil
}

// UTF8 asks for messages with UTF-8 in their headers as they are, before the
// login (RFC 6856 section 2.1).
func (c *Client) UTF8(ctx context.Context) error {
	_, err := c.Cmd(ctx, "UTF8", "")
	return err
}

// Lang asks for replies in a language, by its tag or "*" (RFC 6856 section 3),
// and gives the tag that it has become.
func (c *Client) Lang(ctx context.Context, tag string) (string, error) {
	r, err := c.Cmd(ctx, "LANG", tag)
	if err != nil {
		return "", err
	}
	word, _, _ := strings.Cut(r.Text, " ")
	return word, nil
}

// Languages are the tags that Lang takes, with the languages' own names or "".
func (c *Client) Languages(ctx context.Context) (map[string]string, error) {
	_, lines, err := c.CmdLines(ctx, "LANG", "")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, line := range lines {
		tag, name, _ := strings.Cut(line, " ")
		names[tag] = name
	}
	return names, nil
}

// Noop says that we are still here.
func (c *Client) Noop(ctx context.Context) error {
	_, err := c.Cmd(ctx, "NOOP", "")
	return err
}

// Quit has the server carry the deletions out, hears whether it has, and
// closes. A Reply as the error: some of the messages may still be there.
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.Cmd(ctx, "QUIT", "")
	return errors.Join(err, c.Close())
}

// Close closes the connection without a word: nothing is deleted.
func (c *Client) Close() error {
	c.broken = true
	return c.c.Abort()
}
