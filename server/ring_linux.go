package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is used of <linux/io_uring.h>.
const (
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13

	enterGetEvents = 1 << 0
	enterExtArg    = 1 << 3

	registerBufRing = 22
	bufRingInc      = 1 << 1

	offSQEs    = 0x10000000
	sqOverflow = 1 << 1 // completions wait in the kernel, for want of room

	opPollAdd = 6
	opAccept  = 13
	opCancel  = 14
	opClose   = 19
	opSend    = 26
	opRecv    = 27

	sqeBufferSelect = 1 << 5
	sqeSkipSuccess  = 1 << 6
	acceptMulti     = 1 << 0
	recvMulti       = 1 << 1
	pollMulti       = 1 << 0

	cqeBuffer = 1 << 0
	cqeMore   = 1 << 1
)

// sqe asks the kernel for something (struct io_uring_sqe).
type sqe struct {
	opcode, flags uint8
	prio          uint16
	fd            int32
	off           uint64
	addr          uint64
	len           uint32
	opFlags       uint32
	user          uint64
	group         uint16
	_             uint16
	_             int32
	_             [2]uint64
}

// cqe is what came of it (struct io_uring_cqe).
type cqe struct {
	user  uint64
	res   int32
	flags uint32
}

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, _, _, features, _ uint32
	_                                              [3]uint32
	sq                                             struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// ringBuf is a buffer that the kernel may receive into (struct io_uring_buf);
// in the place of the first one's tail is the tail of all.
type ringBuf struct {
	addr uint64
	len  uint32
	id   uint16
	tail uint16
}

// ring is io_uring(7), with provided buffers, for one thread. Everything that
// the kernel keeps an address of is mapped, off Go's heap.
type ring struct {
	fd              int
	sqTail, sqFlags *uint32
	sqMask          uint32
	sqes            []sqe
	filled, sent    uint32 // SQEs that were filled, and that the kernel has
	cqHead, cqTail  *uint32
	cqMask          uint32
	cqes            []cqe
	ready           []cqe // taken from the kernel, to be dealt with
	next            int   // in ready: the one that is dealt with
	unsent          func(c *cqe)
	now             []byte  // what came last, and nobody has asked for yet; it lies in a buffer
	nowOf           *evTalk // to whom it came
	bufs            []ringBuf
	bufTail         uint16
	given           uint16 // of bufTail, what the kernel knows
	in              []byte // the buffers' bytes
	bufSize         int
	bufUsed         []int  // of each buffer's bytes, what was received into; whole: all or nothing
	whole           bool   // the kernel takes a buffer for each message
	out             []byte // what is to be sent with the next submission
	outUsed         int
	queued          []queued // whose it is
	maps            [][]byte
	wait            waitArg
	live            int // operations that are not over
	recent, touched int // buffers received into, since shrink was called, and since it gave memory back
}

// queued is out[from:to], which ask sends.
type queued struct {
	ask      *sqe
	place    *uint16 // where the talk has the number of this, from 1 on; 0: it has none
	from, to int
}

// waitArg is struct io_uring_getevents_arg and the time that it points to.
type waitArg struct {
	_    uint64
	_, _ uint32
	ts   uint64
	time [2]int64 // struct __kernel_timespec
}

// ringSize is how much a ring has room for. All but out are powers of two.
type ringSize struct {
	asks, answers uint32 // SQEs and CQEs
	bufs, buf     int    // provided buffers, and the bytes of each
	out           int    // bytes to send with one submission
	whole         bool   // each buffer for one message, although the kernel could do better
	dense         bool   // or no ring where it cannot
}

// fullSize is the size of a loop's ring. What comes lies close together, in no
// more memory than a core's own cache holds. Of what nothing was received into,
// none is taken.
func fullSize() ringSize {
	return ringSize{asks: 1024, answers: 8192, bufs: 16, buf: 64 << 10, out: 256 << 10}
}

