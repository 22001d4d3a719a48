package socket

import (
	"context"
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SendBatch gathers datagrams that one system call sends, sendmmsg(2).
// Datagrams of one size that follow each other to one peer (the last may be
// shorter) travel through the kernel as one, which cuts them apart again
// (UDP_SEGMENT, udp(7)); where it or the route cannot, they are sent singly. A
// SendBatch belongs to one goroutine at a time.
type SendBatch struct {
	family Family
	msgs   []mmsghdr
	iov    []unix.Iovec
	names  []nameRoom
	ctl    []controlRoom
	trains []train // of each message
	n, nv  int     // messages and iovecs in use
	next   int     // the first message not sent yet
	queued int     // bytes in all

	// The last message, while more may join it.
	open  bool
	to    netip.AddrPort
	from  netip.Addr
	end   uintptr // where its last piece ends in memory
	spare int     // what is known to lie behind that in the same object

	limit int // longest datagram that may join others
	rest  int // sendings until the limit is lifted again
	apart *SendBatch
	zone  zoneCache
}

// train is what a message consists of.
type train struct {
	to         netip.AddrPort
	from       netip.Addr
	size       int // of each datagram but the last
	count, len int // datagrams, bytes in all
}

const (
	maxSegments = 64    // UDP_MAX_SEGMENTS of Linux 4.18
	maxTrain    = 65487 // what fits behind the headers of IPv6 and UDP in 65535 bytes
	limitRest   = 4096
)

// NewSendBatch makes a batch for sockets of this family, AF_INET or AF_INET6.
func NewSendBatch(family Family, o BatchOptions) *SendBatch {
	o = o.filled()
	b := &SendBatch{
		family: family,
		msgs:   make([]mmsghdr, o.Messages), names: make([]nameRoom, o.Messages),
		ctl: make([]controlRoom, o.Messages), trains: make([]train, o.Messages),
		iov: make([]unix.Iovec, o.Messages),
	}
	if !o.NoGSO {
		b.limit = maxTrain
		b.iov = make([]unix.Iovec, o.Messages*8)
	}
	return b
}

// Len is how many messages wait to be sent; a train counts as one.
func (b *SendBatch) Len() int {
	n := b.n - b.next
	if b.apart != nil {
		n += b.apart.Len()
	}
	return n
}

// Discard empties the batch without sending, and tells in Lost how many
// datagrams those were.
func (b *SendBatch) Discard() (s Sent) {
	if b.apart != nil {
		s = b.apart.Discard()
	}
	for _, t := range b.trains[b.next:b.n] {
		s.Lost += t.count
	}
	b.reset()
	return s
}

// Add puts a datagram into the batch; false: it is full and must be sent first.
// p is not copied: it must not change before it is sent. The zero to is the
// peer of a connected socket. from is the address of ours that it shall come
// from (Datagram.To); zero: the system chooses.
//
// Datagrams that are neighbours in one buffer, each with the capacity to reach
// over the next, cost the least.
func (b *SendBatch) Add(p []byte, to netip.AddrPort, from netip.Addr) bool {
	if b.open && to == b.to && from == b.from && b.join(p) {
		return true
	}
	if b.n == len(b.msgs) || b.nv == len(b.iov) {
		return false
	}
	i := b.n
	h := &b.msgs[i].hdr
	h.Name, h.Namelen, h.Control = nil, 0, nil
	h.SetControllen(0)
	if to.IsValid() {
		h.Name = &b.names[i][0]
		h.Namelen = b.put(&b.names[i], to)
	}
	if from.IsValid() {
		b.pktinfo(i, from)
	}
	h.Iov = &b.iov[b.nv]
	h.SetIovlen(0)
	b.n++
	b.piece(h, p)
	b.trains[i] = train{to, from, len(p), 1, len(p)}
	b.queued += len(p)
	b.to, b.from = to, from
	b.open = len(p) > 0 && len(p) <= b.limit
	return true
}

// join adds p to the last message, if it may be there.
func (b *SendBatch) join(p []byte) bool {
	i := b.n - 1
	t := &b.trains[i]
	if len(p) > t.size || len(p) == 0 || t.count == maxSegments || t.len+len(p) > maxTrain {
		return false
	}
	h := &b.msgs[i].hdr
	if len(p) <= b.spare && b.end == uintptr(unsafe.Pointer(unsafe.SliceData(p))) {
		v := &b.iov[b.nv-1]
		v.SetLen(int(v.Len) + len(p))
		b.end += uintptr(len(p))
		b.spare -= len(p)
	} else {
		if b.nv == len(b.iov) {
			return false
		}
		b.piece(h, p)
	}
	if t.count == 1 {
		b.segment(i, t.size)
	}
	t.count++
	t.len += len(p)
	b.queued += len(p)
	b.open = len(p) == t.size
	return true
}

// piece appends an iovec.
func (b *SendBatch) piece(h *unix.Msghdr, p []byte) {
	v := &b.iov[b.nv]
	b.nv++
	v.Base = unsafe.SliceData(p)
	v.SetLen(len(p))
	h.SetIovlen(int(h.Iovlen) + 1)
	b.end = uintptr(unsafe.Pointer(v.Base)) + uintptr(len(p))
	b.spare = cap(p) - len(p)
}

// put writes a sockaddr as the family takes it.
func (b *SendBatch) put(room *nameRoom, to netip.AddrPort) uint32 {
	ip := to.Addr()
	binary.BigEndian.PutUint16(room[2:], to.Port())
	if b.family != AF_INET6 {
		binary.NativeEndian.PutUint16(room[:], unix.AF_INET)
		if ip = ip.Unmap(); !ip.Is4() {
			binary.NativeEndian.PutUint16(room[:], unix.AF_INET6) // for the kernel to refuse
			return inet6Len
		}
		a := ip.As4()
		copy(room[4:8], a[:])
		clear(room[8:inet4Len])
		return inet4Len
	}
	binary.NativeEndian.PutUint16(room[:], unix.AF_INET6)
	clear(room[4:8])
	a := ip.As16()
	copy(room[8:24], a[:])
	binary.NativeEndian.PutUint32(room[24:], b.zone.scopeID(ip.Zone()))
	return inet6Len
}

// control appends a control message to those of message i and returns its data.
func (b *SendBatch) control(i, level, typ, length int) []byte {
	h := &b.msgs[i].hdr
	at := int(h.Controllen)
	raw := (*[unsafe.Sizeof(controlRoom{})]byte)(unsafe.Pointer(&b.ctl[i]))
	c := (*unix.Cmsghdr)(unsafe.Pointer(&raw[at]))
	c.Level, c.Type = int32(level), int32(typ)
	c.SetLen(unix.CmsgLen(length))
	h.Control = &raw[0]
	h.SetControllen(at + unix.CmsgSpace(length))
	return raw[at+unix.CmsgLen(0) : at+unix.CmsgLen(length)]
}

func (b *SendBatch) segment(i, size int) {
	binary.NativeEndian.PutUint16(b.control(i, unix.SOL_UDP, unix.UDP_SEGMENT, 2), uint16(size))
}

// pktinfo names the address that message i shall come from.
func (b *SendBatch) pktinfo(i int, from netip.Addr) {
	if from = from.Unmap(); from.Is4() {
		data := b.control(i, unix.SOL_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		clear(data)
		a := from.As4()
		copy(data[4:8], a[:])
		return
	}
	data := b.control(i, unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	a := from.As16()
	copy(data[:16], a[:])
	binary.NativeEndian.PutUint32(data[16:], b.zone.scopeID(from.Zone()))
}

// SendFD sends what the batch holds, and empties it. It never waits: when the
// socket's buffer is full it returns unix.EAGAIN and keeps the rest for the
// next call. A datagram that the kernel refuses stops no other: it is counted
// in Sent.Lost, and the error, an errno, is that of the first. The descriptor is
// the caller's, who may have it of a syscall.RawConn's Write.
func (b *SendBatch) SendFD(fd int) (sent Sent, err error) {
	again := false
	for {
		if b.apart != nil && b.apart.n > 0 {
			more, aerr := b.apart.SendFD(fd)
			sent.add(more)
			if aerr == unix.EAGAIN {
				return sent, aerr
			}
			if err == nil {
				err = aerr
			}
		}
		if b.next == b.n {
			b.reset()
			return sent, err
		}
		n, e := b.call(fd)
		for _, t := range b.trains[b.next : b.next+n] {
			sent.Datagrams += t.count
			sent.Bytes += t.len
		}
		b.next += n
		switch t := &b.trains[min(b.next, b.n-1)]; {
		case e == 0:
			again = false
		case e == unix.EINTR:
		case e == unix.EAGAIN:
			b.open = false
			return sent, unix.EAGAIN
		case t.count > 1 && b.uncouple(t, e):
			b.next++
		case !again: // it may have been told of another's ICMP error
			again = true
		default:
			again = false
			sent.Lost += t.count
			b.next++
			if err == nil {
				err = e
			}
		}
	}
}

// call sends messages from next on, and returns how many went. Those of many
// bytes go in several calls.
func (b *SendBatch) call(fd int) (int, unix.Errno) {
	end := b.n
	if b.queued > heavySend {
		end = b.next
		for bytes := 0; end < b.n && bytes < heavySend; end++ {
			bytes += b.trains[end].len
		}
	}
	n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.msgs[b.next])),
		uintptr(end-b.next), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), 0
}

