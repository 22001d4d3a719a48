package imap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/farend-go/farend/proto/imap/internal/token"
	"github.com/farend-go/farend/wire"
)

// A Letter is what one untagged FETCH tells. Pieces that are literals stay on
// the stream until Next or Read; what stands behind them is known only then.
type Letter struct {
	*Fetched
	// Defects are what could not be read of the response; what they are about
	// is missing.
	Defects []error

	reader FetchReader
	at     int // which piece comes next
	open   *wire.Literal
	more   bool // a literal, and a line behind it, are still to come
	c      *Client
	within func(f func() error) error
	line   func() ([]byte, error)
	lit    func(whole []byte, h token.Head) ([]byte, error)
}

func (c *Client) newLetter(ctx context.Context, seq uint32) *Letter {
	m := &Letter{
		c:      c,
		within: func(f func() error) error { return c.within(ctx, f) },
		line:   func() ([]byte, error) { return c.line(ctx) },
		lit:    func(whole []byte, h token.Head) ([]byte, error) { return c.literal(ctx, whole, h) },
	}
	m.Fetched = &m.reader.Fetched
	m.Seq = seq
	return m
}

// feed reads a line of the response. Literals of anything but a piece are
// gathered first.
func (m *Letter) feed(line []byte) error {
	for {
		trial, fresh := m.reader, m.reader
		more, err := trial.Next(line)
		lax := FetchReader{}
		if err != nil && !m.c.o.Strict {
			lax = fresh
			lax.Lax = true
			if again, err2 := lax.Next(line); err2 == nil {
				if head, ends := token.Trailing(line); !ends || again {
					trial, more, err = lax, again, nil
				} else if err := m.gather(&line, head); err != nil {
					return err
				} else {
					continue
				}
			}
		}
		if err == nil {
			m.take(trial)
			if m.more = more; more {
				return m.begin()
			}
			return nil
		}
		if head, ends := token.Trailing(line); ends {
			if err := m.gather(&line, head); err != nil {
				return err
			}
			continue
		}
		if !m.c.o.Strict {
			m.take(lax)
		}
		m.more = false
		m.Defects = append(m.Defects, err)
		return m.c.odd(fmt.Errorf("%w: FETCH %.200q", err, line))
	}
}

// take keeps what a line told.
func (m *Letter) take(r FetchReader) {
	for _, err := range r.Defects {
		m.Defects = append(m.Defects, err)
		if m.c.o.Defect != nil {
			m.c.o.Defect(err)
		}
	}
	r.Defects = nil
	seq := m.reader.Fetched.Seq
	m.reader = r
	m.reader.Fetched.Seq = seq
}

// gather adds a literal and the line behind it.
func (m *Letter) gather(line *[]byte, head token.Head) error {
	whole, err := m.lit(bytes.Clone(*line), head)
	if err != nil {
		return err
	}
	next, err := m.line()
	if err != nil {
		return err
	}
	if len(whole)+len(next) > m.c.limit() {
		m.c.broken = true
		return ErrTooLong
	}
	*line = append(whole, next...)
	return nil
}

func (m *Letter) begin() (err error) {
	m.open, err = m.c.c.R.Literal(m.Pieces[len(m.Pieces)-1].Literal)
	return err
}

// A Content is one piece of a message: Size octets to be read before the next
// Next.
type Content struct {
	Piece
	Size int64
	r    io.Reader
	m    *Letter // nil: it lies here
}

