package smtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/farend-go/farend/wire"
)

// errDropped is what a Backend's Body reads when there will be no Commit.
var errDropped = errors.New("smtp: the message was given up")

// body is a message that comes in. As long as it is short it only gathers
// here, and the Backend's Body and Commit are one call at its end. What is
// longer is handed over in pieces to a Body that runs beside the session, which
// alone reads the connection: so a chunk is always consumed, whatever becomes
// of it, and a Body never waits where an engine cannot see it.
type body struct {
	buf  []byte // buf[:n] has come and was not handed over
	n    int
	size int64 // of the message, without trace lines
	err  error // why it will not be taken; the rest is consumed
	feed *feed // nil: Body has not begun
	bare bool  // a binary message may have any bytes
	cr   bool  // the byte before was CR
}

// room is free storage; the Body takes what is there when there is no more.
func (s *session) room(ctx context.Context, b *body) ([]byte, error) {
	if b.n < len(b.buf) {
		return b.buf[b.n:], nil
	}
	if len(b.buf) < wire.Large {
		old := b.buf
		b.buf = wire.Get(len(old) + 1)
		copy(b.buf, old)
		wire.Put(old)
		return b.buf[b.n:], nil
	}
	if b.err != nil {
		b.n = 0
		return b.buf, nil
	}
	if b.feed == nil {
		b.feed = startFeed(ctx, s.tx)
	}
	piece := b.buf[:b.n]
	b.n = 0
	if err := s.talk.Detour(func() error { return b.feed.give(piece) }); err != nil {
		return nil, err
	}
	if b.feed.over() && b.feed.err != nil { // it wants no more
		b.err = b.feed.err
	}
	s.talk.Progress()
	return b.buf, nil
}

// add notes that k bytes of the message stand behind the others.
func (b *body) add(k int, limit int64) {
	b.size += int64(k)
	if b.size > limit && b.err == nil {
		b.err = ErrTooBig
	}
	if b.err != nil {
		b.n = 0
		return
	}
	b.n += k
}

// write adds bytes of our own.
func (b *body) write(p []byte) {
	for len(b.buf)-b.n < len(p) && len(b.buf) < wire.Large {
		old := b.buf
		b.buf = wire.Get(len(old) + 1)
		copy(b.buf, old[:b.n])
		wire.Put(old)
	}
	b.n += copy(b.buf[b.n:], p)
}

// finish ends the message and commits it; nil: it is taken.
func (b *body) finish(ctx context.Context, tx Transaction) error {
	if b.feed != nil {
		return b.feed.finish(ctx, tx, b.buf[:b.n], b.err)
	}
	if err := b.hand(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// hand gives a message that lies here whole to the Body; after an error it is
// given up.
func (b *body) hand(ctx context.Context, tx Transaction) error {
	err := b.err
	if err == nil {
		err = take(ctx, tx, bytes.NewBuffer(b.buf[:b.n:b.n]))
	}
	if err != nil {
		tx.Abort()
	}
	return err
}

// errPanic is a Body that panicked.
var errPanic = errors.New("smtp: the backend's Body panicked")

// take has the Body take the message, and makes its panic a refusal.
func take(ctx context.Context, tx Transaction, r io.Reader) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
	}()
	return tx.Body(ctx, r)
}

// release gives the storage back.
func (b *body) release() {
	wire.Put(b.buf)
	b.buf = nil
}

// drop gives the message up; the Backend's Body has returned afterwards.
func (b *body) drop() {
	if b.feed != nil {
		b.feed.end(errDropped)
		<-b.feed.done
	}
	b.release()
}

// feed hands pieces of a message to a Body that runs on a goroutine.
type feed struct {
	pieces chan []byte
	taken  chan struct{} // a piece was read to its end
	done   chan struct{} // Body has returned
	err    error         // what it returned; to be read when done
	last   error         // what the reader says at the end
	cancel context.CancelFunc
	ended  bool
	cur    []byte // Body's side alone
	begun  bool   // cur came from pieces, and taken waits for a word
}

func startFeed(ctx context.Context, tx Transaction) *feed {
	f := &feed{pieces: make(chan []byte), taken: make(chan struct{}), done: make(chan struct{})}
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.done)
		f.err = take(ctx, tx, f)
	}()
	return f
}

// Read is for Body.
func (f *feed) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(f.cur) == 0 {
		if f.begun {
			f.begun = false
			f.taken <- struct{}{}
		}
		piece, ok := <-f.pieces
		if !ok {
			return 0, f.last
		}
		f.cur, f.begun = piece, true
	}
	n := copy(p, f.cur)
	f.cur = f.cur[n:]
	return n, nil
}

// give hands a piece over and returns when it has been read, or nobody will.
func (f *feed) give(piece []byte) error {
	select {
	case f.pieces <- piece:
	case <-f.done:
		return nil
	}
	select {
	case <-f.taken:
	case <-f.done:
	}
	return nil
}

// over tells whether Body has returned.
func (f *feed) over() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// end lets Body read the end.
func (f *feed) end(last error) {
	if f.ended {
		return
	}
	f.ended, f.last = true, last
	if last != io.EOF {
		f.cancel()
	}
	close(f.pieces)
}

// finish hands the last piece over and commits; why is not nil where the
// message is not to be taken.
func (f *feed) finish(ctx context.Context, tx Transaction, piece []byte, why error) error {
	defer f.cancel()
	last := io.EOF
	if why != nil {
		last = errDropped
	} else if err := f.give(piece); err != nil {
		return err
	}
	f.end(last)
	<-f.done
	if why == nil {
		why = f.err
	}
	if why != nil {
		tx.Abort()
		return why
	}
	return tx.Commit(ctx)
}
