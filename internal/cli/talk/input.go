package talk

import (
	"errors"
	"io"
	"sync"
)

// errStopped is a wait for input that nobody wants any more.
var errStopped = errors.New("talk: stopped")

// Input is what is to be said: a reader that several conversations take from,
// one after the other. A read that waits when one of them ends is the next
// one's; its goroutine ends with the reader.
type Input struct {
	r      io.Reader
	start  sync.Once
	chunks chan []byte
	err    error // why it ended; set before chunks is closed
}

// NewInput takes from r, reading nothing before it is wanted.
func NewInput(r io.Reader) *Input { return &Input{r: r, chunks: make(chan []byte)} }

// chunkSize is how much is read at once. A read is a datagram where those are
// spoken, and UDP carries 65507 bytes at most; nc(1) reads 16 KiB.
const chunkSize = 16 << 10

// pump reads into two buffers in turn: one is being said meanwhile.
func (in *Input) pump() {
	var buffers [2][chunkSize]byte
	for i := 0; ; i ^= 1 {
		n, err := in.r.Read(buffers[i][:])
		if n > 0 {
			in.chunks <- buffers[i][:n]
		}
		if err != nil {
			in.err = err
			close(in.chunks)
			return
		}
	}
}

// next gives what was read; it is valid until the next call. io.EOF is the end,
// errStopped that stop was closed.
func (in *Input) next(stop <-chan struct{}) ([]byte, error) {
	in.start.Do(func() { go in.pump() })
	select {
	case b, ok := <-in.chunks:
		if !ok {
			return nil, in.err
		}
		return b, nil
	case <-stop:
		return nil, errStopped
	}
}
