package server

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/wire"
)

// evPort is an evTalk as its Conn sees it: the socket, through raw calls.
type evPort evTalk

var _ conv.Port = (*evPort)(nil)

// Recv reads without waiting.
func (p *evPort) Recv(b []byte) (int, error) {
	t := (*evTalk)(p)
	if t.drained && !t.hup {
		return 0, wire.ErrWait
	}
	if !t.worker {
		if co := t.site.lp.current; co != nil {
			if err := co.share(); err != nil {
				return 0, err
			}
		}
	}
	if t.onRing() {
		if n, err, ok := t.taken(b); ok {
			return n, err
		}
	}
	for {
		n, en := raw(unix.SYS_RECVFROM, uintptr(t.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
		switch en {
		case 0:
			if n == 0 {
				t.eof = true
				return 0, io.EOF
			}
			t.drained = int(n) < len(b)
			t.counted(int(n), 0)
			return int(n), nil
		case syscall.EAGAIN:
			t.drained, t.hup = true, false
			return 0, wire.ErrWait
		case syscall.EINTR:
		default:
			t.eof = true
			return 0, os.NewSyscallError("read", en)
		}
	}
}

// counted adds to the counters: on the loop for its end of the round.
func (t *evTalk) counted(in, out int) {
	st := t.site
	if t.worker {
		st.count.in.Add(uint64(in))
		st.count.out.Add(uint64(out))
		return
	}
	st.in += uint64(in)
	st.out += uint64(out)
	st.mark()
}

// piece is how much one raw call may send: it keeps its processor meanwhile.
const piece = 256 << 10

// write gives the kernel what it takes.
func (t *evTalk) write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		k := min(len(b)-done, piece)
		n, en := raw(unix.SYS_SENDTO, uintptr(t.fd), uintptr(unsafe.Pointer(&b[done])), uintptr(k), unix.MSG_NOSIGNAL, 0, 0)
		switch en {
		case 0:
			done += int(n)
			continue
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			t.counted(0, done)
			return done, nil
		}
		return done, os.NewSyscallError("write", en)
	}
	t.counted(0, done)
	return done, nil
}

// Send gives b to the kernel; what it does not take is held, up to
// Limits.Held. A Turn that may wait does so; one that may not fails over the
// limit, and no further Turn begins while anything is held.
func (p *evPort) Send(b []byte) error {
	t := (*evTalk)(p)
	if t.onRing() && t.sendQueued(b) {
		return nil
	}
	if len(t.held) == 0 {
		n, err := t.write(b)
		if err != nil || n == len(b) {
			return err
		}
		b = b[n:]
	}
	limit := t.site.limits.Held
	for t.mayWait() && len(b) > 0 { // held in pieces of the limit
		k := len(b)
		if limit > 0 {
			k = min(k, limit-len(t.held))
		}
		t.held = append(t.held, b[:k]...)
		b = b[k:]
		t.needRoom()
		if err := t.waitSent(); err != nil {
			return err
		}
	}
	if limit > 0 && len(t.held)+len(b) > limit {
		return ErrHeld
	}
	t.held = append(t.held, b...) // copied: b is lent
	t.needRoom()
	return nil
}

// mayWait tells whether whoever runs the talk now can wait for its socket.
func (t *evTalk) mayWait() bool {
	return t.worker && !t.noWait || !t.worker && t.site.lp.current != nil && t.site.lp.current.t == t
}

// waitSent returns when nothing is held.
func (t *evTalk) waitSent() error {
	for len(t.held) > 0 {
		if err := t.pause(); err != nil {
			return err
		}
		if err := t.unhold(); err != nil {
			return err
		}
	}
	return nil
}

func (t *evTalk) unhold() error {
	n, err := t.write(t.held)
	if err != nil {
		t.held = nil // or what is said next would wait behind it for ever
		return err
	}
	if t.held = t.held[n:]; len(t.held) == 0 {
		t.held = nil
		return nil
	}
	t.needRoom()
	return nil
}

// Wait returns when the socket has spoken; wire.ErrWait on the bare loop.
func (p *evPort) Wait() error {
	t := (*evTalk)(p)
	if !t.mayWait() {
		return wire.ErrWait
	}
	return t.pause()
}

// pause waits for the next event of the socket: a coroutine yields, a worker
// parks.
func (t *evTalk) pause() error {
	if !t.worker {
		return t.yield()
	}
	for {
		s := t.state.Load()
		switch {
		case s&stCut != 0:
			return t.why
		case t.expired():
			return os.ErrDeadlineExceeded
		case s&stLate != 0:
			t.state.And(^uint32(stLate))
			continue
		case s&stEvent != 0:
			t.took(t.state.And(^uint32(stEvent | stHup)))
			return nil
		}
		if t.park == nil {
			t.park = make(chan struct{}, 1)
		}
		if t.state.CompareAndSwap(s, s|stPark) {
			<-t.park
		}
	}
}

// unpark lets a parked worker look at the state again.
func (t *evTalk) unpark() {
	if t.state.And(^uint32(stPark))&stPark != 0 {
		t.park <- struct{}{}
	}
}

