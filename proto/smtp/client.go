package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// Security says how a client comes to TLS on a connection that begins in clear.
type Security uint8

// Securities.
const (
	// Offered uses STARTTLS where the server offers it; then its certificate
	// must be good.
	Offered Security = iota
	// Required does not go on without TLS.
	Required
	// Unverified uses STARTTLS where the server offers it, with whatever
	// certificate: for mail between hosts, where it is better than nothing (RFC
	// 7435).
	Unverified
	// InClear never uses STARTTLS.
	InClear
)

// Options of a Client. The zero value speaks SMTP, with TLS where the server
// offers it.
type Options struct {
	Dialer   dial.Dialer
	Security Security
	Hello    string // our own name; "": the system's, or else "localhost"
	LMTP     bool   // LHLO, and an answer for each recipient
	// Login is used where it is not nil; the server must then offer AUTH.
	Login *auth.Credentials
}

// Errors of a Client.
var (
	// ErrNotOffered is an extension that is needed and that the server does not
	// offer; the text names it.
	ErrNotOffered = errors.New("smtp: the server does not offer what is needed")
	// ErrAddress is an address that cannot be said, or has something behind it.
	ErrAddress = errors.New("smtp: bad address")
	// ErrNoRecipients is a message for nobody.
	ErrNoRecipients = errors.New("smtp: no recipients")
)

// A Client is a session with a server. It is used by one goroutine at a time; a
// Pool serves several. A negative reply is a Reply as the error and leaves the
// session usable; after any other error of a call that has spoken to the server,
// also of its context, it can only be closed: Broken tells.
type Client struct {
	c        *conv.Conn
	o        Options
	endpoint dial.Endpoint
	welcome  Reply
	caps     Capabilities
	dirty    bool // a message may be left over there: RSET first
	broken   bool
}

// Dial opens a session: tcp:host:25 with STARTTLS as Options has it,
// starttls:host:587 which requires it, tls:host:465 with TLS from the
// beginning, unix:path. The greeting has been heard, and EHLO and Login said.
// ctx bounds only Dial. The caller ends the session by Quit or Close.
func Dial(ctx context.Context, endpoint string, o Options) (*Client, error) {
	e, err := dial.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if e.Scheme == dial.StartTLS {
		o.Security = Required
	}
	nc, err := o.Dialer.Dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return start(ctx, &Client{c: nc, o: o, endpoint: e})
}

// NewClient opens a session on a connection that stands, which it owns from
// then on, also when it fails. host is the server's name for its certificate.
func NewClient(ctx context.Context, nc *conv.Conn, host string, o Options) (*Client, error) {
	return start(ctx, &Client{c: nc, o: o, endpoint: dial.Endpoint{Scheme: dial.TCP, Host: host}})
}

