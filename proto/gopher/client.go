package gopher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/dial"
)

// A Client asks servers. The zero Client verifies certificates against the
// system's roots. Its methods may be called by several goroutines: each
// request has a connection of its own.
type Client struct {
	Dialer *dial.Dialer // nil: the zero Dialer
	// Dial, if not nil, connects instead: endpoint is tcp:host:port or
	// tls:host:port. For tests and proxies.
	Dial func(ctx context.Context, endpoint string) (*conv.Conn, error)
}

// ErrType is a URL whose type is not asked for by a selector: another protocol,
// or a line to be read.
var ErrType = errors.New("not fetched by gopher")

// A ServerError is an answer that says what went wrong: an item of type Error,
// or a Gopher+ error.
type ServerError struct {
	Text string
	Code int // Gopher+: CodeUnavailable, CodeBusy, CodeMoved; 0: none was told
}

// Error is the server's text on one line.
func (e *ServerError) Error() string { return "the server says: " + visible(e.Text) }

// Is finds fs.ErrNotExist, unless the server tells another reason: it is what
// an error means in Gopher.
func (e *ServerError) Is(target error) bool {
	return target == fs.ErrNotExist && e.Code <= CodeUnavailable
}

// A Reply is what a server sends, as a stream. It is read by one goroutine;
// Close may come at any time, from any goroutine.
type Reply struct {
	URL  URL
	Size int64 // -1: not told, as always without Gopher+
	Plus bool  // the server has answered in Gopher+

	body  io.Reader
	conn  *conv.Conn
	ended func() error // the context's Err: the body's life is the request's, as in net/http
	stop  func() bool
}

// Read gives the content: of a text or menu without the dots that its transfer
// added, of everything else the bytes as they are. io.EOF: the answer is over,
// as far as Gopher can tell; where Gopher+ or TLS tell that something is
// missing, io.ErrUnexpectedEOF. The error of the context when that ends.
func (r *Reply) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && err != io.EOF {
		err = r.failed(err)
	}
	return n, err
}

func (r *Reply) failed(err error) error { return fail(r.ended(), r.URL, err) }

// fail names what was asked, and the context's reason where it had one.
func fail(ended error, u URL, err error) error {
	if ended != nil && !errors.Is(err, ended) {
		err = ended
	}
	return fmt.Errorf("gopher: %.200s: %w", u, err)
}

// Close ends the connection; what was not read is not downloaded. A second
// Close does nothing.
func (r *Reply) Close() error {
	r.stop()
	return r.conn.Abort()
}

// Get asks for what u names. The caller closes the Reply, and ctx bounds it up
// to there. An answer that is an error is a *ServerError. ErrField: u has
// something inside that must not be sent; ErrType: its type is not fetched.
func (c *Client) Get(ctx context.Context, u URL) (*Reply, error) {
	if u.Type == 0 {
		u.Type = Menu
	}
	if !u.Type.Fetchable() {
		return nil, fail(ctx.Err(), u, fmt.Errorf("a %s is %w", u.Type, ErrType))
	}
	line, err := u.Append(nil)
	if err == nil && u.Data != "" && u.Flag != "1" {
		err = ErrRequest
	}
	if err != nil {
		return nil, fail(ctx.Err(), u, err)
	}
	conn, err := c.dial(ctx, u)
	if err != nil {
		return nil, fail(ctx.Err(), u, err)
	}
	r := &Reply{URL: u, Size: -1, conn: conn, ended: ctx.Err}
	r.stop = context.AfterFunc(ctx, func() { _ = conn.Abort() }) // fails only where it is closed
	if err := r.ask(line); err != nil {
		r.Close()
		return nil, r.failed(err)
	}
	return r, nil
}

func (c *Client) dial(ctx context.Context, u URL) (*conv.Conn, error) {
	endpoint := "tcp:" + u.Address()
	if u.TLS {
		endpoint = "tls:" + u.Address()
	}
	switch {
	case c.Dial != nil:
		return c.Dial(ctx, endpoint)
	case c.Dialer != nil:
		return c.Dialer.Dial(ctx, endpoint)
	}
	return (&dial.Dialer{}).Dial(ctx, endpoint)
}

// ask sends the request and reads as far as the answer tells what it is.
func (r *Reply) ask(line []byte) error {
	w := &r.conn.W
	if err := w.Line(line); err != nil {
		return err
	}
	if _, err := w.WriteString(r.URL.Data); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.URL.Plus != "" {
		if done, err := r.header(); done || err != nil {
			return err
		}
	}
	if err := r.oldError(); err != nil {
		return err
	}
	r.old()
	return nil
}

// old makes the body that of an answer without a header.
func (r *Reply) old() {
	if r.URL.Type.IsText() {
		r.body = &textReader{r: &r.conn.R}
		return
	}
	r.body = r.conn.NetConn()
}

// maxHeader is how far an answer is looked into.
const maxHeader = 1024

