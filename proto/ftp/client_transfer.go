package ftp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
)

// RetrieveOptions say what part of a file is wanted. The zero value is all.
type RetrieveOptions struct {
	Offset int64 // begin there (REST)
	// Size is how large the whole file is, as Size or a listing told. If it is
	// above 0 and the transfer brings another number of bytes, the Body ends
	// with io.ErrUnexpectedEOF.
	Size  int64
	ASCII bool // TYPE A: lines end with CRLF
}

// A Body is a file on its way. It belongs to the Client, which can do nothing
// else until Read has returned io.EOF or Close was called.
type Body struct {
	s      *stream
	got    int64
	want   int64 // -1: unknown
	err    error
	closed bool
}

// Retrieve begins to receive a file (RETR). ctx bounds the whole transfer, also
// the reads of the Body. The caller closes the Body.
func (c *Client) Retrieve(ctx context.Context, name string, o RetrieveOptions) (*Body, error) {
	wire, err := c.o.Names.encode(name)
	if err != nil {
		return nil, err
	}
	kind := "I"
	if o.ASCII {
		kind = "A"
	}
	s, err := c.transfer(ctx, kind, "RETR", wire, o.Offset)
	if err != nil {
		return nil, err
	}
	b := &Body{s: s, want: -1}
	if o.Size > 0 && !o.ASCII {
		b.want = max(o.Size-o.Offset, 0)
	}
	return b, nil
}

// Read reads. io.EOF comes only when the server has said that the transfer is
// complete: its refusal (a Reply) comes in the place of io.EOF, so that a
// transfer that failed is never taken for a short file.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.s.nc.Read(p)
	b.got += int64(n)
	if err != nil {
		b.end(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// WriteTo copies the rest to w, from one descriptor to the other where both are
// the system's (splice). Its error is nil only where Read's would be io.EOF.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	if b.err == io.EOF {
		return 0, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	failed := &noting{w: w}
	var n int64
	var err error
	if rf, ok := w.(io.ReaderFrom); ok {
		n, err = rf.ReadFrom(b.s.nc)
	} else {
		n, err = io.Copy(failed, b.s.nc)
	}
	b.got += n
	if failed.err != nil || err != nil && !isNetwork(err) {
		return n, err // of w: the rest is still to come
	}
	if err == nil {
		err = io.EOF
	}
	b.end(err)
	if b.err == io.EOF {
		return n, nil
	}
	return n, b.err
}

// noting remembers that it was the writer that failed.
type noting struct {
	w   io.Writer
	err error
}

func (n *noting) Write(p []byte) (int, error) {
	k, err := n.w.Write(p)
	n.err = err
	return k, err
}

// end makes of the end of the data the end of the transfer.
func (b *Body) end(err error) {
	final := b.s.final()
	_, refused := errors.AsType[Reply](final)
	switch {
	case final != nil && (refused || err == io.EOF):
		b.err = final
	case err != io.EOF:
		b.err = errors.Join(err, final)
	case b.want >= 0 && b.got != b.want:
		b.err = io.ErrUnexpectedEOF
	default:
		b.err = io.EOF
	}
}

// Close ends the transfer. Before its end it hangs up on the data connection
// and hears what the server says to that; then the session goes on. A server
// that says nothing for 5 seconds (pure-ftpd under TLS) ends the session. The
// error is nil, or why the session cannot go on.
func (b *Body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	if b.err != nil {
		return nil // Read has told
	}
	b.err = net.ErrClosed
	b.s.early = true
	b.s.below.Close()
	return notReply(b.s.final())
}

// StoreOptions say how a file is sent. The zero value replaces it.
type StoreOptions struct {
	Offset int64 // the server keeps that many bytes and goes on there (REST)
	Append bool  // behind what is there (APPE)
	ASCII  bool  // TYPE A: LF becomes CRLF on its way
}

// Store sends a file (STOR) and returns how many bytes of r went out. Where r
// is an *os.File and the connection is in clear they go by sendfile(2). An
// error of r breaks the data connection, so that the server keeps nothing of
// it. The server's refusal, a Reply, may come after some or all of the bytes.
func (c *Client) Store(ctx context.Context, name string, r io.Reader, o StoreOptions) (int64, error) {
	verb := "STOR"
	if o.Append {
		verb = "APPE"
	}
	n, _, err := c.store(ctx, verb, name, r, o)
	return n, err
}

// StoreUnique sends a file under a name that the server chooses near to name,
// and returns that (STOU).
func (c *Client) StoreUnique(ctx context.Context, name string, r io.Reader) (string, error) {
	_, first, err := c.store(ctx, "STOU", name, r, StoreOptions{})
	if err != nil {
		return "", err
	}
	_, chosen, ok := strings.Cut(first.Text(), "FILE: ") // RFC 1123 section 4.1.2.9
	if !ok {
		return "", nil // it was stored; the server does not tell
	}
	return c.o.Names.decode(strings.TrimSpace(chosen))
}

func (c *Client) store(ctx context.Context, verb, name string, r io.Reader, o StoreOptions) (int64, Reply, error) {
	wire, err := c.o.Names.encode(name)
	if err != nil {
		return 0, Reply{}, err
	}
	kind := "I"
	if o.ASCII {
		kind = "A"
	}
	s, err := c.transfer(ctx, kind, verb, wire, o.Offset)
	if err != nil {
		return 0, Reply{}, err
	}
	if o.ASCII {
		r = asciiReader(r)
	}
	in := &noticing{r: r}
	from := io.Reader(in)
	if f, ok := r.(*os.File); ok { // as it is, for sendfile(2)
		from = f
	}
	n, err := io.Copy(s.nc, from)
	_, ofFile := errors.AsType[*fs.PathError](err)
	if in.err != nil || ofFile {
		s.reset()
		return n, s.first, errors.Join(cmp.Or(in.err, err), notReply(s.final()))
	}
	s.halve()
	final := s.final()
	if final == nil && err != nil {
		final = err // it says that all is well, and we know better
	}
	return n, s.first, final
}

// noticing remembers that it was the reader that failed.
type noticing struct {
	r   io.Reader
	err error
}

func (n *noticing) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	if err != io.EOF {
		n.err = err
	}
	return k, err
}

// reset ends the data connection so that it cannot be taken for the end of a
// file.
func (s *stream) reset() {
	below := s.below
	for {
		if tcp, ok := below.(interface{ SetLinger(sec int) error }); ok {
			_ = tcp.SetLinger(0) // fails only where the connection has ended
			break
		}
		in, ok := below.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		below = in.NetConn()
	}
	s.below.Close()
}
