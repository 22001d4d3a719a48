package telnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"syscall"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// ClientOptions are those of a Client. The zero value refuses every option, as
// Python's telnetlib does.
type ClientOptions struct {
	Dialer  dial.Dialer
	Options Options // what is agreed to; Options.TLS needs a Client of Dial's
	// Notify hears of every event that is no data, as Conn.Notify; nil: nobody.
	Notify func(Event) error
	// Window is how many bytes may be kept of what nobody has read or waited
	// for; 0: 1 MiB.
	Window int
}

// ErrTooMuch is a wait for something that does not come, while more comes than
// ClientOptions.Window.
var ErrTooMuch = errors.New("telnet: too much has come without what is waited for")

// errNoTLS is START_TLS where nobody knows the server's name.
var errNoTLS = errors.New("telnet: START_TLS on a connection that was not dialed here")

// A Client is a user's end. Its methods have the names of Python's telnetlib;
// where that had a time limit, they have a context. When the context ends first
// nothing is lost: what has come is given with the error, as telnetlib does, and
// the Client goes on. One goroutine may read while others write.
type Client struct {
	*Conn
	o   ClientOptions
	buf []byte // data that has come and is not read
	eof error  // why there is no more
}

// Dial connects: tcp:host:23, tls:host:992. ctx bounds only Dial. The caller
// closes the Client. The error is a *dial.Error.
func Dial(ctx context.Context, endpoint string, o ClientOptions) (*Client, error) {
	e, err := dial.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	nc, err := o.Dialer.Dial(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	c := NewClient(nc, o)
	c.upgrade = func(ctx context.Context) error {
		return nc.Upgrade(ctx, conv.ClientTLS(ctx, o.Dialer.Config(e)))
	}
	return c, nil
}

// NewClient is a client on a connection that stands, which it owns from then
// on.
func NewClient(nc *conv.Conn, o ClientOptions) *Client {
	if o.Window == 0 {
		o.Window = 1 << 20
	}
	c := &Client{Conn: newConn(nc, NewNVT(o.Options)), o: o}
	if p, ok := nc.Port().(*conv.NetPort); ok {
		if sc, ok := p.Conn.(syscall.Conn); ok {
			c.urgent = newUrgent(sc, p.RemoteAddr())
		}
	}
	c.options = o.Options
	c.heard = o.Notify
	c.upgrade = func(context.Context) error { return errNoTLS }
	return c
}

// Close closes the connection.
func (c *Client) Close() error {
	err := c.c.Close()
	c.fail(net.ErrClosed) // who waits to write
	return err
}

// CloseWrite ends our half of the stream; the server may go on. While both ends
// step up to TLS it waits for that, without keeping the caller.
func (c *Client) CloseWrite() error { return c.closeWrite() }

// WriteText sends text whose lines end with LF, with CR LF.
func (c *Client) WriteText(text string) error {
	c.room()
	return c.Do(func(n *NVT) { n.WriteText(text) })
}

// SetSize tells the server the size of our window, in characters, where it
// wants to know (Options.Window, NAWS).
func (c *Client) SetSize(width, height int) error {
	return c.Do(func(n *NVT) { n.SetWindow(width, height) })
}

// more waits until more data has come.
func (c *Client) more(ctx context.Context) error {
	if c.eof != nil {
		return c.eof
	}
	if len(c.buf) >= c.o.Window {
		return ErrTooMuch
	}
	if len(c.buf) == cap(c.buf) {
		c.buf = append(c.buf, make([]byte, max(4096, len(c.buf)))...)[:len(c.buf)]
	}
	n, err := c.readWithin(ctx, c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if ctx.Err() == nil {
		c.eof = err
	}
	if n > 0 {
		return nil
	}
	return err
}

// readWithin is a read that ends with ctx. A connection has one limit for
// reads: nobody else may set it meanwhile.
func (c *Client) readWithin(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.Interrupt() // fails only where the connection is closed
		close(fired)
	})
	n, err := c.read(ctx, p)
	if !stop() {
		<-fired
		_ = c.readUntil(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = ctx.Err()
		}
	}
	return n, err
}

// given takes the first n bytes of what has come; the slice is the caller's.
func (c *Client) given(n int) []byte {
	out := bytes.Clone(c.buf[:n])
	c.buf = c.buf[:copy(c.buf, c.buf[n:])]
	return out
}