// late says that the deadline has passed, from any goroutine.
func (t *evTalk) late() {
	old := t.state.Or(stLate)
	if old&stRun != 0 {
		t.unpark()
		return
	}
	if old&stEnd == 0 {
		t.site.lp.post(t)
	}
}

// SetDeadline bounds the waits of a Turn, with the grain of the loop's clock.
// The zero time is no deadline.
func (p *evPort) SetDeadline(d time.Time) error {
	t := (*evTalk)(p)
	if d.IsZero() {
		t.setDeadline(0)
		t.state.And(^uint32(stLate))
		return nil
	}
	at := int64(d.Sub(t.site.lp.start)) // no farther away than an int64 goes
	if at == 0 {
		at = 1
	}
	t.setDeadline(at)
	if t.expired() {
		t.late()
	}
	return nil
}

// setDeadline changes the deadline, and has the loop look as often as it takes.
func (t *evTalk) setDeadline(at int64) {
	switch old := t.deadline.Swap(at); {
	case old == 0 && at != 0:
		t.site.lp.timed.Add(1)
	case old != 0 && at == 0:
		t.site.lp.timed.Add(-1)
	}
}

// expired tells whether the deadline has passed.
func (t *evTalk) expired() bool {
	d := t.deadline.Load()
	return d != 0 && int64(time.Since(t.site.lp.start)) >= d
}

// LendIn lends the loop's storage to a Turn on the loop; a worker has its own.
func (p *evPort) LendIn() []byte {
	t := (*evTalk)(p)
	if t.worker {
		return nil
	}
	if t.onRing() {
		if b := t.lendable(); b != nil {
			return b
		}
	}
	return t.site.lp.in
}

// LendOut lends the loop's storage for output to one talk at a time.
func (p *evPort) LendOut() []byte {
	t := (*evTalk)(p)
	if lp := t.site.lp; !t.worker && !lp.outBusy {
		lp.outBusy = true
		return lp.out[:0]
	}
	return wire.Get(4096)[:0]
}

// Unlend takes it back.
func (p *evPort) Unlend(b []byte) {
	t := (*evTalk)(p)
	if lp := t.site.lp; unsafe.SliceData(b) == unsafe.SliceData(lp.out) {
		lp.outBusy = false
		return
	}
	wire.Put(b)
}

// CloseWrite ends our half of the stream, after what is held.
func (p *evPort) CloseWrite() error {
	t := (*evTalk)(p)
	if !t.worker {
		t.sendNow()
	}
	if len(t.held) > 0 {
		if !t.mayWait() {
			return ErrMode
		}
		if err := t.waitSent(); err != nil {
			return err
		}
	}
	return os.NewSyscallError("shutdown", unix.Shutdown(int(t.fd), unix.SHUT_WR))
}

// Close cuts both halves; the engine closes the descriptor when the Turn is
// over. The loop does it, because it may be another goroutine that asks, and
// the descriptor's number somebody else's by now.
func (p *evPort) Close() error {
	t := (*evTalk)(p)
	t.site.lp.call(func() {
		if !t.dead {
			if t.state.Load()&stRun == 0 {
				t.sendNow()
			}
			_ = unix.Shutdown(int(t.fd), unix.SHUT_RDWR) // not connected any more is as good
		}
	})
	return nil
}

// RemoteAddr asks the kernel: a talk that nobody asks about keeps no address.
// It is nil when the talk has ended.
func (p *evPort) RemoteAddr() net.Addr { return (*evTalk)(p).addr(unix.Getpeername) }

// LocalAddr asks the kernel.
func (p *evPort) LocalAddr() net.Addr { return (*evTalk)(p).addr(unix.Getsockname) }

func (t *evTalk) addr(of func(int) (unix.Sockaddr, error)) net.Addr {
	a := netAddr(of(int(t.fd)))
	if t.state.Load()&stGone != 0 { // it may be another's
		return nil
	}
	return a
}

// stillTalks reads and forgets what the peer sent that nobody will answer, and
// tells whether that was something; the end of the stream is noted.
func (t *evTalk) stillTalks() (talks bool) {
	lp := t.site.lp
	if t.onRing() {
		talks = t.dropRest()
	}
	for range 16 {
		if t.eof {
			return talks
		}
		n, en := raw(unix.SYS_RECVFROM, uintptr(t.fd), uintptr(unsafe.Pointer(&lp.in[0])), uintptr(len(lp.in)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case en == unix.EAGAIN || en == unix.EINTR:
			return talks
		case en != 0 || n == 0:
			t.eof = true
		default:
			talks = true
		}
	}
	return talks
}

// netAddr is a socket address as the net package has it; nil for none.
func netAddr(sa unix.Sockaddr, err error) net.Addr {
	if err != nil {
		return nil
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return &net.UnixAddr{Name: u.Name, Net: "unix"}
	}
	if ap := addrPortOf(sa); ap.IsValid() {
		return net.TCPAddrFromAddrPort(ap)
	}
	return nil
}

func addrPortOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		a := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 && !a.Is4In6() {
			a = a.WithZone(zoneName(sa.ZoneId))
		}
		return netip.AddrPortFrom(a.Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

func zoneName(id uint32) string {
	ifi, err := net.InterfaceByIndex(int(id))
	if err != nil {
		return ""
	}
	return ifi.Name
}