// peekLine waits for the first line and gives it with its end, without taking
// it; what there is, when it is longer or the stream ends.
func (r *Reply) peekLine(from int) ([]byte, error) {
	for {
		have := r.conn.R.Peek()[from:]
		if i := bytes.IndexByte(have, '\n'); i >= 0 {
			return have[:i+1], nil
		}
		if len(have) >= maxHeader {
			return have[:maxHeader], nil
		}
		if err := r.conn.R.Fill(); err == io.EOF {
			return have, nil
		} else if err != nil {
			return nil, err
		}
	}
}

func trimEOL(line []byte) []byte {
	line, _ = bytes.CutSuffix(line, []byte("\n"))
	line, _ = bytes.CutSuffix(line, []byte("\r"))
	return line
}

// header reads the first line of a Gopher+ answer; false: it is none.
func (r *Reply) header() (bool, error) {
	line, err := r.peekLine(0)
	if err != nil {
		return false, err
	}
	h, ok := parseHeader(trimEOL(line))
	if !ok {
		return false, nil
	}
	if err := r.conn.R.Discard(int64(len(line))); err != nil {
		return false, err
	}
	switch r.Plus = true; h.length {
	case untilDot:
		r.body = &textReader{r: &r.conn.R, strict: true}
	case untilClose:
		r.body = r.conn.NetConn()
	default:
		r.Size = h.length
		r.body = &sized{r.conn.NetConn(), h.length}
	}
	if h.failed {
		return true, r.plusError()
	}
	return true, nil
}

// sized reads a number of bytes.
type sized struct {
	r    io.Reader
	left int64
}

func (s *sized) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err == io.EOF && s.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// plusError reads "1 Admin <address>" and a text.
func (r *Reply) plusError() error {
	text, err := io.ReadAll(io.LimitReader(r.body, maxHeader))
	if err != nil {
		return err
	}
	e := &ServerError{}
	first, rest, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	if _, err := fmt.Sscanf(string(first), "%d", &e.Code); err != nil {
		e.Code, rest = 0, text
	}
	if rest = bytes.TrimSpace(rest); len(rest) == 0 {
		rest = first
	}
	e.Text = string(bytes.TrimSpace(rest))
	return e
}

// oldError looks whether the answer is an item of type Error. In a menu none
// stands first for another reason; a file that happens to look like one must
// also end behind it as a menu does.
func (r *Reply) oldError() error {
	have := r.conn.R.Peek()
	if len(have) == 0 {
		if err := r.conn.R.Fill(); err == io.EOF {
			return nil // an empty answer is one
		} else if err != nil {
			return err
		}
		have = r.conn.R.Peek()
	}
	if Type(have[0]) != Error {
		return nil
	}
	line, err := r.peekLine(0)
	if err != nil {
		return err
	}
	item, err := ParseItem(trimEOL(line))
	if err != nil || bytes.Count(line, []byte("\t")) < 3 && !r.URL.Type.IsMenu() {
		return nil //nolint:nilerr // then it is what was asked for
	}
	e := &ServerError{Text: item.Name}
	if r.URL.Type.IsMenu() {
		return e
	}
	end, err := r.peekLine(len(line))
	if err != nil {
		return err
	}
	if string(end) != ".\r\n" {
		return nil
	}
	return e
}

// Menu reads the menu that u names, item by item as they come; leaving the
// loop ends the connection. Hosts and ports that an item leaves out are u's.
// u.Search carries the words for an index. An error ends the menu.
func (c *Client) Menu(ctx context.Context, u URL) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		r, err := c.Get(ctx, u)
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer r.Close()
		for item, err := range ReadMenu(rawMenu{r}) {
			if err != nil {
				yield(Item{}, r.failed(err))
				return
			}
			if item.Host == "" {
				item.Host = u.Host
			}
			if item.Port == 0 {
				item.Port = max(u.Port, 0)
				if u.Port == 0 {
					item.Port = DefaultPort
				}
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// rawMenu is a Reply without the URL in its errors, which Menu adds.
type rawMenu struct{ r *Reply }

func (m rawMenu) Read(p []byte) (int, error) { return m.r.body.Read(p) }

// Attributes asks for the Gopher+ attributes of what u names: u.Plus is "!" for
// the item itself (also where it is empty) or "$" for all items of a menu, both
// with names behind ("!+ABSTRACT"). ErrAttributes: the server knows none.
func (c *Client) Attributes(ctx context.Context, u URL) iter.Seq2[Attributes, error] {
	return func(yield func(Attributes, error) bool) {
		if u.Plus == "" {
			u.Plus = "!"
		}
		r, err := c.Get(ctx, u)
		if err != nil {
			yield(Attributes{}, err)
			return
		}
		defer r.Close()
		if !r.Plus {
			yield(Attributes{}, r.failed(ErrAttributes))
			return
		}
		for a, err := range ReadAttributes(rawMenu{r}) {
			if err != nil {
				yield(Attributes{}, r.failed(err))
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// Caps asks the server of u for its caps.txt. fs.ErrNotExist: it has none.
func (c *Client) Caps(ctx context.Context, u URL) (Caps, error) {
	u.Type, u.Request, u.Data = Text, Request{Selector: "caps.txt"}, ""
	r, err := c.Get(ctx, u)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	caps, err := ParseCaps(r)
	if err != nil {
		return nil, r.failed(err)
	}
	return caps, nil
}