// Read gives the octets of the piece; io.EOF at its end.
func (p *Content) Read(b []byte) (n int, err error) {
	if p.m == nil {
		return p.r.Read(b)
	}
	if p.m.open == nil || p.m.open.Left() == 0 {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	err = p.m.within(func() error {
		n, err = p.m.open.Read(b)
		return err
	})
	if err != nil {
		err = p.m.c.lost(err)
	}
	return n, err
}

// Next is the next piece of the message that was asked for; io.EOF when there
// is none left, and then all else is known. What has not been read of the piece
// before is dropped.
func (m *Letter) Next() (*Content, error) {
	for m.at >= len(m.Pieces) {
		if !m.more {
			return nil, io.EOF
		}
		m.open = nil
		line, err := m.line() // drops what is left
		if err != nil {
			return nil, err
		}
		if err := m.feed(line); err != nil {
			return nil, err
		}
	}
	p := m.Pieces[m.at]
	m.at++
	if m.more && m.at == len(m.Pieces) {
		return &Content{Piece: p, Size: p.Literal, m: m}, nil
	}
	return &Content{Piece: p, Size: int64(len(p.Data)), r: bytes.NewReader(p.Data)}, nil
}

// Read reads the rest into memory, as Data of the Pieces. ErrTooLong: it is
// longer than Options.Response.
func (m *Letter) Read() error {
	left := int64(m.c.limit())
	for {
		p, err := m.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if left -= p.Size; left < 0 {
			m.c.broken = true
			return ErrTooLong
		}
		if p.m == nil {
			continue
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		m.Pieces[m.at-1].Data = data
	}
}

// drop reads to the end and keeps nothing.
func (m *Letter) drop() error {
	if m.c.message == m {
		m.c.message = nil
	}
	for {
		_, err := m.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Fetch asks for messages and gives each as its answer comes, without holding
// its pieces in memory. A Letter is to be read within the loop's turn; what is
// not is dropped. The server also tells of flags that others change while it
// answers. The last turn may be an error alone; a Status leaves the session
// usable. Within the loop no other command can be waited for.
//
// Whoever leaves the loop early has the next command wait until the server has
// sent the rest, or closes the Client.
func (c *Client) Fetch(ctx context.Context, f Fetch) iter.Seq2[*Letter, error] {
	return func(yield func(*Letter, error) bool) {
		if c.fetching {
			yield(nil, ErrBusy)
			return
		}
		x := c.fetch(f)
		x.stream = true
		for !x.done {
			m, err := c.step(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if m == nil {
				continue
			}
			c.fetching = true
			more := yield(m, nil)
			c.fetching = false
			if !more {
				x.stream, x.fetch = false, func(*Letter) error { return nil }
				return
			}
		}
		if x.err != nil {
			yield(nil, x.err)
		}
	}
}

// FetchAll is Fetch for little: all is read into memory, each message up to
// Options.Response.
func (c *Client) FetchAll(f Fetch) *Call[[]*Fetched] {
	x := c.fetch(f)
	all := new([]*Fetched)
	x.fetch = c.collectTo(all)
	return &Call[[]*Fetched]{c, x, all}
}

// collectTo reads messages into memory. What is told of one again, as a server
// does when a FETCH has made it \Seen, is added to it.
func (c *Client) collectTo(all *[]*Fetched) func(m *Letter) error {
	known, shifts := map[uint32]*Fetched{}, c.shifts
	return func(m *Letter) error {
		if err := m.Read(); err != nil {
			return err
		}
		if shifts != c.shifts { // nobody knows whose numbers those were
			known = map[uint32]*Fetched{}
			shifts = c.shifts
		}
		old := known[m.Seq]
		switch {
		case old == nil:
		case m.onlyFlags():
			if m.Has(ItemFlags) {
				old.Flags = m.Flags
			}
			if m.Has(ItemModSeq) {
				old.ModSeq = m.ModSeq
			}
			return nil
		case old.onlyFlags(): // told unasked, before the answer
			*old = *m.Fetched
			return nil
		}
		known[m.Seq] = m.Fetched
		*all = append(*all, m.Fetched)
		return nil
	}
}

// onlyFlags tells what servers say of a message whose flags have changed.
func (f *Fetched) onlyFlags() bool { return !slices.ContainsFunc(f.Items, isMore) }

// isMore tells what they do not say then.
func isMore(item string) bool { return item != ItemFlags && item != ItemUID && item != ItemModSeq }

func (c *Client) fetch(f Fetch) *command {
	x := c.begin(uid("FETCH", f.Where.UID), f.Append(nil))
	x.seq = !f.Where.UID
	return x
}

// uid is the name of a command about UIDs.
func uid(name string, is bool) string {
	if is {
		return "UID " + name
	}
	return name
}
