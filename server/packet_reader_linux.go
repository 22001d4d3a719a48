package server

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/socket"
)

// reader is one socket of a port, and the goroutine that reads it. Handlers
// that do not block run there, and their replies leave together.
type reader struct {
	*batches
	fd    int
	first bool // it alone answers what comes to all of the port's sockets
	in    *socket.RecvBatch
	out   *socket.SendBatch
	polls []unix.PollFd
	kept  []byte // replies that were copied
	slow  backoff

	// Where it is in what it received: the next message, the present one, what
	// of its data has not been handled (nil: nothing), and the datagram that is.
	i    int
	d    socket.Datagram
	rest []byte
	data []byte
	at   int // of data in d.Data
	p    Packet

	got, gotBytes uint64 // since the last publish
}

// keptSize is the room for replies of one batch that must be copied; for more
// the batch is sent early.
const keptSize = 128 << 10

func newReader(bs *batches, i int) *reader {
	r := &reader{
		batches: bs, fd: bs.fds[i], first: i == 0,
		in:    socket.NewRecvBatch(socket.BatchOptions{}),
		polls: make([]unix.PollFd, 2),
	}
	if bs.inline {
		r.out = socket.NewSendBatch(bs.family, socket.BatchOptions{NoGSO: bs.PacketOptions.NoGSO})
	}
	r.p.via, r.p.fd = r, r.fd
	return r
}

// lastRounds is how often a reader looks for more when the serving has ended:
// what had come by then is answered, as far as it is no flood. It would be lost
// with a socket that nobody else has.
const lastRounds = 64

// run serves until the serving ends.
func (r *reader) run(ctx context.Context) {
	last := lastRounds
	for round := 0; ; round++ {
		if r.stopping.Load() {
			if last--; last < 0 {
				return
			}
		}
		_, err := r.in.RecvFD(r.fd)
		switch {
		case err == unix.EAGAIN && r.stopping.Load():
			return
		case err == unix.EAGAIN:
			r.await()
			continue
		case err != nil:
			if !r.failed(ctx, err) {
				return
			}
			continue
		}
		r.slow.reset()
		r.i = 0
		for !r.work() {
		}
		r.publish()
		if r.inline {
			r.flush()
		}
		if !r.inline || round&63 == 63 { // others get the core even if datagrams never cease
			runtime.Gosched()
		}
	}
}

// await waits for a datagram or the end of the serving.
func (r *reader) await() {
	r.polls[0] = unix.PollFd{Fd: int32(r.fd), Events: unix.POLLIN}
	r.polls[1] = unix.PollFd{Fd: int32(r.wake), Events: unix.POLLIN}
	n, err := unix.Poll(r.polls, -1)
	if err == nil && n > 0 && r.polls[0].Revents&(unix.POLLERR|unix.POLLIN) == unix.POLLERR {
		r.forgetErrors()
	}
}

