package socket

import (
	"context"
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// RecvBatch is room for many datagrams that one system call receives,
// recvmmsg(2). It belongs to one goroutine at a time.
//
// With UDP_GRO set on the socket, udp(7), datagrams of one sender that came
// together are one message: see Datagram.Size.
type RecvBatch struct {
	msgs   []mmsghdr
	iov    []unix.Iovec
	names  []nameRoom
	ctl    []controlRoom
	memory []byte
	stride int
	size   int
	n      int // messages of the last call
	dirty  int // headers that the kernel has written since they were made ready
	zone   zoneCache
}

// The kernel is given the addresses of all of these: they are on the heap,
// for a stack moves.
type (
	mmsghdr struct {
		hdr unix.Msghdr
		len uint32
	}
	nameRoom    [32]byte   // a sockaddr_in or sockaddr_in6
	controlRoom [48]uint64 // aligned as a cmsghdr
)

// NewRecvBatch makes a batch.
func NewRecvBatch(o BatchOptions) *RecvBatch {
	o = o.filled()
	b := &RecvBatch{
		msgs: make([]mmsghdr, o.Messages), iov: make([]unix.Iovec, o.Messages),
		names: make([]nameRoom, o.Messages), ctl: make([]controlRoom, o.Messages),
		size: o.Size, dirty: o.Messages,
	}
	// Were the rooms a power of two apart, their beginnings, which is all that
	// short datagrams use, would compete for the same lines of the cache.
	b.stride = (o.Size+63)&^63 + 192
	b.memory = make([]byte, b.stride*o.Messages)
	for i := range b.msgs {
		b.iov[i].Base = &b.memory[i*b.stride]
		b.iov[i].SetLen(o.Size)
		h := &b.msgs[i].hdr
		h.Iov, h.Name = &b.iov[i], &b.names[i][0]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&b.ctl[i]))
	}
	return b
}

// The calls here do not tell the scheduler, which saves most of what a system
// call costs in Go. Therefore they must be short: while one runs, the world
// cannot be stopped.
const (
	heavyRecv = 1 << 20   // bytes in one call after which the next is for fewer messages
	heavySend = 256 << 10 // bytes for one call
)

// RecvFD receives what lies in a socket's queue, and returns how many messages
// those are: at least one, or unix.EAGAIN when there is none. It never waits.
// Other errors are the system's errno. The descriptor is the caller's, who may
// have it of a syscall.RawConn's Read.
func (b *RecvBatch) RecvFD(fd int) (int, error) {
	moved := 0
	for i := range b.msgs[:b.n] {
		moved += int(b.msgs[i].len)
	}
	for i := range b.msgs[:b.dirty] {
		h := &b.msgs[i].hdr
		h.Namelen = uint32(len(nameRoom{}))
		h.SetControllen(int(unsafe.Sizeof(controlRoom{})))
	}
	b.n, b.dirty = 0, 0
	count := len(b.msgs)
	if moved > heavyRecv {
		count = max(1, count/4)
	}
	n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.msgs[0])),
		uintptr(count), unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		b.dirty = 1 // it may have got as far as the first header
		return 0, errnoErr(e)
	}
	b.n, b.dirty = int(n), min(int(n)+1, len(b.msgs))
	return b.n, nil
}

// Len is how many messages the last call received.
func (b *RecvBatch) Len() int { return b.n }

// At is message i of the last call.
func (b *RecvBatch) At(i int) (d Datagram) {
	m := &b.msgs[:b.n][i]
	at := i * b.stride
	d.Data = b.memory[at : at+min(int(m.len), b.size) : at+b.size]
	d.From = b.zone.addrPort(b.names[i][:min(int(m.hdr.Namelen), len(nameRoom{}))])
	d.Short = m.hdr.Flags&unix.MSG_TRUNC != 0
	if n := int(m.hdr.Controllen); n > 0 {
		raw := (*[unsafe.Sizeof(controlRoom{})]byte)(unsafe.Pointer(&b.ctl[i]))
		b.zone.ancillary(raw[:min(n, len(raw))], &d)
	}
	return d
}

