package socket

import (
	"context"
	"errors"
	"io"
	"os"
)

// SendFile sends count bytes of a file from an offset, Python's sendfile; count
// <= 0 means to its end. It returns how many bytes went. The kernel copies them
// by itself (sendfile(2)) where it can; a pipe or the like is read and sent, and
// has no offset. Afterwards the file's position is behind the last byte sent.
// The socket must be a connected stream.
func (s *Sock) SendFile(ctx context.Context, f *os.File, offset, count int64) (int64, error) {
	if s.typ != SOCK_STREAM {
		return 0, s.fail("sendfile", nil, errors.New("only streams can send files"))
	}
	info, err := f.Stat()
	if err != nil {
		return 0, s.fail("sendfile", nil, err)
	}
	if !info.Mode().IsRegular() {
		return s.copyFrom(ctx, f, count)
	}
	n, err := s.sendFile(ctx, f, offset, count)
	if errors.Is(err, errors.ErrUnsupported) && n == 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return 0, s.fail("sendfile", nil, err)
		}
		return s.copyFrom(ctx, f, count)
	}
	if _, seek := f.Seek(offset+n, io.SeekStart); seek != nil {
		err = errors.Join(err, seek)
	}
	return n, s.fail("sendfile", nil, err)
}

// copyFrom reads and sends.
func (s *Sock) copyFrom(ctx context.Context, r io.Reader, count int64) (int64, error) {
	if count > 0 {
		r = io.LimitReader(r, count)
	}
	var sent int64
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		m, failed := s.SendAll(ctx, buf[:n])
		sent += int64(m)
		switch {
		case failed != nil:
			return sent, failed
		case err == io.EOF:
			return sent, nil
		case err != nil:
			return sent, s.fail("sendfile", nil, err)
		}
	}
}
