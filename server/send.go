package server

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/farend-go/farend/wire"
)

// sendPiece is how much of a file is sent before the Turn's clock begins anew.
const sendPiece = 1 << 20

// errCopy says that the kernel cannot send this, so that it must be copied.
var errCopy = errors.New("server: not sent by the kernel")

// SendFrom sends all of r behind what was written, in the same packet where it
// can, and tells how many bytes of r left. A *os.File, an *io.SectionReader of
// one, or an *io.LimitedReader of either, is sent by the kernel where nothing
// stands between (TLS, a Tap, a Layer). Limits.Turn is for each piece of it that
// the peer takes, not for all. For Turns whose mode is Blocks.
func (t *Talk) SendFrom(r io.Reader) (int64, error) {
	var total int64
	if f, part, left := fileOf(r); f != nil && !t.Upgraded() && !t.Tapped() {
		for left == nil || left.N > 0 {
			piece := int64(sendPiece)
			if left != nil {
				piece = min(piece, left.N)
			}
			n, err := t.sendFile(f, part, piece)
			total += n
			if left != nil {
				left.N -= n
			}
			if errors.Is(err, errCopy) {
				break // from here on by copying
			}
			if err != nil || n == 0 {
				return total, err
			}
			t.owner.progress()
		}
	}
	n, err := t.copyFrom(r)
	return total + n, err
}

// fileOf finds the file in r, and what bounds it.
func fileOf(r io.Reader) (*os.File, *io.SectionReader, *io.LimitedReader) {
	l, _ := r.(*io.LimitedReader)
	if l != nil {
		r = l.R
	}
	if part, ok := r.(*io.SectionReader); ok {
		at, _, _ := part.Outer()
		f, _ := at.(*os.File)
		return f, part, l
	}
	f, _ := r.(*os.File)
	return f, nil, l
}

// sendFile sends up to n bytes from where the file stands, or its part does.
func (t *Talk) sendFile(f *os.File, part *io.SectionReader, n int64) (int64, error) {
	if part == nil {
		return t.owner.sendFile(f, nil, n)
	}
	at, err := part.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	_, start, size := part.Outer()
	if n = min(n, size-at); n <= 0 {
		return 0, nil
	}
	offset := start + at
	sent, err := t.owner.sendFile(f, &offset, n)
	if _, err := part.Seek(sent, io.SeekCurrent); err != nil {
		return sent, err
	}
	return sent, err
}

func (t *Talk) copyFrom(r io.Reader) (total int64, err error) {
	buf := wire.Get(wire.Large)
	defer wire.Put(buf)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := t.W.Write(buf[:n]); werr != nil {
				return total, werr
			}
			total += int64(n)
			t.owner.progress()
		}
		if err == io.EOF {
			return total, t.W.Flush()
		}
		if err != nil {
			return total, err
		}
	}
}

// Cut ends the connection at once, with a reset where there is such a thing:
// for an answer that cannot be finished, where its end would pass for a good
// one.
func (t *Talk) Cut() { t.owner.reset() }

// progress says that the Turn gets on.
func (t *goTalk) progress() { t.since.Store(t.house.clock.Load()) }

// sendFile lets the kernel send, where the connection is a socket.
func (t *goTalk) sendFile(f *os.File, offset *int64, n int64) (int64, error) {
	c, counts := t.port.Conn.(*counted)
	tcp, ok := t.nc.(*net.TCPConn)
	if !ok || !counts {
		return 0, errCopy
	}
	c.more = true
	err := t.W.Flush()
	c.more = false
	if err != nil {
		return 0, err
	}
	n, err = sendFile(tcp, f, offset, n)
	if n == 0 && err == nil {
		err = tcp.SetNoDelay(true) // what waits for more leaves (tcp(7))
	}
	t.house.count.out.Add(uint64(n))
	return n, err
}

func (t *goTalk) reset() {
	if tcp, ok := t.nc.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // closed already is as good
	}
	t.nc.Close()
}
