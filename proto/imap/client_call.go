package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/proto/imap/internal/token"
	"github.com/farend-go/farend/wire"
)

// A Call is a command that has been asked for. Its answer is read by the Wait
// of this Call or of a later one.
type Call[T any] struct {
	c *Client
	x *command
	v *T
}

// Wait sends what is to be sent and hears answers up to that of this Call. Its
// error is the Status that the server refuses with; then the result is what was
// told before. It may be called again.
func (k *Call[T]) Wait(ctx context.Context) (T, error) {
	err := k.c.wait(ctx, k.x)
	return *k.v, err
}

// A command is on its way from the queue to its end.
type command struct {
	tag    string
	chunks []chunk
	said   int  // chunks
	size   int  // bytes of the chunks
	alone  bool // nothing else may be on its way
	seq    bool // it has sequence numbers in it
	secret bool
	on     func(r Response) (mine bool, err error) // takes an untagged response
	fetch  func(m *Letter) error                   // takes a FETCH; reads it to its end
	stream bool                                    // FETCH goes to the loop
	end    func(s Status) error                    // hears the tagged response
	status Status
	done   bool
	err    error
}

// A chunk is a line of a command with its CRLF, or a literal.
type chunk struct {
	data []byte
	body io.Reader // a literal of size bytes; nil: data
	size int64
	sync bool // the server must say "+" before the next one
}

// Do begins a command that has no method; args is what stands behind its name,
// with literals as a Style writes them. on, which may be nil, is offered the
// untagged responses that come until the command ends, and says which are its
// own. A line break in args is wire.ErrBreak, and nothing is said.
func (c *Client) Do(name string, args []byte, on func(r Response) (mine bool, err error)) *Call[Status] {
	x := c.begin(name, args)
	x.on = on
	return &Call[Status]{c, x, &x.status}
}

// alone is Do for what must not travel with others.
func (c *Client) alone(name string, args []byte) *Call[Status] {
	k := c.Do(name, args, nil)
	k.x.alone = true
	return k
}

// begin puts a command into the queue.
func (c *Client) begin(name string, args []byte) *command {
	c.tags++
	x := &command{tag: "A" + strconv.Itoa(c.tags)}
	text := append([]byte(x.tag+" "), name...)
	if len(args) > 0 {
		text = append(append(text, ' '), args...)
	}
	x.size = len(text)
	if x.chunks, x.err = chunks(text); x.err != nil {
		x.done, x.err = true, fmt.Errorf("imap: %s: %w", name, x.err)
		return x
	}
	c.queue = append(c.queue, x)
	return x
}

// chunks takes a command apart at its literals. What is in none has no line
// break.
func chunks(text []byte) ([]chunk, error) {
	var all []chunk
	for {
		line, rest, more := bytes.Cut(text, []byte("\r\n"))
		if bytes.ContainsAny(line, "\r\n\x00") {
			return nil, wire.ErrBreak
		}
		head, literal := token.Trailing(line)
		if more && (!literal || head.Size > int64(len(rest))) {
			return nil, wire.ErrBreak
		}
		all = append(all, chunk{data: append(bytes.Clone(line), "\r\n"...), sync: more && head.Sync})
		if !more {
			return all, nil
		}
		all = append(all, chunk{data: rest[:head.Size]})
		text = rest[head.Size:]
	}
}

// most is how many bytes of commands may be on their way: with more, both ends
// could wait for the other to read.
const most = 32 << 10

// mayGo tells whether a command may be said now.
func (c *Client) mayGo(x *command) bool {
	window := c.o.Window
	if window == 0 {
		window = 16
	}
	size := x.size
	for _, f := range c.flight {
		if f.alone || x.alone || x.seq && !f.seq {
			return false
		}
		size += f.size
	}
	return len(c.flight) == 0 || len(c.flight) < window && size <= most
}

// say says what may be said.
func (c *Client) say() error {
	if x := c.held; x != nil {
		if !c.plus {
			return nil
		}
		c.held, c.plus = nil, false
		if err := c.put(x); err != nil {
			return err
		}
	}
	for len(c.queue) > 0 && c.held == nil && c.mayGo(c.queue[0]) {
		x := c.queue[0]
		c.queue = c.queue[1:]
		c.flight = append(c.flight, x)
		if err := c.put(x); err != nil {
			return err
		}
	}
	return nil
}

// put says a command up to where it waits for a go-ahead.
func (c *Client) put(x *command) error {
	if x.secret {
		return c.c.Secret(func() error { return errors.Join(c.write(x), c.c.W.Flush()) })
	}
	return c.write(x)
}