func start(ctx context.Context, c *Client) (*Client, error) {
	if err := c.begin(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// begin hears the greeting and says what comes before the first message.
func (c *Client) begin(ctx context.Context) error {
	var err error
	if c.welcome, err = c.answer(ctx); err != nil {
		return err
	}
	if err := c.hello(ctx); err != nil {
		return err
	}
	if err := c.secure(ctx); err != nil {
		return err
	}
	if c.o.Login == nil {
		return nil
	}
	return c.Login(ctx, *c.o.Login)
}

// hello says who we are, and hears what the server can do.
func (c *Client) hello(ctx context.Context) error {
	name := c.o.Hello
	if name == "" {
		name = systemName()
	}
	verb := "EHLO"
	if c.o.LMTP {
		verb = "LHLO"
	}
	r, err := c.Cmd(ctx, verb, name)
	if refused, ok := errors.AsType[Reply](err); ok && refused.Permanent() && !c.o.LMTP { // RFC 5321 section 3.2
		c.caps = nil
		_, err = c.Cmd(ctx, "HELO", name)
		return err
	}
	_, c.caps = ParseCapabilities(r)
	return err
}

// systemName is a name of ours that may be said.
func systemName() string {
	name, err := os.Hostname()
	if m := (Mailbox{"x", name}); err != nil || !m.valid() || !m.ASCII() {
		return "localhost"
	}
	return name
}

// secure comes to TLS as the Options have it.
func (c *Client) secure(ctx context.Context) error {
	local := c.endpoint.Scheme.Path() && c.o.Security != Required // has no name for a certificate to bear
	if _, ok := c.TLS(); ok || local || c.o.Security == InClear {
		return nil
	}
	if !c.caps.Has("STARTTLS") {
		if c.o.Security == Required {
			return fmt.Errorf("%w: STARTTLS", ErrNotOffered)
		}
		return nil
	}
	cfg := c.o.Dialer.Config(c.endpoint)
	if c.o.Security == Unverified {
		cfg.InsecureSkipVerify = true
	}
	return c.StartTLS(ctx, cfg)
}

// StartTLS begins TLS (RFC 3207) and says EHLO again. cfg names the server.
func (c *Client) StartTLS(ctx context.Context, cfg *tls.Config) error {
	if _, err := c.Cmd(ctx, "STARTTLS", ""); err != nil {
		return err
	}
	if err := c.c.Upgrade(ctx, conv.ClientTLS(ctx, cfg)); err != nil {
		c.broken = true
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	return c.hello(ctx)
}

// errHandshake is a handshake that failed.
var errHandshake = errors.New("smtp: STARTTLS")

// Welcome is the greeting.
func (c *Client) Welcome() Reply { return c.welcome }

// Capabilities are what the server said last of itself.
func (c *Client) Capabilities() Capabilities { return c.caps }

// Broken tells whether the session can only be closed.
func (c *Client) Broken() bool { return c.broken }

// TLS is the state of the connection; ok is false in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) { return c.c.TLS() }

// say writes a command; it leaves before the next answer is waited for.
func (c *Client) say(cmd Command) error {
	if strings.IndexByte(cmd.Arg, 0) >= 0 {
		return fmt.Errorf("smtp: %s: a NUL inside an argument", cmd.Verb)
	}
	if err := c.c.W.Line(cmd.Append(nil)); err != nil { // refuses a line break, and then nothing has been said
		return fmt.Errorf("smtp: %s: %w", cmd.Verb, err)
	}
	return nil
}

// hear reads a reply. A negative one is an error; 421 is the last one.
func (c *Client) hear() (Reply, error) {
	r, err := ParseReply(&c.c.R)
	if err != nil {
		c.broken = true
		return r, fmt.Errorf("smtp: %w", err)
	}
	if r.Code == 421 {
		c.broken = true
	}
	if !r.Positive() {
		return r, r
	}
	return r, nil
}

// answer is hear, as long as ctx lets it.
func (c *Client) answer(ctx context.Context) (r Reply, err error) {
	err = c.within(ctx, func() error {
		r, err = c.hear()
		return err
	})
	return r, err
}

// within runs f, which uses the connection, as long as ctx lets it.
func (c *Client) within(ctx context.Context, f func() error) error {
	err := c.c.Within(ctx, f)
	if _, ok := errors.AsType[Reply](err); err != nil && !ok && !errors.Is(err, errUnsaid) {
		c.broken = true
	}
	return err
}

// errUnsaid marks an error before which nothing was said.
var errUnsaid = errors.New("smtp: nothing was said")

// Cmd says a command and hears its reply, for whatever has no method. A line
// break in arg is wire.ErrBreak, and nothing is said.
func (c *Client) Cmd(ctx context.Context, verb, arg string) (Reply, error) {
	if err := c.say(Command{verb, arg}); err != nil {
		return Reply{}, err
	}
	return c.answer(ctx)
}

// Login logs in by the strongest mechanism that both sides have, and by the
// next where that is refused (RFC 4954). A refusal is a Reply, mostly 535, and
// auth.ErrRefused.
func (c *Client) Login(ctx context.Context, who auth.Credentials) error {
	offered, ok := c.caps.Get("AUTH")
	if !ok {
		return fmt.Errorf("%w: AUTH", ErrNotOffered)
	}
	ch := auth.Channel{Peer: c.c.RemoteAddr(), Host: c.endpoint.ServerName()}
	if state, ok := c.TLS(); ok {
		ch.TLS = &state
	}
	return who.Login(ctx, strings.Fields(offered), ch, func(m auth.Client) error { return c.exchange(ctx, m) })
}

// exchange runs one mechanism.
func (c *Client) exchange(ctx context.Context, m auth.Client) error {
	initial, err := m.Start()
	if err != nil {
		return err
	}
	if _, err := c.c.W.WriteString("AUTH " + m.Name()); err != nil {
		return err
	}
	return c.c.Secret(func() error {
		var line []byte
		if initial != nil {
			if line = auth.AppendInitial([]byte(" "), initial); len("AUTH \r\n"+m.Name())+len(line) <= 512 { // RFC 4954 section 4
				initial = nil
			} else {
				line = nil
			}
		}
		if err := c.c.W.Line(line); err != nil {
			return err
		}
		return c.challenges(ctx, m, initial)
	})
}

// challenges answers until the server has decided; late is an initial response
// for which the command had no room.
func (c *Client) challenges(ctx context.Context, m auth.Client, late []byte) error {
	for {
		r, err := c.answer(ctx)
		if r.Permanent() {
			return fmt.Errorf("%w: %w", auth.ErrRefused, r)
		}
		if err != nil || r.Code != 334 {
			return err
		}
		challenge, err := auth.Parse([]byte(strings.TrimSpace(r.Text)))
		response := late
		if late = nil; err == nil && response == nil {
			response, err = m.Next(challenge)
		}
		if err != nil {
			_, stop := c.Cmd(ctx, "*", "")
			if _, ok := errors.AsType[Reply](stop); !ok {
				c.broken = true // an impostor, who says yes to that
			}
			return err
		}
		if err := c.c.W.Line(auth.Append(nil, response)); err != nil {
			return err
		}
	}
}

// Noop says that we are still here.
func (c *Client) Noop(ctx context.Context) error {
	_, err := c.Cmd(ctx, "NOOP", "")
	return err
}

// Reset gives up a message that is under way (RSET).
func (c *Client) Reset(ctx context.Context) error {
	_, err := c.Cmd(ctx, "RSET", "")
	if err == nil {
		c.dirty = false
	}
	return err
}

// Verify asks for a mailbox (VRFY). Servers that do not tell answer 252.
func (c *Client) Verify(ctx context.Context, name string) (Reply, error) {
	return c.Cmd(ctx, "VRFY", name)
}

// Expand asks for the members of a list (EXPN).
func (c *Client) Expand(ctx context.Context, list string) ([]string, error) {
	r, err := c.Cmd(ctx, "EXPN", list)
	if err != nil {
		return nil, err
	}
	return strings.Split(r.Text, "\n"), nil
}

// Help is what the server says of a command, or of all for "".
func (c *Client) Help(ctx context.Context, command string) (string, error) {
	r, err := c.Cmd(ctx, "HELP", command)
	return r.Text, err
}

// Turn asks the server to send what waits for a node (ETRN).
func (c *Client) Turn(ctx context.Context, node string) (Reply, error) {
	return c.Cmd(ctx, "ETRN", node)
}

// Quit says goodbye and closes.
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.Cmd(ctx, "QUIT", "")
	c.broken = true
	return errors.Join(err, c.c.Abort())
}

// Close closes the connection without a word.
func (c *Client) Close() error {
	c.broken = true
	return c.c.Abort()
}
