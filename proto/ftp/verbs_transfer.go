package ftp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strconv"
	"syscall"

	"github.com/farend-go/farend/wire"
)

// piece is how much moves between two looks at the clock; sendfile(2) and
// splice(2) are called for that much.
const piece = 1 << 20

// retr sends a file (RFC 959 section 4.1.3).
func (s *session) retr(ctx context.Context, arg string) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	if done, err := s.sendReady(ctx, name, arg); done {
		return err
	}
	if s.prompt {
		return wire.ErrWait
	}
	f, info := s.open(name)
	if f == nil {
		return nil
	}
	offset, ascii := s.offset, s.ascii
	text := "Opening data connection"
	if !ascii {
		if err := skip(f, offset, info.Size()); err != nil {
			f.Close()
			s.refuse(err)
			return nil
		}
		text = opening(info.Size() - offset)
	}
	return s.transfer(ctx, 150, text, "RETR "+arg, func() { f.Close() }, func(_ context.Context, j *job, c *dataConn) error {
		defer f.Close()
		if ascii {
			return sendASCII(j, c, f, offset)
		}
		return send(j, c, f)
	})
}

func opening(size int64) string { return fmt.Sprintf("Opening data connection (%d bytes)", size) }

// open opens the regular file of that name; nil, and a reply, where it is none.
func (s *session) open(name string) (fs.File, fs.FileInfo) {
	f, err := s.files.Open(rooted(name))
	if err != nil {
		s.refuse(err)
		return nil, nil
	}
	info, err := f.Stat()
	if err == nil {
		err = regularFile(info)
	}
	if err != nil {
		f.Close()
		s.refuse(err)
		return nil, nil
	}
	return f, info
}

// small is a file that is sent within its Turn, if it lies in memory and its
// connection stands.
const small = 32 << 10

// sendReady sends a small file within the Turn; false: that cannot be, and
// nothing has been done. What the peer does not take at once is left to a job.
func (s *session) sendReady(ctx context.Context, name, arg string) (bool, error) {
	files, ok := s.files.(Ready)
	e, passive := s.data.(*expectation)
	if !ok || !passive || s.ascii || s.offset > 0 || s.private || s.h.RequireTLS || s.h.Layer != nil {
		return false, nil
	}
	buf := wire.Get(small)
	defer wire.Put(buf)
	n, err := files.ReadReady(rooted(name), buf[:small])
	if err != nil {
		return false, nil //nolint:nilerr // the long way tells
	}
	c, ok := e.take()
	if !ok {
		return false, nil
	}
	sent, err := c.send(buf[:n])
	if err == nil && sent < n {
		rest := bytes.NewReader(bytes.Clone(buf[sent:n]))
		s.data = stands{c}
		return true, s.transfer(ctx, 150, opening(int64(n)), "RETR "+arg, func() {}, func(_ context.Context, j *job, c *dataConn) error {
			j.moved.Add(int64(sent))
			return send(j, c, rest)
		})
	}
	s.data = nil
	s.reply(150, opening(int64(n)))
	if closeErr := c.Close(); err == nil {
		err = closeErr
	}
	s.transferred(&job{}, err)
	return true, nil
}

