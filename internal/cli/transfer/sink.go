package transfer

import (
	"io"
	"os"
)

// stream is a sink that cannot take back what it has: standard output, a pipe,
// a device.
type stream struct {
	w    io.Writer
	got  int64
	v    Version
	head bool // of the answer stands before it
	open func() (io.Writer, error)
}

func (s *stream) have() request {
	if s.head {
		return request{from: s.got} // with an unknown version nothing goes on
	}
	return request{from: s.got, version: s.v}
}

func (s *stream) start(src *source) (io.Writer, error) {
	if s.got != src.from {
		return nil, errAnew
	}
	if s.w == nil {
		w, err := s.open()
		if err != nil {
			return nil, failure(CodeWrite, err)
		}
		s.w = w
	}
	s.v = src.version
	if len(src.head) > 0 {
		s.head = true
		if _, err := s.w.Write(src.head); err != nil {
			return nil, failure(CodeWrite, err)
		}
	}
	return s, nil
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.got += int64(n)
	return n, err
}

func (*stream) keep() error { return nil }
func (*stream) done() error { return nil }

// appended is a sink behind what the user says is the beginning of the file
// (-C): it goes on there whoever wrote it.
type appended struct {
	f    *os.File
	from int64
	v    Version
}

// newAppended opens a file to go on with. at is where, or -1 for its end.
func newAppended(name string, at int64) (*appended, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, failure(CodeWrite, err)
	}
	info, err := f.Stat()
	if err == nil && at < 0 {
		at = info.Size()
	}
	if err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, failure(CodeWrite, err)
	}
	return &appended{f: f, from: at}, nil
}

func (a *appended) have() request { return request{from: a.from, version: a.v, trusted: true} }

func (a *appended) start(s *source) (io.Writer, error) {
	if s.from != a.from || a.v.Known() && !s.version.Same(a.v) {
		return nil, errAnew
	}
	a.v = s.version
	return a, nil
}

func (a *appended) Write(p []byte) (int, error) {
	n, err := a.f.Write(p)
	a.from += int64(n)
	return n, err
}

func (a *appended) keep() error { return nil }

func (a *appended) done() error {
	if err := a.f.Truncate(a.from); err != nil { // where -C N was before its end
		return failure(CodeWrite, err)
	}
	return a.close()
}

func (a *appended) close() error {
	if err := a.f.Close(); err != nil {
		return failure(CodeWrite, err)
	}
	return nil
}
