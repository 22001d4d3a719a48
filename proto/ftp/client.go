package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// Options of a Client. The zero value is passive, and private wherever the
// control connection is.
type Options struct {
	// Dialer opens the control connection and passive data connections. Of its
	// TLS the session cache is not used: each Client has its own, so that data
	// connections resume the session of their control connection and no other.
	Dialer dial.Dialer
	// Active has the server connect to us (PORT, EPRT), at these ports; the
	// zero range: of the system's choice.
	Active      bool
	ActivePorts PortRange
	// ClearData leaves data in clear under a control connection with TLS.
	ClearData bool
	// TrustPASV connects to whatever address PASV tells. Otherwise it is
	// ignored in favour of the control connection's, for a server must not send
	// us elsewhere (CVE-2020-8284).
	TrustPASV bool
	// Names is for servers that do not speak UTF-8.
	Names Names
	// DialData opens passive data connections instead of the Dialer; nil: it
	// does.
	DialData func(ctx context.Context, address string) (net.Conn, error)
}

// Errors of a Client.
var (
	// ErrBusy is a command while a transfer is open: read it to its end or
	// close it.
	ErrBusy = errors.New("ftp: a transfer is open")
	// ErrNoTLS is a server that refuses TLS.
	ErrNoTLS = errors.New("ftp: the server does not speak TLS")
	// errNoREST is a refusal of REST, which goes with it: the file can be had
	// from its beginning only.
	errNoREST = errors.New("ftp: the server gives no parts of a file")
	// errNUL is a name that no server can have.
	errNUL = errors.New("ftp: NUL inside an argument")
)

// A Client is a session with a server. It is used by one goroutine at a time; a
// Pool serves several. A negative reply is a Reply as the error and leaves the
// session usable; after any other error, also of a context, it can only be
// closed: Broken tells.
type Client struct {
	c        *conv.Conn
	o        Options
	host     string // where passive data connections go
	cfg      *tls.Config
	sec      secured
	private  bool
	features map[string]string // nil: not asked yet
	kind     string            // the TYPE in force
	noEPSV   bool
	busy     bool
	broken   bool
	welcome  Reply
}