// skip goes to where a transfer is to begin.
func skip(f fs.File, offset, size int64) error {
	if offset == 0 {
		return nil
	}
	if offset > size {
		return errOffset
	}
	if seeker, ok := f.(io.Seeker); ok {
		_, err := seeker.Seek(offset, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, f, offset)
	return err
}

// send copies a file to the network: from one descriptor to the other where
// both are the system's.
func send(j *job, c *dataConn, f io.Reader) error {
	for {
		var n int64
		var err error
		if rf, ok := c.Conn.(io.ReaderFrom); ok {
			n, err = rf.ReadFrom(&io.LimitedReader{R: f, N: piece})
		} else {
			n, err = copyPiece(c.Conn, f)
		}
		j.moved.Add(n)
		if err != nil || n < piece {
			return err
		}
		c.progress()
	}
}

// copyPiece copies a piece through storage of the common pool.
func copyPiece(w io.Writer, r io.Reader) (int64, error) {
	buf := wire.Get(wire.Large)
	defer wire.Put(buf)
	var moved int64
	for moved < piece {
		n, err := r.Read(buf)
		if n > 0 {
			k, err := w.Write(buf[:n])
			moved += int64(k)
			if err != nil {
				return moved, err
			}
		}
		if err == io.EOF {
			return moved, nil
		}
		if err != nil {
			return moved, &fileError{err}
		}
	}
	return moved, nil
}

// sendASCII sends line ends as CRLF; the first offset bytes of what would be
// sent are left out (RFC 3659 section 5).
func sendASCII(j *job, c *dataConn, f io.Reader, offset int64) error {
	out := bufio.NewWriterSize(c, 32<<10)
	in := &toNetwork{r: bufio.NewReaderSize(f, 32<<10)}
	if _, err := io.CopyN(io.Discard, in, offset); err != nil {
		return &fileError{errOffset}
	}
	for {
		n, err := io.CopyN(out, in, piece)
		j.moved.Add(n)
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		c.progress()
	}
}

// receive makes a file of what comes.
func (s *session) receive(ctx context.Context, name, text, about string, o CreateOptions) error {
	if o.Offset > 0 && s.ascii {
		s.reply(504, "REST goes with TYPE I")
		return nil
	}
	o.Size, s.announced = s.announced, 0
	up, err := s.files.(Creator).Create(ctx, rooted(name), o)
	if err != nil {
		s.refuse(err)
		return nil
	}
	ascii := s.ascii
	undo := func() { _ = up.Abort() } // what led here is told
	return s.transfer(ctx, 150, text, about, undo, func(ctx context.Context, j *job, c *dataConn) error {
		if err := take(j, c, up, ascii); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := up.Commit(); err != nil {
			return &fileError{err}
		}
		return nil
	})
}

// take copies from the network to a file, to the end of the stream.
func take(j *job, c *dataConn, up Upload, ascii bool) error {
	if ascii {
		return takeASCII(j, c, up)
	}
	for {
		n, err := takePiece(c, up)
		j.moved.Add(n)
		if err != nil || n < piece {
			return err
		}
		c.progress()
	}
}

func takePiece(c *dataConn, up Upload) (int64, error) {
	tcp, isTCP := c.Conn.(*net.TCPConn)
	rf, ok := up.(io.ReaderFrom)
	if !isTCP || !ok {
		return copyUp(up, c.Conn)
	}
	n, err := rf.ReadFrom(&io.LimitedReader{R: tcp, N: piece})
	if err != nil && !isNetwork(err) {
		err = &fileError{err}
	}
	return n, err
}

// isNetwork tells a connection's errors from those of a file: splice(2) reports
// both as the file's.
func isNetwork(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	for _, e := range []error{net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// copyUp copies a piece through storage of the common pool.
func copyUp(up Upload, r io.Reader) (int64, error) {
	buf := wire.Get(wire.Large)
	defer wire.Put(buf)
	var moved int64
	for moved < piece {
		n, err := r.Read(buf[:min(int64(len(buf)), piece-moved)])
		if n > 0 {
			moved += int64(n)
			if _, err := up.Write(buf[:n]); err != nil {
				return moved, &fileError{err}
			}
		}
		if err == io.EOF {
			return moved, nil
		}
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// takeASCII writes CRLF as the LF of the files here.
func takeASCII(j *job, c *dataConn, up Upload) error {
	in := &fromNetwork{r: bufio.NewReaderSize(c, 32<<10)}
	for {
		n, err := copyUp(up, in)
		j.moved.Add(n)
		if err != nil || n < piece {
			return err
		}
		c.progress()
	}
}

// toNetwork reads LF as CRLF, and CRLF as it is.
type toNetwork struct {
	r    *bufio.Reader
	last byte
	lf   bool // the LF behind a CR is still to come
}

func (t *toNetwork) Read(p []byte) (int, error) {
	for n := range p {
		if t.lf {
			p[n], t.last, t.lf = '\n', '\n', false
			continue
		}
		c, err := t.r.ReadByte()
		if err != nil {
			if err != io.EOF {
				err = &fileError{err}
			}
			return n, err
		}
		if c == '\n' && t.last != '\r' {
			c, t.lf = '\r', true
		}
		p[n], t.last = c, c
	}
	return len(p), nil
}

// asciiReader is r with LF as CRLF.
func asciiReader(r io.Reader) io.Reader { return &toNetwork{r: bufio.NewReader(r)} }

// fromNetwork reads CRLF as LF.
type fromNetwork struct{ r *bufio.Reader }

func (f *fromNetwork) Read(p []byte) (int, error) {
	for n := range p {
		c, err := f.r.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '\r' {
			if next, err := f.r.Peek(1); err == nil && next[0] == '\n' {
				c, _ = f.r.ReadByte() // it lies there
			}
		}
		p[n] = c
	}
	return len(p), nil
}

func (s *session) stor(ctx context.Context, arg string) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	return s.receive(ctx, name, "Ready for data", "STOR "+arg, CreateOptions{Offset: s.offset})
}

func (s *session) appe(ctx context.Context, arg string) error {
	name, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	return s.receive(ctx, name, "Ready for data", "APPE "+arg, CreateOptions{Append: true})
}

// maxUnique is how many names STOU tries.
const maxUnique = 1000

// stou finds a name that nothing has, and tells it as RFC 1123 section 4.1.2.9
// asks.
func (s *session) stou(ctx context.Context, arg string) error {
	if arg == "" {
		arg = "ftp"
	}
	base, ok := s.absolute(arg)
	if !ok {
		return nil
	}
	name := base
	for i := 1; i <= maxUnique; i++ {
		if _, err := s.files.Stat(rooted(name)); errors.Is(err, fs.ErrNotExist) {
			wire := s.encode(path.Base(name))
			return s.receive(ctx, name, "FILE: "+wire, "STOU "+wire, CreateOptions{IfAbsent: true})
		}
		name = base + "." + strconv.Itoa(i)
	}
	s.refuse(fs.ErrExist)
	return nil
}
