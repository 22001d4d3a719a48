package transfer

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
)

// minPiece is the smallest piece that is worth a request of its own.
const minPiece = 1 << 20

// notePieces is how many of these come between two notes.
const notePieces = 8

// mayPart tells whether a file may come in pieces: that was asked for, or an
// earlier run left some.
func (c *Client) mayPart(p *part) bool { return p.here != nil || c.o.Segments > 1 }

// apart tells whether a source is fetched in pieces: it may be, and is large
// enough for those that were asked for.
func (c *Client) apart(p *part, s *source) bool {
	if !c.mayPart(p) || !s.version.Known() || s.version.Size < 0 || len(s.head) > 0 || p.small != nil {
		return false
	}
	return p.here != nil || s.version.Size-s.from >= 2*c.piece
}

// pieces is a file on its way in several pieces at the same time. It begins as
// one stream. Whoever has nothing to do opens the file in the middle of the
// longest stretch that is still to come, and only when that stands, and is of
// the same version, does the stretch before it become shorter: where the server
// gives no parts, or lets no more of us in, the first stream goes on to the end.
type pieces struct {
	t       *try
	p       *part
	version Version
	cancel  context.CancelCauseFunc

	mu      sync.Mutex
	holes   []extent   // that nobody fetches
	busy    []*stretch // that are fetched
	planned []int64    // where somebody is about to begin
	single  bool       // the server gives no parts
	noted   int64      // how much was here when the last note was written
	err     error      // the first that ended a stream
	bad     error      // what a server said at the end of all that it had sent
}

// stretch is fetched by one stream. Its end may come nearer.
type stretch struct{ at, end int64 }

// inPieces fetches what is missing of a part. s is open where the first hole
// begins.
func (t *try) inPieces(ctx context.Context, cancel context.CancelCauseFunc, p *part, s *source) error {
	x := &pieces{t: t, p: p, version: s.version, cancel: cancel}
	if p.here == nil {
		p.here = cover{}.add(extent{0, p.got})
	}
	if err := p.writeNote(); err != nil { // before the file is longer than what is here of it
		return failure(CodeWrite, err)
	}
	x.noted = p.here.size()
	x.holes = p.here.holes(s.version.Size)
	t.r.Resumed = x.noted
	t.share.begin(s.version.Size, x.noted)
	var all sync.WaitGroup
	first := x.hole()
	all.Go(func() { x.work(ctx, first, s) })
	for range max(1, t.c.o.Segments) - 1 {
		all.Go(func() {
			st, s := x.next(ctx)
			x.work(ctx, st, s)
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if x.bad != nil {
		return x.bad
	}
	if len(p.here.holes(s.version.Size)) > 0 {
		if x.err == nil {
			x.err = io.ErrUnexpectedEOF
		}
		return x.err
	}
	return x.unchanged(ctx)
}

// work fetches one stretch after the other; the source of the first is open.
func (x *pieces) work(ctx context.Context, st *stretch, s *source) {
	for st != nil {
		err := x.fetch(st, s)
		s.body.Close()
		if x.leave(st, s, err); err != nil {
			return
		}
		st, s = x.next(ctx)
	}
}

// hole takes the first of them; nil: there is none.
func (x *pieces) hole() *stretch {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.holes) == 0 {
		return nil
	}
	st := &stretch{x.holes[0][0], x.holes[0][1]}
	x.holes = x.holes[1:]
	x.busy = append(x.busy, st)
	return st
}

// leave gives back what is left of a stretch. What a disk or another version
// of the file says ends all; a connection only its own stream.
func (x *pieces) leave(st *stretch, s *source, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.busy = slices.DeleteFunc(x.busy, func(b *stretch) bool { return b == st })
	if st.at < st.end {
		x.holes = append(x.holes, extent{st.at, st.end})
	}
	if err == nil {
		return
	}
	x.err = err // of more weight than that a connection more could not be had
	if st.at >= x.end(s) {
		x.bad = err
	}
	if Code(err) == CodeWrite {
		x.cancel(err)
	}
}

// next finds something to do and opens it; nil: there is nothing, or it cannot
// be had.
func (x *pieces) next(ctx context.Context) (*stretch, *source) {
	for ctx.Err() == nil {
		want, ok := x.plan()
		if !ok {
			return nil, nil
		}
		s, err := x.t.get(ctx, request{from: want[0], to: want[1], version: x.version})
		if err != nil {
			x.forget(want[0], err)
			return nil, nil
		}
		if s.from != want[0] || !s.version.Same(x.version) {
			s.body.Close()
			x.refused(want[0], s)
			return nil, nil
		}
		if st := x.attach(want); st != nil {
			return st, s
		}
		s.body.Close() // it has been overtaken
	}
	return nil, nil
}

// plan chooses where to begin, and where the piece will end as things stand:
// a hole, or the second half of what is longest.
func (x *pieces) plan() (want extent, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.single {
		return want, false
	}
	for _, h := range x.holes {
		if !slices.Contains(x.planned, h[0]) {
			x.planned = append(x.planned, h[0])
			return h, true
		}
	}
	for _, st := range x.busy {
		from := st.at
		marks := slices.DeleteFunc(slices.Clone(x.planned), func(at int64) bool { return at <= st.at || at >= st.end })
		slices.Sort(marks)
		for _, to := range append(marks, st.end) {
			if half := (to - from) / 2; half >= x.t.c.piece && half > want.size() {
				want = extent{to - half, to}
			}
			from = to
		}
	}
	if want.size() == 0 {
		return want, false
	}
	x.planned = append(x.planned, want[0])
	return want, true
}

// forget takes a plan back, for the reason that it could not be opened.
func (x *pieces) forget(at int64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unplan(at)
	if x.err == nil {
		x.err = err
	}
}

func (x *pieces) unplan(at int64) {
	x.planned = slices.DeleteFunc(x.planned, func(p int64) bool { return p == at })
}

// refused is a server that did not give the part that was asked for: it has no
// parts, or another file by now.
func (x *pieces) refused(at int64, s *source) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unplan(at)
	if s.version.Same(x.version) {
		x.single = true
		return
	}
	x.cancel(x.anew())
}

// anew forgets the part: it is of a version that is no more, or that not all of
// the servers behind a name have.
func (x *pieces) anew() error {
	x.p.forget()
	x.t.parted = true
	return failuref(CodePartial, "the file has changed meanwhile")
}

// attach gives an open source its stretch; nil: what it would bring has come
// meanwhile.
func (x *pieces) attach(want extent) *stretch {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unplan(want[0])
	st := &stretch{at: want[0]}
	for i, h := range x.holes {
		if h[0] == want[0] {
			st.end = h[1]
			x.holes = slices.Delete(x.holes, i, i+1)
			x.busy = append(x.busy, st)
			return st
		}
	}
	for _, b := range x.busy {
		if b.at < want[0] && want[0] < b.end {
			st.end, b.end = b.end, want[0]
			x.busy = append(x.busy, st)
			return st
		}
	}
	return nil
}

// fetch moves the bytes of a stretch.
func (x *pieces) fetch(st *stretch, s *source) error {
	buffer := x.t.c.buffers.get()
	defer x.t.c.buffers.pool.Put(buffer)
	for {
		left := x.left(st)
		if left <= 0 {
			return x.ended(st, s, *buffer)
		}
		n, err := s.body.Read((*buffer)[:min(left, bufferSize)])
		if bad := x.write(st, (*buffer)[:n]); bad != nil {
			return bad
		}
		switch {
		case err == nil:
		case err != io.EOF:
			return err
		case x.left(st) > 0 && s.to > 0 && st.at >= s.to: // the one behind it never began
			return nil
		case x.left(st) > 0:
			return io.ErrUnexpectedEOF
		default:
			return nil
		}
	}
}

func (x *pieces) left(st *stretch) int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return st.end - st.at
}