// Dial opens a session: tcp:host:21 in clear, starttls:host:21 with AUTH TLS,
// tls:host:990 with TLS from the beginning. ctx bounds only Dial. The caller
// ends the session by Quit or Close.
func Dial(ctx context.Context, endpoint string, o Options) (*Client, error) {
	e, err := dial.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	scheme := e.Scheme
	if scheme == dial.TLS {
		e.Scheme = dial.StartTLS // our own handshake, for CCC and the session cache
	}
	nc, err := o.Dialer.Dial(ctx, e.String())
	if err != nil {
		return nil, err
	}
	c := newClient(nc, o)
	if e.Scheme == dial.StartTLS {
		c.cfg = o.Dialer.Config(e)
		c.cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	}
	if err := c.start(ctx, scheme); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// NewClient opens a session in clear on a connection that stands, which it owns
// from then on, also when it fails.
func NewClient(ctx context.Context, nc *conv.Conn, o Options) (*Client, error) {
	c := newClient(nc, o)
	if err := c.start(ctx, dial.TCP); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func newClient(nc *conv.Conn, o Options) *Client {
	c := &Client{c: nc, o: o}
	if a := addrOf(nc.RemoteAddr()); a.IsValid() {
		c.host = a.String()
	}
	return c
}

// start shakes hands where that comes first, and hears the greeting.
func (c *Client) start(ctx context.Context, scheme dial.Scheme) error {
	if scheme == dial.TLS {
		if err := c.shake(ctx); err != nil {
			return err
		}
	}
	var err error
	for {
		if c.welcome, err = c.answer(ctx); err != nil {
			return err
		}
		if !c.welcome.Preliminary() { // 120: ready in a while
			break
		}
	}
	switch scheme {
	case dial.StartTLS:
		if _, err := c.Cmd(ctx, "AUTH", "TLS"); err != nil {
			return fmt.Errorf("%w: %w", ErrNoTLS, err)
		}
		if err := c.shake(ctx); err != nil {
			return err
		}
		fallthrough
	case dial.TLS:
		return c.protect(ctx)
	}
	return nil
}

func (c *Client) shake(ctx context.Context) error {
	err := c.sec.shake(ctx, c.c, func(nc net.Conn) *tls.Conn { return tls.Client(nc, c.cfg) })
	if err != nil {
		c.broken = true
	}
	return err
}

// protect says how data connections are to be (RFC 4217 section 8).
func (c *Client) protect(ctx context.Context) error {
	if _, err := c.Cmd(ctx, "PBSZ", "0"); err != nil {
		return err
	}
	level := "P"
	if c.o.ClearData {
		level = "C"
	}
	if _, err := c.Cmd(ctx, "PROT", level); err != nil {
		return err
	}
	c.private = !c.o.ClearData
	return nil
}

// Welcome is the greeting.
func (c *Client) Welcome() Reply { return c.welcome }

// Broken tells whether the session can only be closed.
func (c *Client) Broken() bool { return c.broken }

// TLS is the state of the control connection; ok is false in clear.
func (c *Client) TLS() (state tls.ConnectionState, ok bool) {
	if c.sec.conn == nil {
		return state, false
	}
	return c.sec.conn.ConnectionState(), true
}

// say sends a command.
func (c *Client) say(ctx context.Context, cmd Command) error {
	if c.busy {
		return ErrBusy
	}
	if strings.IndexByte(cmd.Arg, 0) >= 0 {
		return errNUL
	}
	line := cmd.Append(nil)
	err := c.c.W.Line(line) // refuses a line break, and then nothing has been said
	if err != nil {
		return fmt.Errorf("ftp: %s: %w", cmd.Verb, err)
	}
	if err := c.c.Within(ctx, c.c.W.Flush); err != nil {
		c.broken = true
		return err
	}
	return nil
}

// answer hears a reply.
func (c *Client) answer(ctx context.Context) (Reply, error) {
	var r Reply
	err := c.c.Within(ctx, func() (err error) {
		r, err = ParseReply(&c.c.R)
		return err
	})
	if err != nil {
		c.broken = true
		return r, fmt.Errorf("ftp: %w", err)
	}
	if r.Code == 421 { // the server goes (RFC 959 section 4.2)
		c.broken = true
	}
	if r.Code >= 400 {
		return r, r
	}
	return r, nil
}

// Cmd says a command and hears its reply: for SITE, and whatever has no method.
// A line break in arg is wire.ErrBreak, and nothing is said.
func (c *Client) Cmd(ctx context.Context, verb, arg string) (Reply, error) {
	if err := c.say(ctx, Command{verb, arg}); err != nil {
		return Reply{}, err
	}
	return c.answer(ctx)
}

// secret is Cmd for what no tap may hear.
func (c *Client) secret(ctx context.Context, verb, arg string) (r Reply, err error) {
	err = c.c.Secret(func() error { return c.say(ctx, Command{verb, arg}) })
	if err != nil {
		return r, err
	}
	return c.answer(ctx)
}

// named is Cmd for a command whose argument is the name of a file.
func (c *Client) named(ctx context.Context, verb, name string) (Reply, error) {
	wire, err := c.o.Names.encode(name)
	if err != nil {
		return Reply{}, err
	}
	return c.Cmd(ctx, verb, wire)
}

// Login names the user (RFC 959 section 5.4). account is for servers that ask
// for one. A refusal is a Reply, mostly 530.
func (c *Client) Login(ctx context.Context, user, password, account string) error {
	r, err := c.Cmd(ctx, "USER", user)
	if err == nil && r.Code == 331 {
		r, err = c.secret(ctx, "PASS", password)
	}
	if err == nil && r.Code == 332 {
		r, err = c.secret(ctx, "ACCT", account)
	}
	if err != nil {
		return err
	}
	if !r.Completed() {
		return fmt.Errorf("ftp: login: %w", r)
	}
	c.kind, c.features = "A", nil
	features, err := c.Features(ctx)
	if _, utf8 := features["UTF8"]; err != nil || !utf8 || c.o.Names.Encode != nil {
		return err
	}
	_, err = c.Cmd(ctx, "OPTS", "UTF8 ON") // some servers want it, some refuse it
	return notReply(err)
}

// notReply is err unless it is a refusal that does not matter.
func notReply(err error) error {
	if _, ok := errors.AsType[Reply](err); ok {
		return nil
	}
	return err
}

// Host names the virtual host, before Login (RFC 7151).
func (c *Client) Host(ctx context.Context, name string) error {
	_, err := c.Cmd(ctx, "HOST", name)
	return err
}

// Features is what the server says of itself: names in upper case and what
// stands behind them (RFC 2389). A server without FEAT has none.
func (c *Client) Features(ctx context.Context) (map[string]string, error) {
	if c.features != nil {
		return c.features, nil
	}
	r, err := c.Cmd(ctx, "FEAT", "")
	if err := notReply(err); err != nil {
		return nil, err
	}
	c.features = map[string]string{}
	if err != nil || len(r.Lines) < 2 {
		return c.features, nil
	}
	for _, line := range r.Lines[1 : len(r.Lines)-1] {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		c.features[strings.ToUpper(name)] = rest
	}
	return c.features, nil
}

// has asks for a feature.
func (c *Client) has(ctx context.Context, feature string) (bool, error) {
	f, err := c.Features(ctx)
	_, ok := f[feature]
	return ok, err
}

// setType changes the TYPE where another is in force.
func (c *Client) setType(ctx context.Context, kind string) error {
	if c.kind == kind {
		return nil
	}
	if _, err := c.Cmd(ctx, "TYPE", kind); err != nil {
		return err
	}
	c.kind = kind
	return nil
}

// Cwd changes the directory.
func (c *Client) Cwd(ctx context.Context, dir string) error {
	_, err := c.named(ctx, "CWD", dir)
	return err
}

// Pwd is the current directory.
func (c *Client) Pwd(ctx context.Context) (string, error) {
	r, err := c.Cmd(ctx, "PWD", "")
	if err != nil {
		return "", err
	}
	return c.quoted(r)
}

// quoted takes the name out of a 257.
func (c *Client) quoted(r Reply) (string, error) {
	wire, err := path257(r.Text())
	if err != nil {
		return "", err
	}
	return c.o.Names.decode(wire)
}

// Mkdir makes a directory.
func (c *Client) Mkdir(ctx context.Context, dir string) error {
	_, err := c.named(ctx, "MKD", dir)
	return err
}

// Rmdir removes an empty directory.
func (c *Client) Rmdir(ctx context.Context, dir string) error {
	_, err := c.named(ctx, "RMD", dir)
	return err
}

// Delete removes a file.
func (c *Client) Delete(ctx context.Context, name string) error {
	_, err := c.named(ctx, "DELE", name)
	return err
}

// Rename gives a file or directory another name.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	if _, err := c.named(ctx, "RNFR", from); err != nil {
		return err
	}
	_, err := c.named(ctx, "RNTO", to)
	return err
}

