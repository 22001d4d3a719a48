package mailbox

import (
	"context"
	"errors"
	"io"

	"github.com/farend-go/farend/store"
)

// A Body is a message that is being written: one, which may go to many
// mailboxes. It is used by one goroutine, and always closed.
type Body struct {
	w    store.BlobWriter
	max  int64
	size int64
	ref  store.Ref
	err  error
}

// NewBody begins a message. size is a hint, in octets, -1 where it is not
// known; ErrTooBig where it is above the limit already.
func (s *Store) NewBody(ctx context.Context, size int64) (*Body, error) {
	if s.o.MaxMessage > 0 && size > s.o.MaxMessage {
		return nil, ErrTooBig
	}
	room := size
	if size >= 0 {
		room += extractRoom
	}
	w, err := s.engine.Blobs().Create(ctx, room)
	if err != nil {
		return nil, err
	}
	return &Body{w: w, max: s.o.MaxMessage}, nil
}

// extractRoom is what the structure of most messages takes.
const extractRoom = 384

var errFinished = errors.New("mailbox: write to a finished message")

// Write takes the next bytes of the message. ErrTooBig; the error stays.
func (b *Body) Write(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.ref != "":
		return 0, errFinished
	case b.max > 0 && b.size+int64(len(p)) > b.max:
		b.err = ErrTooBig
		return 0, b.err
	}
	n, err := b.w.Write(p)
	b.size += int64(n)
	b.err = err
	return n, err
}

// Size is how much was written, in octets.
func (b *Body) Size() int64 { return b.size }

// Finish ends the message. extract, which may be nil, is kept behind it for
// [Content.Extract]: something that was found in the message and is wanted
// without reading it. A Body that is not finished is finished without an
// extract when it is delivered.
func (b *Body) Finish(extract []byte) error {
	if b.err != nil {
		return b.err
	}
	if b.ref != "" {
		return errFinished
	}
	if len(extract) > 0 {
		if _, b.err = b.w.Write(extract); b.err != nil {
			return b.err
		}
	}
	b.ref, b.err = b.w.Finish()
	return b.err
}

func (b *Body) finished() error {
	if b.err != nil || b.ref != "" {
		return b.err
	}
	return b.Finish(nil)
}

// Close throws the message away unless it was delivered.
func (b *Body) Close() error { return b.w.Close() }

// A Content is an open message: its octets, by ReadAt, and what was kept behind
// them. ReadAt may be called concurrently.
type Content struct {
	*io.SectionReader
	blob store.Blob
}

func (s *Store) open(ctx context.Context, msg Message) (*Content, error) {
	blob, err := s.engine.Blobs().Open(ctx, msg.ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoMessage
	}
	if err != nil {
		return nil, err
	}
	return &Content{io.NewSectionReader(blob, 0, msg.Size), blob}, nil
}

// Extract gives what [Body.Finish] kept, nil where it was nothing.
func (c *Content) Extract() ([]byte, error) {
	n := c.blob.Size() - c.Size()
	if n <= 0 {
		return nil, nil
	}
	extract := make([]byte, n)
	if k, err := c.blob.ReadAt(extract, c.Size()); k < len(extract) {
		return nil, err
	}
	return extract, nil
}

// Close lets go of the message.
func (c *Content) Close() error { return c.blob.Close() }
