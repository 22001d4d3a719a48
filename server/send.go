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
// can, and tells how many bytes of r left. A *os.File, or an *io.LimitedReader
// of one, is sent by the kernel where nothing stands between (TLS, a Tap, a
// Layer). Limits.Turn is for each piece of it that the peer takes, not for all.
// For Turns whose mode is Blocks.
func (t *Talk) SendFrom(r io.Reader) (int64, error) {
	var total int64
	if f, left := fileOf(r); f != nil && !t.Upgraded() && !t.Tapped() {
		for left == nil || left.N > 0 {
			piece := int64(sendPiece)
			if left != nil {
				piece = min(piece, left.N)
			}
			n, err := t.owner.sendFile(f, piece)
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

// fileOf finds the file in r.
func fileOf(r io.Reader) (*os.File, *io.LimitedReader) {
	l, _ := r.(*io.LimitedReader)
	if l != nil {
		r = l.R
	}
	f, _ := r.(*os.File)
	return f, l
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
func (t *goTalk) sendFile(f *os.File, n int64) (int64, error) {
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
	n, err = tcp.ReadFrom(&io.LimitedReader{R: f, N: n})
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
