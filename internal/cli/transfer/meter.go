package transfer

import "sync/atomic"

// A Meter counts what a Client does, for whoever wants to look on. Its fields
// may be read at any time.
type Meter struct {
	Files    atomic.Int64 // that are to be moved, as far as is known
	Done     atomic.Int64 // of these, finished
	Active   atomic.Int64 // of these, on their way
	Expected atomic.Int64 // bytes of files whose size is known
	Bytes    atomic.Int64 // that have come or gone, with those that were here already
	Here     atomic.Int64 // of these, bytes that were here already
}

// share is what one transfer has told the meter, to be taken back where it
// begins anew.
type share struct {
	m               *Meter
	expected, bytes int64
	here            int64
}

// begin says how large a file is, and how much of it is here already.
func (s *share) begin(size, here int64) {
	s.m.Expected.Add(max(size, here) - s.expected)
	s.m.Bytes.Add(here - s.bytes)
	s.m.Here.Add(here - s.here)
	s.expected, s.bytes, s.here = max(size, here), here, here
}

func (s *share) add(n int64) {
	s.bytes += n
	s.m.Bytes.Add(n)
	if s.bytes > s.expected { // of a size that nobody told
		s.m.Expected.Add(s.bytes - s.expected)
		s.expected = s.bytes
	}
}
