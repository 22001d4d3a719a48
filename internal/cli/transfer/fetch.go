package transfer

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A request is what an opener is asked for: the bytes behind those that are
// here, provided that they are of the same version.
type request struct {
	from    int64
	to      int64 // no more than the bytes before it are wanted; 0: all
	version Version
	trusted bool // the user says that what is here is a part of it
}

// A source is a file on its way.
type source struct {
	body    io.ReadCloser
	from    int64 // where it begins: request.from, or 0
	to      int64 // where it ends, if that is not the end of the file; 0: it is
	version Version
	status  int
	head    []byte // as Options.Include wants it
}

// An opener opens a file at its server.
type opener func(ctx context.Context, r request) (*source, error)

// A sink is where a file goes.
type sink interface {
	// have tells what is here already.
	have() request
	// start takes what begins at s.from, which is have's or 0.
	start(s *source) (io.Writer, error)
	// keep ends a try that broke off.
	keep() error
	// done ends the one that succeeded.
	done() error
}

// errAnew is a file that is no longer the one of which a part is here.
var errAnew = errors.New("the file has changed, and what came of the old one was written already")

// A Result tells how a transfer went.
type Result struct {
	URL     string
	File    string // where it went; "-" is standard output
	Status  int    // HTTP's; 0: none
	Bytes   int64  // that came or went
	Resumed int64  // bytes that were here before
	Tries   int
	Time    time.Duration
	Action  string // of a mirror: one of the Actions
	Skipped string // why nothing was moved, where nothing had to be
	Err     error

	share *share
}

// Actions of a mirror.
const (
	ActionGet     = "get"
	ActionPut     = "put"
	ActionSkip    = "skip"
	ActionDelete  = "delete"
	ActionCompare = "compare" // of a dry run: the content would have to be read
	ActionFail    = "fail"
)

// fetch brings a file here, trying again what is worth it.
func (c *Client) fetch(ctx context.Context, get opener, to sink, r *Result) error {
	t := &try{c: c, get: get, to: to, r: r, share: r.share}
	for failed := 0; ; {
		before := r.Bytes
		r.Tries++
		err := t.once(ctx)
		if err == nil {
			return nil
		}
		if kept := to.keep(); kept != nil {
			return errors.Join(err, kept)
		}
		if t.parted && !t.alone {
			t.alone = true
			c.say("%s: %v, or its servers differ: it comes once more, by one connection", r.URL, plain(err))
			continue
		}
		if r.Bytes > before && to.have().version.Known() {
			failed = 0
		}
		if failed >= c.o.Retries || !worthIt(ctx, err) || t.taken() {
			return err
		}
		if !pause(ctx, failed, err) {
			return err
		}
		c.say("%s: %v; trying again", r.URL, plain(err))
		failed++
	}
}

// try is the state that the tries of one transfer share.
type try struct {
	c     *Client
	get   opener
	to    sink
	r     *Result
	share *share
	// parted tells that pieces were of several versions, or would have been;
	// alone, that for this reason all comes by one connection.
	parted, alone bool
}

// taken tells whether something has been written that can neither be taken back
// nor gone on from.
func (t *try) taken() bool {
	h := t.to.have()
	return h.from > 0 && !h.trusted && !h.version.Known()
}

func (t *try) once(ctx context.Context) error {
	want := t.to.have()
	p, _ := t.to.(*part)
	var cancel context.CancelCauseFunc
	if p != nil && t.c.mayPart(p) {
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
	}
	s, err := t.get(ctx, want)
	if err != nil {
		return err
	}
	defer s.body.Close()
	t.r.Status, t.r.Resumed = s.status, s.from
	w, err := t.to.start(s)
	if err != nil {
		return err
	}
	if p != nil && !t.alone && t.c.apart(p, s) {
		return t.inPieces(ctx, cancel, p, s)
	}
	t.share.begin(s.version.Size, s.from)
	buf := t.c.buffers.get()
	defer t.c.buffers.pool.Put(buf) // after done: what is collected lies there
	if err := t.copy(w, s, *buf); err != nil {
		return err
	}
	return t.to.done()
}

// buffers are for copying; each is used by one transfer at a time.
type buffers struct{ pool sync.Pool }

const bufferSize = 128 << 10

func (b *buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, bufferSize)
	return &p
}

// copy moves the bytes through buf and counts them. What is collected stays
// there.
func (t *try) copy(w io.Writer, s *source, buf []byte) error {
	k, collected := w.(*collector)
	for {
		room := buf
		if collected {
			room = buf[k.got:]
		}
		n, err := s.body.Read(room)
		if n > 0 {
			if _, err := w.Write(room[:n]); err != nil {
				return failure(CodeWrite, err)
			}
			t.r.Bytes += int64(n)
			t.share.add(int64(n))
		}
		if collected {
			if k.small = buf[:k.got]; k.got > k.v.Size {
				return io.ErrUnexpectedEOF
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// worthIt tells whether another try may end otherwise.
func worthIt(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, errAnew) || as[*final](err) {
		return false
	}
	if as[*later](err) {
		return true
	}
	if s, ok := errors.AsType[*StatusError](err); ok {
		return passing(s.Code)
	}
	switch Code(err) {
	case CodePartial, CodeReceive, CodeEmpty, CodeTimeout, CodeSend:
		return true
	}
	return false
}

// passing tells the statuses that time may mend, as curl --retry has them.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

const (
	firstPause = 500 * time.Millisecond
	mostPause  = 30 * time.Second
)

// pause waits before another try, as the server says or ever longer. It does
// not begin to wait for what is beyond the context's deadline.
func pause(ctx context.Context, failed int, err error) bool {
	d := min(firstPause<<min(failed, 10), mostPause)
	d -= rand.N(d/2 + 1)
	if p, ok := errors.AsType[*patience](err); ok {
		d = p.after
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d || d > mostPause {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// patience is an error of a server that says when to come again.
type patience struct {
	error
	after time.Duration
}

func (p *patience) Unwrap() error { return p.error }

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(field string, err error) error {
	if n, bad := strconv.ParseUint(field, 10, 31); bad == nil {
		return &patience{err, time.Duration(n) * time.Second}
	}
	if t, bad := http.ParseTime(field); bad == nil {
		return &patience{err, max(0, time.Until(t))}
	}
	return err
}
