package wire

import (
	"io"
	"sync"
)

// A Source is what stands below a Reader and a Writer. The Reader calls it
// only when the bytes that it holds do not suffice, the Writer only when its
// storage is full or flushed.
type Source interface {
	// Fill adds input to the Reader, through Room and Added, waiting if it
	// may; before it waits it flushes the Writer, so that output leaves
	// before anybody waits. It returns io.EOF at the end of the stream and
	// ErrWait where waiting is not allowed.
	Fill() error
	// Lend gives storage for output, of length 0.
	Lend() []byte
	// Unlend takes back what Lend gave.
	Unlend(b []byte)
	// Send takes all of b, or fails. It keeps no reference to b.
	Send(b []byte) error
}

// Storage comes in these sizes, from pools that all conversations share.
const (
	small  = 512
	medium = 4096
	Large  = 65536 // the largest size that is pooled
)

var (
	smalls  = sync.Pool{New: func() any { return new([small]byte) }}
	mediums = sync.Pool{New: func() any { return new([medium]byte) }}
	larges  = sync.Pool{New: func() any { return new([Large]byte) }}
)

// Get gives storage of at least n bytes, from a pool where there is one of
// that size. May be called concurrently.
func Get(n int) []byte {
	switch {
	case n <= small:
		return smalls.Get().(*[small]byte)[:]
	case n <= medium:
		return mediums.Get().(*[medium]byte)[:]
	case n <= Large:
		return larges.Get().(*[Large]byte)[:]
	}
	return make([]byte, n)
}

// Put gives back what Get gave; storage of any other size is left to the
// garbage collector. Nobody may hold b afterwards.
func Put(b []byte) {
	switch cap(b) {
	case small:
		smalls.Put((*[small]byte)(b[:small]))
	case medium:
		mediums.Put((*[medium]byte)(b[:medium]))
	case Large:
		larges.Put((*[Large]byte)(b[:Large]))
	}
}

// Over makes a Source of r alone, for a Reader that stands over a file or a
// test's string: what a Writer over it sends is dropped.
func Over(r io.Reader, to *Reader) Source { return &overReader{r, to} }

type overReader struct {
	r  io.Reader
	to *Reader
}

func (o *overReader) Fill() error {
	if len(o.to.Room()) == 0 {
		o.to.Grow()
	}
	n, err := o.r.Read(o.to.Room())
	o.to.Added(n)
	if n > 0 {
		return nil
	}
	return err
}

func (o *overReader) Lend() []byte      { return Get(medium)[:0] }
func (o *overReader) Unlend(b []byte)   { Put(b) }
func (o *overReader) Send([]byte) error { return nil }
