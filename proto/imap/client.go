package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// Options of a Client. The zero value is what most want.
type Options struct {
	Dialer dial.Dialer
	// Opportunistic begins TLS on a tcp: endpoint where the server offers
	// STARTTLS. Whoever stands between can take the offer away; the way to be
	// safe is starttls: or tls:.
	Opportunistic bool
	// Window is how many commands may be on their way at once; 0: 16; 1: each
	// waits for the answer to the one before.
	Window int
	// Response is how long a response may be in bytes, without the pieces of
	// messages that Fetch streams; 0: 8 MiB.
	Response int
	// Strict makes an error of what the RFCs do not allow. Otherwise what cannot
	// be read is passed by, and told to Defect.
	Strict bool
	Defect func(err error) // nil: nobody
	// Plain enables nothing after the login: names travel in modified UTF-7.
	Plain bool
	// Untagged hears the responses that belong to no command, such as EXISTS
	// and EXPUNGE, when they are read; r is valid during the call. nil: nobody.
	Untagged func(r Response)
}

// Errors of a Client.
var (
	// ErrBusy is a wait within the loop over Fetch: leave the loop first.
	ErrBusy = errors.New("imap: messages are being fetched")
	// ErrNoTLS is a server that refuses STARTTLS.
	ErrNoTLS = errors.New("imap: the server does not speak TLS")
	// ErrTooLong is a response over Options.Response.
	ErrTooLong = errors.New("imap: the response is too long")
	// ErrStep is an answer that nobody asked for.
	ErrStep = errors.New("imap: out of step")
)

// Capabilities are the words of CAPABILITY, in capitals.
type Capabilities []string

// Has tells whether a word is among them; its case does not matter.
func (c Capabilities) Has(word string) bool {
	return slices.Contains(c, strings.ToUpper(word))
}

// Mechanisms are those of SASL's that the server offers.
func (c Capabilities) Mechanisms() []string {
	var names []string
	for _, word := range c {
		if name, ok := strings.CutPrefix(word, "AUTH="); ok {
			names = append(names, name)
		}
	}
	return names
}

// A Client is a session with a server. It is used by one goroutine at a time.
//
// Most methods say nothing yet: they give a Call, and whoever waits for one
// sends all that is not said, within Options.Window, and hears the answers in
// their order. So commands travel together:
//
//	sel := c.Select(imap.Select{Name: "INBOX"})
//	new := c.Search(imap.Search{Key: imap.Key{Name: "UNSEEN"}}, true)
//	box, err := sel.Wait(ctx)
//	found, err := new.Wait(ctx)
//
// A command whose arguments are sequence numbers waits for those before it that
// may change the numbers (RFC 9051 section 5.5). A negative answer is a Status
// as the error and leaves the session usable. After any other error, also of a
// context, nobody knows which answers are still to come, so it can only be
// closed: Broken tells.
type Client struct {
	c        *conv.Conn
	o        Options
	e        dial.Endpoint
	cfg      *tls.Config // for STARTTLS
	greeting Status
	caps     Capabilities // nil: not known
	enabled  Capabilities
	box      *Selected // nil: none is selected
	tags     int
	queue    []*command // to be said
	flight   []*command // on their way, the oldest first
	held     *command   // waits for a go-ahead
	plus     bool       // it has come
	message  *Letter    // the last one, perhaps not read to its end
	fetching bool       // within the loop over Fetch
	shifts   int        // how often sequence numbers have shifted
	stirred  bool       // the mailbox has changed, for a Watcher, which looks then
	bye      *Status
	broken   bool
}

// Dial opens a session: tcp:host:143 in clear, starttls:host:143 with STARTTLS,
// tls:host:993 with TLS from the beginning. ctx bounds only Dial. The caller
// ends the session by Logout or Close.
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
func (c *Client) start(ctx context.Context) error {
	c.c.R.SetLimit(c.limit())
	r, _, err := c.hear(ctx)
	if err != nil {
		return err
	}
	if c.greeting, err = r.Status(); err != nil || r.Tag != "*" {
		c.broken = true
		return fmt.Errorf("%w: no greeting of an IMAP server", ErrSyntax)
	}
	switch c.greeting.Kind {
	case OK, PREAUTH:
		c.learn(c.greeting)
	default:
		c.broken = true
		return c.greeting
	}
	switch {
	case c.e.Scheme == dial.StartTLS:
		return c.StartTLS(ctx)
	case c.e.Scheme == dial.TCP && c.o.Opportunistic:
		caps, err := c.Capabilities(ctx)
		if err != nil || !caps.Has("STARTTLS") {
			return err
		}
		if err := c.StartTLS(ctx); !errors.Is(err, ErrNoTLS) {
			return err
		}
	}
	return nil
}

func (c *Client) limit() int {
	if c.o.Response > 0 {
		return c.o.Response
	}
	return 8 << 20
}

// Greeting is what the server said first; PREAUTH: no login is needed.
func (c *Client) Greeting() Status { return c.greeting }

// Broken tells whether the session can only be closed.
func (c *Client) Broken() bool { return c.broken }

// TLS is the state of the connection; ok is false in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) { return c.c.TLS() }

// Selected is the mailbox that is open, as far as the server has told until
// now; nil where there is none.
func (c *Client) Selected() *Selected { return c.box }

// Enabled are the extensions that are in force.
func (c *Client) Enabled() Capabilities { return c.enabled }

// style is how we write strings now.
func (c *Client) style() Style {
	var st Style
	if c.utf8() {
		st |= UTF8
	}
	if c.caps.Has("LITERAL+") {
		st |= NonSync
	}
	return st
}

// utf8 tells whether names travel in UTF-8.
func (c *Client) utf8() bool { return c.enabled.Has("UTF8=ACCEPT") || c.enabled.Has("IMAP4REV2") }

// Capabilities are what the server says that it can do. They are kept until
// STARTTLS or a login may change them.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	if c.caps != nil {
		return c.caps, nil
	}
	_, err := c.Do("CAPABILITY", nil, nil).Wait(ctx)
	if c.caps == nil && err == nil {
		c.caps = Capabilities{}
	}
	return c.caps, err
}

// StartTLS begins TLS (RFC 9051 section 6.2.1), on a Client of Dial's, before
// the login. ErrNoTLS: the server refuses, and the session is as it was.
func (c *Client) StartTLS(ctx context.Context) error {
	if c.cfg == nil {
		return fmt.Errorf("%w: nobody knows the server's name", ErrNoTLS)
	}
	if c.greeting.Kind == PREAUTH { // or somebody in the middle has logged in
		return fmt.Errorf("%w: it has logged us in already", ErrNoTLS)
	}
	if _, err := c.alone("STARTTLS", nil).Wait(ctx); err != nil {
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

// refused tells a negative answer from other errors.
func refused(err error) bool {
	_, ok := errors.AsType[Status](err)
	return ok
}

// Logout says goodbye, hears the answer, and closes.
func (c *Client) Logout(ctx context.Context) error {
	_, err := c.alone("LOGOUT", nil).Wait(ctx)
	return errors.Join(err, c.Close())
}

// Close closes the connection without a word.
func (c *Client) Close() error {
	c.broken = true
	return c.c.Abort()
}

// within runs f, which reads or writes, under a context.
func (c *Client) within(ctx context.Context, f func() error) error {
	if c.broken {
		return conv.ErrBroken
	}
	err := c.c.Within(ctx, f)
	if err != nil {
		c.broken = true
	}
	return err
}