// uncouple has the datagrams of the next message sent singly, if e may be about
// their being joined: EINVAL for a size over the route's MTU, EIO for a device
// or a route (IPsec) that cannot do it. For a while no others of that size are.
func (b *SendBatch) uncouple(t *train, e unix.Errno) bool {
	switch e {
	case unix.EINVAL, unix.EMSGSIZE:
		b.limit = min(b.limit, t.size-1)
	case unix.EIO, unix.EOPNOTSUPP, unix.ENOPROTOOPT:
		b.limit = 0
	default:
		return false
	}
	b.rest = limitRest
	if b.apart == nil {
		b.apart = NewSendBatch(b.family, BatchOptions{Messages: maxSegments, NoGSO: true})
	}
	h := &b.msgs[b.next].hdr
	for _, v := range unsafe.Slice(h.Iov, int(h.Iovlen)) {
		whole := unsafe.Slice(v.Base, int(v.Len))
		for len(whole) > 0 {
			n := min(t.size, len(whole))
			b.apart.Add(whole[:n], t.to, t.from)
			whole = whole[n:]
		}
	}
	return true
}

// reset empties the batch. What it pointed at is let go of when it is used
// again.
func (b *SendBatch) reset() {
	b.n, b.nv, b.next, b.queued, b.open = 0, 0, 0, 0, false
	if b.rest > 0 {
		if b.rest--; b.rest == 0 {
			b.limit = maxTrain
		}
	}
}

// SendBatch sends what b holds, sendmmsg(2), and empties it. It waits while the
// socket's buffer is full. Datagrams that the kernel refuses stop no others: they
// are counted, and the error is that of the first. When ctx ends, the rest stays
// in b.
func (s *Sock) SendBatch(ctx context.Context, b *SendBatch) (Sent, error) {
	var sent Sent
	var refused error
	d := &s.out
	if err := d.enter(ctx); err != nil {
		return sent, s.fail("sendmmsg", nil, err)
	}
	defer d.leave()
	err := d.run(ctx, true, func(fd int) error {
		more, err := b.SendFD(fd)
		sent.add(more)
		if err == unix.EAGAIN {
			return err
		}
		if refused == nil {
			refused = err
		}
		return nil
	})
	if err == nil {
		err = refused
	}
	return sent, s.fail("sendmmsg", nil, err)
}
