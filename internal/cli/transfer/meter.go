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
	Unsized  atomic.Int64 // files whose size nobody has told yet, so that Expected is not all
}

// share is what one file has told the meter, to be corrected as more is known.
type share struct {
	m               *Meter
	expected, bytes int64
	here            int64
	unsized         bool
}

// announce makes the share of a file that is to be moved; size is -1 where it
// is not known.
func (m *Meter) announce(size int64) *share {
	m.Files.Add(1)
	s := &share{m: m, unsized: size < 0}
	if s.unsized {
		m.Unsized.Add(1)
	} else {
		m.Expected.Add(size)
		s.expected = size
	}
	return s
}

// begin says how large the file is, and how much of it is here already.
func (s *share) begin(size, here int64) {
	if size >= 0 {
		s.sized()
	}
	s.m.Expected.Add(max(size, here) - s.expected)
	s.m.Bytes.Add(here - s.bytes)
	s.m.Here.Add(here - s.here)
	s.expected, s.bytes, s.here = max(size, here), here, here
}

func (s *share) sized() {
	if s.unsized {
		s.unsized = false
		s.m.Unsized.Add(-1)
	}
}

// add counts bytes that have moved.
func (s *share) add(n int64) {
	s.bytes += n
	s.m.Bytes.Add(n)
	if s.bytes > s.expected { // of a size that nobody told
		s.m.Expected.Add(s.bytes - s.expected)
		s.expected = s.bytes
	}
}

// end says that nothing more of the file comes, well or not.
func (s *share) end() {
	s.sized()
	s.m.Done.Add(1)
	s.m.Expected.Add(s.bytes - s.expected)
	s.expected = s.bytes
}