func (c *Client) write(x *command) error {
	for x.said < len(x.chunks) {
		ch := x.chunks[x.said]
		x.said++
		if ch.body == nil {
			if _, err := c.c.W.Write(ch.data); err != nil {
				return err
			}
		} else if n, err := io.CopyN(&c.c.W, ch.body, ch.size); err != nil {
			return fmt.Errorf("imap: a message of %d octets ends behind %d: %w", ch.size, n, unexpected(err))
		}
		if ch.sync {
			c.held = x
			return nil
		}
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// wait steps until a command has ended.
func (c *Client) wait(ctx context.Context, x *command) error {
	for !x.done {
		if c.fetching {
			return ErrBusy
		}
		m, err := c.step(ctx)
		if err == nil && m != nil {
			err = m.drop()
		}
		if err != nil {
			return err
		}
	}
	return x.err
}

// step says what may be said and hears one response. A message comes back if it
// is for a loop.
func (c *Client) step(ctx context.Context) (*Letter, error) {
	if m := c.message; m != nil { // the loop has left something of it
		if err := m.drop(); err != nil {
			return nil, err
		}
	}
	if err := c.within(ctx, c.say); err != nil {
		return nil, fmt.Errorf("imap: %w", err)
	}
	r, m, err := c.hear(ctx)
	if err != nil {
		return nil, err
	}
	if m != nil {
		return c.deliver(m)
	}
	switch r.Tag {
	case "+":
		if c.held == nil {
			return nil, c.odd(fmt.Errorf("%w: a go-ahead", ErrStep))
		}
		c.plus = true
		return nil, nil
	case "*":
		return nil, c.untagged(r)
	}
	return nil, c.finish(r)
}

// deliver hands a FETCH to the command that it is for.
func (c *Client) deliver(m *Letter) (*Letter, error) {
	for _, x := range c.flight {
		switch {
		case x.stream:
			c.message = m
			return m, nil
		case x.fetch != nil:
			return nil, errors.Join(x.fetch(m), m.drop())
		}
	}
	if err := m.Read(); err != nil {
		return nil, err
	}
	if c.o.Untagged != nil {
		c.o.Untagged(Response{Tag: "*", Number: m.Seq, Name: "FETCH", Rest: m.Append(0, nil)})
	}
	return nil, nil
}

// untagged takes a response in.
func (c *Client) untagged(r Response) error {
	if err := c.note(r); err != nil {
		return c.odd(err)
	}
	for _, x := range c.flight {
		if x.on == nil {
			continue
		}
		if mine, err := x.on(r); mine || err != nil {
			return c.odd(err)
		}
	}
	if c.o.Untagged != nil {
		c.o.Untagged(r)
	}
	return nil
}

// odd is what to do about what a server should not have said.
func (c *Client) odd(err error) error {
	switch {
	case err == nil:
		return nil
	case c.o.Strict:
		c.broken = true
		return err
	case c.o.Defect != nil:
		c.o.Defect(err)
	}
	return nil
}

// finish ends the command that a tagged response names. All before it have been
// answered, whatever we have heard of that.
func (c *Client) finish(r Response) error {
	if len(c.flight) == 0 || !strings.EqualFold(c.flight[0].tag, r.Tag) {
		for i, x := range c.flight { // servers may end them in another order
			if strings.EqualFold(x.tag, r.Tag) {
				c.flight = append([]*command{x}, append(c.flight[:i:i], c.flight[i+1:]...)...)
				return c.finish(r)
			}
		}
		c.broken = true
		return fmt.Errorf("%w: an answer to %.20q", ErrStep, r.Tag)
	}
	x := c.flight[0]
	s, err := r.Status()
	if err != nil {
		c.broken = true
		return fmt.Errorf("%w: an answer %.100q", err, r.Name)
	}
	c.flight = c.flight[1:]
	x.done, x.status = true, s
	if c.held == x {
		c.held, c.plus = nil, false
	}
	if s.Kind != OK {
		x.err = s
		if s.Kind == OK || s.Kind == BYE || s.Kind == PREAUTH {
			x.err = fmt.Errorf("%w: %w", ErrStep, s)
		}
	} else if x.said < len(x.chunks) {
		c.broken = true
		x.err = fmt.Errorf("%w: OK to a command that was not said to its end", ErrStep)
	}
	c.learn(s)
	if x.end != nil {
		if err := c.odd(x.end(s)); err != nil {
			return err
		}
	}
	return nil
}

// lost says why a session ended: what the server said last tells more.
func (c *Client) lost(err error) error {
	if c.bye != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return fmt.Errorf("%w: %w", *c.bye, err)
	}
	if errors.Is(err, conv.ErrBroken) {
		return err
	}
	return fmt.Errorf("imap: %w", err)
}