// end is where a source ends.
func (x *pieces) end(s *source) int64 { return cmp.Or(s.to, x.version.Size) }

// ended hears the end of a source that has no more to bring: some servers tell
// only there whether all was well.
func (x *pieces) ended(st *stretch, s *source, buffer []byte) error {
	if st.at < x.end(s) {
		return nil
	}
	n, err := s.body.Read(buffer[:1])
	switch {
	case n > 0:
		return failuref(CodePartial, "the file is longer than the server said")
	case err == io.EOF || err == nil:
		return nil
	}
	return err
}

// write puts bytes where they belong, and notes now and then what is here.
func (x *pieces) write(st *stretch, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := x.p.f.WriteAt(b, st.at); err != nil {
		return failure(CodeWrite, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.p.here.size()
	x.p.here = x.p.here.add(extent{st.at, st.at + int64(len(b))})
	st.at += int64(len(b))
	all := x.p.here.size()
	x.t.r.Bytes += all - before
	x.t.share.add(all - before)
	if all-x.noted < notePieces*x.t.c.piece {
		return nil
	}
	x.noted = all
	if err := x.p.writeNote(); err != nil {
		return failure(CodeWrite, err)
	}
	return nil
}

// unchanged looks once more, where versions are told apart by time alone: what
// was opened when the file was being written may be of both.
func (x *pieces) unchanged(ctx context.Context) error {
	if x.version.ETag != "" {
		return x.t.to.done()
	}
	last := x.version.Size - 1
	s, err := x.t.get(ctx, request{from: last, to: last + 1, version: x.version})
	if err != nil {
		return err
	}
	s.body.Close()
	if !s.version.Same(x.version) {
		return x.anew()
	}
	return x.t.to.done()
}