// RecvBatch receives many datagrams at once, recvmmsg(2), and returns how many
// messages b holds then. It waits for the first, not for b to be full; with
// MSG_DONTWAIT it fails with EAGAIN instead. Errors are as with RecvFrom, but
// what was cut is told by Datagram.Short alone.
func (s *Sock) RecvBatch(ctx context.Context, b *RecvBatch, flags ...Flag) (int, error) {
	d := &s.in
	if err := d.enter(ctx); err != nil {
		return 0, s.fail("recvmmsg", nil, err)
	}
	defer d.leave()
	err := d.run(ctx, union(flags)&MSG_DONTWAIT == 0, func(fd int) error {
		_, err := b.RecvFD(fd)
		return err
	})
	return b.n, s.fail("recvmmsg", nil, err)
}

// zoneCache remembers the last interface looked up: the kernel speaks of an
// IPv6 zone by index, netip by name.
type zoneCache struct {
	id   uint32
	name string
}

func (z *zoneCache) zoneOf(id uint32) string {
	if id != z.id {
		z.id, z.name = id, zoneOf(id)
	}
	return z.name
}

func (z *zoneCache) scopeID(name string) uint32 {
	if name != z.name {
		id, _ := scopeID(name)
		z.id, z.name = id, name
	}
	return z.id
}

// addrPort reads a sockaddr_in or sockaddr_in6; the zero AddrPort from others.
func (z *zoneCache) addrPort(b []byte) netip.AddrPort {
	if len(b) < inet4Len {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port)
	case family == unix.AF_INET6 && len(b) >= inet6Len:
		ip := netip.AddrFrom16([16]byte(b[8:24]))
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 {
			ip = ip.WithZone(z.zoneOf(scope))
		}
		return netip.AddrPortFrom(ip, port)
	}
	return netip.AddrPort{}
}

// ancillary reads control messages into d: UDP_GRO of udp(7), IP_PKTINFO of
// ip(7), IPV6_PKTINFO of RFC 3542. Others, and what is cut, are passed over.
func (z *zoneCache) ancillary(b []byte, d *Datagram) {
	const head = unix.SizeofCmsghdr
	for len(b) >= head {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		if h.Len < head || uint64(h.Len) > uint64(len(b)) {
			return
		}
		length := int(h.Len)
		data := b[unix.CmsgLen(0):max(length, unix.CmsgLen(0))]
		switch {
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			d.Size = max(0, int(int32(binary.NativeEndian.Uint32(data))))
		case h.Level == unix.SOL_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			pktinfo4(data, d)
		case h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo && !d.To.IsValid():
			z.pktinfo6(data, d)
		}
		b = b[min(unix.CmsgSpace(length-unix.CmsgLen(0)), len(b)):]
	}
}

// pktinfo4 reads an in_pktinfo: the interface's index, the local address, and
// the destination in the header. The local address is not known of what came
// before the option was set.
func pktinfo4(data []byte, d *Datagram) {
	local, to := netip.AddrFrom4([4]byte(data[4:8])), netip.AddrFrom4([4]byte(data[8:12]))
	if local.IsUnspecified() && !to.IsMulticast() && to != limitedBroadcast() {
		local = to
	}
	d.Group = local != to
	if !local.IsUnspecified() {
		d.To = local
	}
}

func limitedBroadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// pktinfo6 reads an in6_pktinfo: the destination and the interface's index.
func (z *zoneCache) pktinfo6(data []byte, d *Datagram) {
	to := netip.AddrFrom16([16]byte(data[:16]))
	switch {
	case to.Unmap().IsMulticast():
		d.Group = true // the system chooses whence to reply
		return
	case to.IsLinkLocalUnicast():
		to = to.WithZone(z.zoneOf(binary.NativeEndian.Uint32(data[16:])))
	}
	d.To = to
}