// forgetErrors empties the queue of a socket with IP_RECVERR, ip(7), which
// would wake its reader for ever.
func (r *reader) forgetErrors() {
	_, _ = unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading clears it
	var b [1]byte
	for {
		if _, _, err := unix.Recvfrom(r.fd, b[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); err != nil {
			return
		}
		r.count.lost.Add(1)
	}
}

// failed counts an error of receiving, and waits where it will be there again;
// false when the serving ended meanwhile.
func (r *reader) failed(ctx context.Context, err error) bool {
	switch err {
	case unix.EINTR:
		return true
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENETDOWN, unix.ENOPROTOOPT,
		unix.EPROTO, unix.EMSGSIZE, unix.EACCES, unix.EOPNOTSUPP, unix.ENONET: // ICMP's answer to an earlier reply
		r.count.lost.Add(1)
		return true
	}
	return r.slow.wait(ctx, r.batches.packets.run, err)
}

// work handles what was received; false when a handler panicked and there may
// be more.
func (r *reader) work() (done bool) {
	defer r.rescuePacket(&r.p)
	inline, quiet := r.inline, r.Packet == nil
	for r.next() {
		if !quiet {
			r.hear(false, &r.p, r.p.Data)
		}
		if !inline {
			if !r.crew.take(r.ctx, &r.p) { // not while the serving drains
				r.count.lost.Add(1)
			}
			continue
		}
		if err := r.Packets.Packet(r.ctx, &r.p); err != nil {
			r.failedPacket(&r.p, err)
		}
	}
	return true
}

// next makes p the next datagram.
func (r *reader) next() bool {
	for r.rest == nil {
		if r.i == r.in.Len() {
			return false
		}
		r.d = r.in.At(r.i)
		r.i++
		if r.d.Group && !r.first {
			continue
		}
		r.rest = r.d.Data
		r.p.from, r.p.local = r.d.From, r.d.To
		if a := r.d.From.Addr(); a.Is4In6() {
			r.p.from = netip.AddrPortFrom(a.Unmap(), r.d.From.Port())
		}
	}
	data := r.rest
	r.at = len(r.d.Data) - len(data)
	if size := r.d.Size; size > 0 && len(data) > size {
		r.rest = data[size:]
		data = data[:size:size]
		r.p.Short = false
	} else {
		r.rest = nil
		data = slices.Clip(data)
		r.p.Short = r.d.Short
	}
	r.data, r.p.Data = data, data
	r.got++
	r.gotBytes += uint64(len(data))
	return true
}

// answer gathers a reply of a handler that runs here.
func (r *reader) answer(p *Packet, b []byte) error {
	if len(b) > maxReply(p.from) {
		r.count.lost.Add(1)
		return unsent(p, unix.EMSGSIZE)
	}
	for !r.out.Add(r.keep(b), p.from, p.local) {
		r.flush() // and what was kept is forgotten
	}
	if r.Packet != nil {
		r.hear(true, p, b)
	}
	return nil
}

// keep makes b last until it is sent. Parts of the datagram do; to reach over
// what follows in memory spares the sending an address.
func (r *reader) keep(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	at := uintptr(unsafe.Pointer(&b[0])) - uintptr(unsafe.Pointer(unsafe.SliceData(r.data)))
	if at < uintptr(len(r.data)) && at+uintptr(len(b)) <= uintptr(len(r.data)) {
		whole := r.d.Data[:cap(r.d.Data)]
		from := r.at + int(at)
		return whole[from : from+len(b)]
	}
	if len(r.kept)+len(b) > cap(r.kept) {
		r.flush()
		if r.kept == nil {
			r.kept = make([]byte, 0, keptSize)
		}
	}
	from := len(r.kept)
	r.kept = append(r.kept, b...)
	return r.kept[from:]
}

// flush sends what was gathered.
func (r *reader) flush() {
	for r.out.Len() > 0 {
		sent, err := r.out.SendFD(r.fd)
		r.sent(sent)
		if err == unix.EAGAIN && !writable(r.fd) {
			r.sent(r.out.Discard())
		}
	}
	r.kept = r.kept[:0]
}

// publish adds what was received to the server's counters.
func (r *reader) publish() {
	r.count.packets.Add(r.got)
	r.count.in.Add(r.gotBytes)
	if r.inline {
		r.count.turns.Add(r.got)
	}
	r.got, r.gotBytes = 0, 0
}

func (bs *batches) sent(s socket.Sent) {
	if s.Bytes > 0 {
		bs.count.out.Add(uint64(s.Bytes))
	}
	if s.Lost > 0 {
		bs.count.lost.Add(uint64(s.Lost))
	}
}

// sendPatience is how long a reply waits for a network device, in
// milliseconds: a stuck one must not keep everyone from being heard.
const sendPatience = 100

// writable waits until fd's buffer has room.
func writable(fd int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, sendPatience)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// maxReply is how much one datagram carries, RFC 768 in RFC 791 or RFC 8200.
func maxReply(to netip.AddrPort) int {
	if to.Addr().Is4() {
		return 65535 - 20 - 8
	}
	return 65535 - 8
}

func unsent(p *Packet, err error) error {
	return &net.OpError{Op: "write", Net: "udp", Addr: p.Peer(), Err: os.NewSyscallError("sendmmsg", err)}
}

// single sends the replies of a handler that may block, each at once.
type single struct {
	*batches
	mu  sync.Mutex // a handler may reply from several goroutines
	out *socket.SendBatch
}

func (bs *batches) newSingle() answerer {
	return &single{batches: bs, out: socket.NewSendBatch(bs.family, socket.BatchOptions{Messages: 1, NoGSO: true})}
}

func (s *single) answer(p *Packet, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Add(b, p.from, p.local)
	for {
		sent, err := s.out.SendFD(p.fd)
		if err == unix.EAGAIN {
			if writable(p.fd) {
				continue
			}
			sent = s.out.Discard()
		}
		s.sent(sent)
		if err != nil {
			return unsent(p, err)
		}
		s.hear(true, p, b)
		return nil
	}
}