// ReadUntil reads to the end of the first match, and gives all up to there.
// With an error, which may be ctx's or io.EOF, it gives what has come.
func (c *Client) ReadUntil(ctx context.Context, match string) ([]byte, error) {
	for from := 0; ; {
		if at := bytes.Index(c.buf[from:], []byte(match)); at >= 0 {
			return c.given(from + at + len(match)), nil
		}
		from = max(0, len(c.buf)-len(match)+1)
		if err := c.more(ctx); err != nil {
			return c.given(len(c.buf)), c.wrap("read until "+fmt.Sprintf("%q", match), err)
		}
	}
}

// A Match is what Expect has found.
type Match struct {
	Index  int      // of the pattern; -1: none
	Groups [][]byte // the match and its groups; nil for a group that is not in it
	Text   []byte   // all that was read, up to the end of the match
}

// Expect reads until one of the patterns fits, the first one of those that do.
// With an error, which may be ctx's or io.EOF, Index is -1 and Text what has
// come.
func (c *Client) Expect(ctx context.Context, patterns ...*regexp.Regexp) (Match, error) {
	for {
		for i, re := range patterns {
			at := re.FindSubmatchIndex(c.buf)
			if at == nil {
				continue
			}
			m := Match{Index: i, Text: c.given(at[1])}
			for g := 0; g < len(at); g += 2 {
				var group []byte
				if at[g] >= 0 {
					group = m.Text[at[g]:at[g+1]]
				}
				m.Groups = append(m.Groups, group)
			}
			return m, nil
		}
		if err := c.more(ctx); err != nil {
			return Match{Index: -1, Text: c.given(len(c.buf))}, c.wrap("expect", err)
		}
	}
}

// ReadAll reads to the end of the stream, of at most ClientOptions.Window.
func (c *Client) ReadAll(ctx context.Context) ([]byte, error) {
	for {
		if err := c.more(ctx); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return c.given(len(c.buf)), c.wrap("read all", err)
		}
	}
}

// ReadSome reads what there is, and waits only where there is nothing. io.EOF
// is the end of the stream.
func (c *Client) ReadSome(ctx context.Context) ([]byte, error) {
	if len(c.buf) == 0 {
		if err := c.more(ctx); err != nil {
			return nil, c.wrap("read", err)
		}
	}
	return c.given(len(c.buf)), nil
}

// ReadEager gives what has come, without waiting; io.EOF where nothing has and
// nothing will.
func (c *Client) ReadEager() ([]byte, error) {
	for c.eof == nil && len(c.buf) < c.o.Window {
		if err := c.glance(); err != nil {
			break
		}
	}
	if len(c.buf) == 0 && c.eof != nil {
		return nil, c.wrap("read", c.eof)
	}
	return c.given(len(c.buf)), nil
}

// glance takes what lies at the connection. A limit that has passed would have
// Go's poller not even look, so there is a short one.
func (c *Client) glance() error {
	if err := c.readUntil(time.Now().Add(eagerFor)); err != nil {
		return err
	}
	defer func() { _ = c.readUntil(time.Time{}) }() // fails only where the connection is closed
	err := c.more(context.Background())
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.eof = nil
	}
	return err
}

// eagerFor is how long ReadEager looks.
const eagerFor = time.Millisecond

// ReadLazy gives what earlier reads have left, without looking at the
// connection.
func (c *Client) ReadLazy() []byte { return c.given(len(c.buf)) }

// Read reads data like an io.Reader, what was left by other methods first.
func (c *Client) Read(p []byte) (int, error) {
	if len(c.buf) > 0 {
		n := copy(p, c.buf)
		c.buf = c.buf[:copy(c.buf, c.buf[n:])]
		return n, nil
	}
	if c.eof != nil {
		return 0, c.eof
	}
	return c.Conn.Read(p)
}

// Synch sends IP and a Synch, as Conn.Synch does: the server is to throw away
// what it has not read, and to interrupt what runs (RFC 1123 section 3.2.4).
func (c *Client) Synch() error {
	if err := c.Do(func(n *NVT) { n.Tell(IP) }); err != nil {
		return err
	}
	return c.Conn.Synch()
}

// wrap names what was being done.
func (c *Client) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("telnet: %s: %w", doing, err)
}
