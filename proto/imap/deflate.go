package imap

import (
	"bytes"
	"compress/flate"
	"context"
	"net"
	"strings"
	"sync"

	"github.com/farend-go/farend/proto/imap/internal/inflate"
)

// compress begins COMPRESS=DEFLATE (RFC 4978 section 3).
func (s *session) compress(_ context.Context, c Command) (Status, error) {
	switch {
	case !strings.EqualFold(string(c.Args), "DEFLATE"):
		return Status{Kind: BAD, Text: "DEFLATE only"}, nil
	case s.deflated:
		return Status{NO, Code{Name: "COMPRESSIONACTIVE"}, "DEFLATE is active already"}, nil
	}
	return Status{Text: "DEFLATE active"}, nil
}

// deflate puts the compression between the talk and its connection.
func (s *session) deflate(ctx context.Context) error {
	return s.talk.Upgrade(ctx, func(below net.Conn) (net.Conn, error) {
		s.deflated = true
		return newDeflated(below), nil
	})
}

// deflated is a connection under raw deflate in both directions (RFC 1951), at
// either end. Writing keeps no state: each piece is compressed for itself, by
// what all connections share. Reading keeps what the peer may point back to.
type deflated struct {
	net.Conn
	r *inflate.Reader
}

func newDeflated(below net.Conn) *deflated { return &deflated{below, inflate.New(below)} }

// Read gives what has come. A temporary error of the connection below passes,
// and the next Read goes on.
func (d *deflated) Read(p []byte) (int, error) { return d.r.Read(p) }

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