// newRing makes a ring for the calling thread, to which the caller is locked.
func newRing(size ringSize) (_ *ring, err error) {
	p := ringParams{cqEntries: size.answers,
		flags: setupSingleIssuer | setupDeferTaskrun | setupCQSize | setupClamp | setupSubmitAll}
	fd, _, en := syscall.Syscall(unix.SYS_IO_URING_SETUP, uintptr(size.asks), uintptr(unsafe.Pointer(&p)), 0)
	if en != 0 {
		return nil, ringError(en)
	}
	r := &ring{fd: int(fd)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	rings, err := r.mmap(r.fd, 0, max(int(p.sq.array+p.sqEntries*4), int(p.cq.cqes+p.cqEntries*16)))
	if err != nil {
		return nil, err
	}
	asks, err := r.mmap(r.fd, offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(sqe{})))
	if err != nil {
		return nil, err
	}
	at := func(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&rings[off])) }
	r.sqTail, r.sqFlags, r.sqMask = at(p.sq.tail), at(p.sq.flags), *at(p.sq.mask)
	r.cqHead, r.cqTail, r.cqMask = at(p.cq.head), at(p.cq.tail), *at(p.cq.mask)
	r.sqes = unsafe.Slice((*sqe)(unsafe.Pointer(&asks[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*cqe)(unsafe.Pointer(at(p.cq.cqes))), p.cqEntries)
	order := unsafe.Slice(at(p.sq.array), p.sqEntries)
	for i := range order {
		order[i] = uint32(i)
	}
	return r, r.provide(size)
}

// provide gives the kernel buffers to receive into. Since Linux 6.12 it fills
// one after the other; before, each message takes a buffer of its own, so that
// there must be more of them.
func (r *ring) provide(size ringSize) error {
	if !size.whole {
		if err := r.register(size, bufRingInc); size.dense || !errors.Is(err, unix.EINVAL) {
			return err
		}
		size.bufs, size.buf = 4*size.bufs, size.buf/2
	}
	r.whole = true
	return r.register(size, 0)
}

func (r *ring) register(size ringSize, flags uint16) (err error) {
	maps := len(r.maps)
	table, err := r.mmap(-1, 0, size.bufs*int(unsafe.Sizeof(ringBuf{})))
	if err != nil {
		return err
	}
	reg := struct { // struct io_uring_buf_reg
		addr         uint64
		entries      uint32
		group, flags uint16
		_            [3]uint64
	}{addr: addressOf(table), entries: uint32(size.bufs), flags: flags}
	if _, _, en := syscall.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerBufRing, uintptr(unsafe.Pointer(&reg)), 1, 0, 0); en != 0 {
		r.maps = r.maps[:maps]
		return errors.Join(ringError(en), unix.Munmap(table))
	}
	if r.in, err = r.mmap(-1, 0, size.bufs*size.buf); err != nil {
		return err
	}
	if r.out, err = r.mmap(-1, 0, size.out); err != nil {
		return err
	}
	r.bufs = unsafe.Slice((*ringBuf)(unsafe.Pointer(&table[0])), size.bufs)
	r.bufSize, r.bufUsed = size.buf, make([]int, size.bufs)
	for i := range size.bufs {
		r.give(uint16(i))
	}
	return nil
}

// ringError says why there is no ring, for who asked for one.
func ringError(en syscall.Errno) error {
	why := ""
	switch en {
	case unix.ENOSYS:
		why = ": the kernel has none"
	case unix.EPERM, unix.EACCES:
		why = ": not allowed here (kernel.io_uring_disabled, or a seccomp filter)"
	case unix.EINVAL:
		why = ": Linux 6.1 is needed"
	}
	return fmt.Errorf("io_uring%s: %w", why, en)
}

// addressOf is where mapped memory lies.
func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func (r *ring) mmap(fd int, off int64, size int) ([]byte, error) {
	flags := unix.MAP_SHARED | unix.MAP_POPULATE
	if fd < 0 {
		flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	}
	m, err := unix.Mmap(fd, off, size, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	r.maps = append(r.maps, m)
	return m, nil
}

func (r *ring) close() {
	unix.Close(r.fd)
	if r.live > 0 { // the kernel may still write there
		return
	}
	for _, m := range r.maps {
		_ = unix.Munmap(m)
	}
}

// give lets the kernel receive into buffer id (again).
func (r *ring) give(id uint16) {
	b := &r.bufs[int(r.bufTail)%len(r.bufs)]
	b.addr = addressOf(r.in[int(id)*r.bufSize:])
	b.len = uint32(r.bufSize)
	b.id = id
	r.bufUsed[id] = 0
	r.bufTail++
}

// quiet is for how few buffers received into, between two calls of shrink, their
// memory is better given back.
const quiet = 64

// shrink gives the memory of buffers back to the system when little goes on:
// the kernel receives into each in turn, so that all of them are soon in memory,
// however few are in use at a time.
func (r *ring) shrink() {
	if r.recent >= quiet {
		r.recent = 0
		return
	}
	if r.touched == 0 || len(r.ready) > 0 || r.outUsed > 0 { // else nothing lies there: the kernel writes only in our calls
		return
	}
	r.recent, r.touched = 0, 0
	for _, b := range [][]byte{r.in, r.out} {
		_ = unix.Madvise(b, unix.MADV_DONTNEED) // memory kept is no harm
	}
}

// tellGiven publishes what give gave. The tail has 16 bits, and no atomic
// store is so narrow: it goes together with the id beside it.
func (r *ring) tellGiven() {
	if r.given == r.bufTail {
		return
	}
	r.given = r.bufTail
	var w [4]byte
	binary.NativeEndian.PutUint16(w[0:], r.bufs[0].id)
	binary.NativeEndian.PutUint16(w[2:], r.bufTail)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&r.bufs[0].id)), binary.NativeEndian.Uint32(w[:]))
}

// full tells whether the next ask submits.
func (r *ring) full() bool { return r.filled-r.sent == uint32(len(r.sqes)) }

