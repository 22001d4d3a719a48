package imap

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"strings"
	"sync"
)

// compress begins COMPRESS=DEFLATE (RFC 4978 section 3).
func (s *session) compress(_ context.Context, c Command) (Status, error) {
	switch {
	case !strings.EqualFold(string(c.Args), "DEFLATE"):
		return Status{Kind: BAD, Text: "DEFLATE only"}, nil
	case s.deflated != nil:
		return Status{NO, Code{Name: "COMPRESSIONACTIVE"}, "DEFLATE is active already"}, nil
	}
	return Status{Text: "DEFLATE active"}, nil
}

// deflate puts the compression between the talk and its connection.
func (s *session) deflate(ctx context.Context) error {
	return s.talk.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		s.deflated = newDeflated(below)
		return s.deflated, nil
	})
}

// deflated is a connection under raw deflate in both directions (RFC 1951), at
// either end. Writing keeps no state: each piece is compressed for itself, by
// what all connections share. Reading keeps the peer's window, in a coroutine
// that can wait in the middle of a symbol, where compress/flate could not go on
// after an error.
type deflated struct {
	net.Conn
	resume func() (error, bool)
	cancel func()
	in     []byte // has come, and was not inflated
	inBuf  [2048]byte
	out    []byte // was inflated, and not asked for
	outBuf [4096]byte
	err    error
}

func newDeflated(below net.Conn) *deflated {
	d := &deflated{Conn: below}
	d.resume, d.cancel = iter.Pull(d.inflate)
	return d
}

// stop ends the coroutine. Nothing is read afterwards.
func (d *deflated) stop() { d.cancel() }

// errStopped is a read after stop.
var errStopped = errors.New("imap: compressed connection stopped")

// inflate is the coroutine: each yield ends a Read.
func (d *deflated) inflate(yield func(error) bool) {
	r := flate.NewReader(&deflatedBytes{d, yield})
	for d.err == nil {
		var n int
		n, d.err = r.Read(d.outBuf[:])
		if errors.Is(d.err, io.ErrUnexpectedEOF) { // nobody ends a deflate stream; connections end
			d.err = io.EOF
		}
		d.out = d.outBuf[:n]
		if !yield(nil) {
			return
		}
	}
}

// Read gives what was inflated. A temporary error of the connection below
// passes, and the next Read goes on.
func (d *deflated) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if err, ok := d.resume(); err != nil {
			return 0, err
		} else if !ok {
			return 0, errStopped
		}
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// deflatedBytes is what the inflater reads: byte by byte, so that it never
// reads ahead.
type deflatedBytes struct {
	d     *deflated
	yield func(error) bool
}

func (b *deflatedBytes) fill() error {
	d := b.d
	for len(d.in) == 0 {
		n, err := d.Conn.Read(d.inBuf[:])
		d.in = d.inBuf[:n]
		if n > 0 {
			return nil
		}
		var passing net.Error
		if !errors.As(err, &passing) || !passing.Timeout() {
			return err
		}
		if !b.yield(err) {
			return errStopped
		}
	}
	return nil
}

func (b *deflatedBytes) ReadByte() (byte, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	c := b.d.in[0]
	b.d.in = b.d.in[1:]
	return c, nil
}

func (b *deflatedBytes) Read(p []byte) (int, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	n := copy(p, b.d.in)
	b.d.in = b.d.in[n:]
	return n, nil
}

// A deflater is a compressor and what it wrote. At rest all connections share
// them; each takes some hundred kilobytes.
type deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.w, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails for a wrong level only
	return d
}}

// Write compresses p and sends it.
func (d *deflated) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	z := deflaters.Get().(*deflater)
	defer deflaters.Put(z)
	z.out.Reset()
	z.w.Reset(&z.out)
	if _, err := z.w.Write(p); err != nil {
		return 0, err
	}
	if err := z.w.Flush(); err != nil {
		return 0, err
	}
	if _, err := d.Conn.Write(z.out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

var _ net.Conn = (*deflated)(nil)