// Size is a file's size in bytes (RFC 3659 section 4).
func (c *Client) Size(ctx context.Context, name string) (int64, error) {
	if err := c.setType(ctx, "I"); err != nil { // in ASCII it would be another
		return 0, err
	}
	r, err := c.named(ctx, "SIZE", name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(r.Text()), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: SIZE: %q", ErrReply, r.Text())
	}
	return n, nil
}

// ModTime is when a file was changed last (RFC 3659 section 3).
func (c *Client) ModTime(ctx context.Context, name string) (time.Time, error) {
	r, err := c.named(ctx, "MDTM", name)
	if err != nil {
		return time.Time{}, err
	}
	t, err := parseTime(strings.TrimSpace(r.Text()))
	if err != nil {
		return t, fmt.Errorf("%w: MDTM: %q", ErrReply, r.Text())
	}
	return t, nil
}

// SetModTime changes that, with the grain of a second (MFMT).
func (c *Client) SetModTime(ctx context.Context, name string, t time.Time) error {
	_, err := c.named(ctx, "MFMT", t.UTC().Format(timeForm)+" "+name)
	return err
}

// Hash is a checksum of a file as the server computes it, and the algorithm's
// name (HASH).
func (c *Client) Hash(ctx context.Context, name string) (algorithm, sum string, err error) {
	r, err := c.named(ctx, "HASH", name)
	if err != nil {
		return "", "", err
	}
	f := strings.Fields(r.Text())
	if len(f) < 3 {
		return "", "", fmt.Errorf("%w: HASH: %q", ErrReply, r.Text())
	}
	return f[0], f[2], nil
}

// Noop says that we are still here.
func (c *Client) Noop(ctx context.Context) error {
	_, err := c.Cmd(ctx, "NOOP", "")
	return err
}

// ClearControl ends TLS on the control connection (CCC); data connections stay
// as they are.
func (c *Client) ClearControl(ctx context.Context) error {
	if _, err := c.Cmd(ctx, "CCC", ""); err != nil {
		return err
	}
	if err := c.sec.clear(ctx, c.c); err != nil {
		c.broken = true
		return err
	}
	return nil
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

// peer is the server's address.
func (c *Client) peer() netip.Addr { return addrOf(c.c.RemoteAddr()) }