// ask gives an SQE to fill.
func (r *ring) ask(opcode uint8, fd int32, user uint64) *sqe {
	if r.full() {
		r.submit()
	}
	s := &r.sqes[r.filled&r.sqMask]
	*s = sqe{opcode: opcode, fd: fd, user: user}
	r.filled++
	return s
}

// poll asks for readiness; more than once if multi.
func (r *ring) poll(fd int32, events uint32, multi bool, user uint64) {
	s := r.ask(opPollAdd, fd, user)
	s.opFlags = events
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		s.opFlags = bits.RotateLeft32(events, 16)
	}
	if multi {
		s.len = pollMulti
	}
	r.live++
}

// cancel ends the operation that was asked for as user.
func (r *ring) cancel(user uint64) {
	s := r.ask(opCancel, -1, askNothing)
	s.addr = user
	s.flags = sqeSkipSuccess
}

// submit has the kernel begin everything that was asked for, without waiting.
// The sends are over then, for better or worse: none of them waits.
func (r *ring) submit() {
	for r.sent != r.filled {
		if !r.enter(0) {
			runtime.Gosched() // no memory, for the moment
		}
	}
	for _, q := range r.queued {
		*q.place = 0
	}
	clear(r.queued)
	r.queued, r.outUsed = r.queued[:0], 0
}

// look submits, has completions posted, and takes them, without waiting.
func (r *ring) look() {
	r.enter(enterGetEvents)
	r.submit()
}

// enter submits what it can and takes the completions that there are.
func (r *ring) enter(flags uintptr) bool {
	r.tellGiven()
	atomic.StoreUint32(r.sqTail, r.filled)
	n, en := raw(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.filled-r.sent), 0, flags, 0, 0)
	return r.entered(n, en)
}

func (r *ring) entered(n uintptr, en syscall.Errno) bool {
	if en == 0 {
		r.sent += uint32(n)
	}
	r.collect()
	for atomic.LoadUint32(r.sqFlags)&sqOverflow != 0 {
		_, _ = raw(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 0, enterGetEvents, 0, 0)
		r.collect()
	}
	return en == 0
}

// sleep is look that waits for a completion, for up to d; below 0: for ever.
func (r *ring) sleep(d time.Duration) {
	r.tellGiven()
	atomic.StoreUint32(r.sqTail, r.filled)
	flags, arg, size := uintptr(enterGetEvents), uintptr(0), uintptr(0)
	if d >= 0 {
		r.wait.time = [2]int64{int64(d / time.Second), int64(d % time.Second)}
		r.wait.ts = uint64(uintptr(unsafe.Pointer(&r.wait.time)))
		flags, arg, size = flags|enterExtArg, uintptr(unsafe.Pointer(&r.wait)), 24
	}
	n, _, en := syscall.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.filled-r.sent), 1, flags, arg, size)
	r.entered(n, en)
	r.submit()
}

// collect takes the completions that the kernel has posted. What could not be
// sent is told of at once, the rest lies in ready.
func (r *ring) collect() {
	head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
	if head == tail {
		return
	}
	for ; head != tail; head++ {
		c := &r.cqes[head&r.cqMask]
		if opOf(c.user) == askSend {
			r.unsent(c)
			continue
		}
		r.ready = append(r.ready, *c)
	}
	atomic.StoreUint32(r.cqHead, head)
}

// comes tells whether more of what was asked for as user lies in ready.
func (r *ring) comes(user uint64) bool {
	for _, c := range r.ready[min(r.next+1, len(r.ready)):] {
		if c.user == user && c.res > 0 {
			return true
		}
	}
	return false
}

// take is what c received; it lies there until done.
func (r *ring) take(c cqe) []byte {
	id := int(c.flags >> 16)
	from := r.bufUsed[id]
	to := from + int(max(c.res, 0))
	r.bufUsed[id] = to
	if r.whole {
		r.bufUsed[id] = r.bufSize
	}
	at := id * r.bufSize
	return r.in[at+from : at+to : at+to]
}

// done says that nobody looks any more at what c received. A buffer is given to
// the kernel again when it is full.
func (r *ring) done(c cqe) {
	r.recent++
	r.touched++
	if id := uint16(c.flags >> 16); r.bufUsed[id] == r.bufSize {
		r.give(id)
	}
}

// What a completion answers.
const (
	askNothing = iota // nobody wants to know
	askAccept         // connections, of a site
	askWatch          // a site's connections wait
	askWake           // another goroutine has something for the loop
	askRecv
	askSend
	askPoll // as epoll has it
	askRoom // for more to send
)

// userOf names an operation on descriptor fd, whose generation is gen.
func userOf(op uint64, gen, fd int32) uint64 {
	return uint64(uint32(gen))<<32 | op<<28 | uint64(fd)
}

func opOf(user uint64) uint64 { return user >> 28 & 15 }
func fdOf(user uint64) int32  { return int32(user & (1<<28 - 1)) }
func genOf(user uint64) int32 { return int32(user >> 32) }
