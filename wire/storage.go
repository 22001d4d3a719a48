package wire

// This file is for the owner of a Reader or Writer: the Source below it, and
// the engine that decides when a conversation goes on.

// Fill has the Source add to what lies here, waiting if it may.
func (r *Reader) Fill() error { return r.src.Fill() }

// Room is the free storage behind the unread bytes; empty when storage must be
// given first, by LendTo or Grow. What was read before is forgotten.
func (r *Reader) Room() []byte {
	if r.r == r.w {
		r.r, r.w, r.told, r.keep = 0, 0, 0, 0
	}
	if int(r.w) == len(r.buf) && r.r > 0 {
		r.w = int32(copy(r.buf, r.buf[r.r:r.w]))
		r.r, r.told, r.keep = 0, 0, 0
	}
	return r.buf[r.w:]
}

// Added says that n bytes were written to the front of Room.
func (r *Reader) Added(n int) { r.w += int32(n) }

// LendTo gives storage for the time of a step; what is unread moves to its
// front. It must be larger than what is unread.
func (r *Reader) LendTo(b []byte) {
	n := copy(b, r.buf[r.r:r.w])
	if !r.lent && r.buf != nil {
		Put(r.buf)
	}
	r.buf, r.r, r.w, r.told, r.keep, r.lent = b, 0, int32(n), 0, 0, true
}

// Grow gives the Reader storage of its own, of twice the size that it has and
// of no less than 4 KiB.
func (r *Reader) Grow() {
	b := Get(max(2*len(r.buf), medium))
	n := copy(b, r.buf[r.r:r.w])
	if !r.lent && r.buf != nil {
		Put(r.buf)
	}
	r.buf, r.r, r.w, r.told, r.keep, r.lent = b, 0, int32(n), 0, 0, false
}

// Keep makes lent storage the Reader's own: the lender takes other storage.
func (r *Reader) Keep() { r.lent = false }

// Lent tells whether the storage belongs to somebody else.
func (r *Reader) Lent() bool { return r.lent }

// Own ends a step: lent storage goes back to its lender, and what is unread is
// kept in storage of its own size. A Reader with nothing unread holds none.
func (r *Reader) Own() {
	if r.r == r.w {
		if !r.lent && r.buf != nil {
			Put(r.buf)
		}
		r.buf, r.r, r.w, r.told, r.keep, r.lent = nil, 0, 0, 0, 0, false
		return
	}
	if r.lent {
		b := Get(int(r.w - r.r))
		r.w = int32(copy(b, r.buf[r.r:r.w]))
		r.buf, r.r, r.told, r.keep, r.lent = b, 0, 0, 0, false
	}
}

// Mark is a place to which Rewind goes back, until the next Fill that brings
// bytes.
func (r *Reader) Mark() int32 {
	r.old = r.open != nil
	return r.r
}

// Rewind makes everything that was read since Mark unread, but for a line that
// was too long, and for what was read of a body that had been begun before:
// its reader has gone on, and the rest of it is still to come.
func (r *Reader) Rewind(mark int32) {
	r.r = min(r.r, max(mark, r.keep))
	if !r.old {
		r.open = nil
	}
}

// taken says that bytes of an open body were read; done: it is at its end.
func (r *Reader) taken(done bool) {
	if r.old {
		r.keep = r.r
	}
	if done {
		r.open, r.old = nil, false
	}
}

// Untold gives the bytes that were read since the last call, for a tap. They
// are valid until the next call of any method.
func (r *Reader) Untold() []byte {
	if r.told >= r.r {
		return nil
	}
	b := r.buf[r.told:r.r]
	r.told = r.r
	return b
}

// Held is how many bytes of storage the Reader keeps.
func (r *Reader) Held() int {
	if r.lent {
		return 0
	}
	return cap(r.buf)
}
