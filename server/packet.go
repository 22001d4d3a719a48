package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"time"
)

// A PacketHandler answers datagrams.
type PacketHandler interface {
	// Mode is asked once. Inline and Waits: Packet never waits, and runs where
	// the datagrams are read. Blocks: it may, and runs on a goroutine.
	Mode() Mode
	// Packet answers one datagram. p and its Data are valid until it returns.
	// An error is logged and counted; it ends nothing.
	Packet(ctx context.Context, p *Packet) error
}

// Datagram makes a handler of a function that may block; it is Stream's
// sibling. Python hands such a function the data and the socket: here they are
// p.Data and p.Reply.
func Datagram(f func(ctx context.Context, p *Packet) error) PacketHandler {
	return packetFunc{f, Blocks}
}

// InlineDatagram is Datagram for a function that never waits: it runs where
// the datagrams are read, many for each system call where the kernel allows.
func InlineDatagram(f func(ctx context.Context, p *Packet) error) PacketHandler {
	return packetFunc{f, Inline}
}

type packetFunc struct {
	f    func(ctx context.Context, p *Packet) error
	mode Mode
}

func (h packetFunc) Mode() Mode                                  { return h.mode }
func (h packetFunc) Packet(ctx context.Context, p *Packet) error { return h.f(ctx, p) }

// MaxPacket is how much of a datagram is read: all that UDP can carry.
const MaxPacket = 65535

// A Packet is one datagram, and the way to answer it.
type Packet struct {
	Data  []byte
	Short bool // the datagram was longer than Data

	from  netip.AddrPort
	local netip.Addr // where from sent it to, if we have many addresses
	addr  net.Addr   // where from is no IP address
	fd    int        // the socket it came by, for some answerers
	via   answerer
}

// answerer sends replies.
type answerer interface {
	answer(p *Packet, b []byte) error
}

// AddrPort is the sender; zero for a Unix socket. An IPv4 address is one, on
// an IPv6 socket too.
func (p *Packet) AddrPort() netip.AddrPort { return p.from }

// Peer is the sender; nil where a Unix socket had no name.
func (p *Packet) Peer() net.Addr {
	if p.addr == nil && p.from.IsValid() {
		return net.UDPAddrFromAddrPort(p.from)
	}
	return p.addr
}

// Reply sends b to the sender, as one datagram, from the address that the
// sender had sent to. Where the handler's mode is not Blocks it may leave
// together with others when the handler has returned; then what goes wrong is
// only counted. b may be used again at once, but for parts of Data, which must
// stay as they are until the handler returns. syscall.EMSGSIZE: b is too long
// for a datagram; errors.ErrUnsupported: the sender has no address.
func (p *Packet) Reply(b []byte) error { return p.via.answer(p, b) }

// A PacketEvent is a datagram that came or went, for Server.Packet.
type PacketEvent struct {
	Time time.Time
	Ours bool // sent by the server
	Peer net.Addr
	Data []byte // valid during the call
}

// PacketOptions says how datagrams are read and sent. The zero value is good.
// Elsewhere than on Linux, and for other than UDP sockets, they change nothing:
// there one datagram at a time is read from the one socket.
type PacketOptions struct {
	// Sockets is how many sockets share the port, each read by a goroutine of
	// its own; all datagrams of one peer come by one of them. 0: one for each
	// core.
	Sockets int
	// Buffer is how many bytes the kernel is asked to hold for each socket
	// (SO_RCVBUF); it may grant fewer. 0: 4 MiB. What is larger is left so.
	Buffer int
	// NoGSO has each reply travel through the kernel by itself, even where
	// several of one size go to one peer.
	NoGSO bool
	// NoGRO has the kernel hand over each datagram by itself.
	NoGRO bool
}

// ServePacket answers the datagrams of pc, which it owns, until ctx ends. It
// returns nil when every handler has returned. The socket of a *net.UDPConn is
// taken over on Linux: pc is closed, and then only ctx ends the serving.
func (s *Server) ServePacket(ctx context.Context, pc net.PacketConn) error {
	if s.Packets == nil {
		return errors.Join(errors.New("server: no handler for datagrams"), pc.Close())
	}
	r := newRun(ctx, s)
	defer r.cut(nil)
	ps := &packets{run: r, inline: s.Packets.Mode() != Blocks}
	ps.pc, ps.sole = packetSocket(pc)
	served, err := ps.serveBatches(ctx)
	if served {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = pc.SetReadDeadline(past) })
	defer stop()
	ps.crew = newCrew(ps.handle, func() answerer { return ps })
	err = ps.read(ctx)
	ps.drain(func() {})
	return errors.Join(err, pc.Close())
}

type packets struct {
	*run
	pc     net.PacketConn
	sole   bool // no sockets are to be added to it
	inline bool
	crew   *crew
}

// drain waits for the readers and the handlers, and cuts their context when
// that takes long.
func (ps *packets) drain(readers func()) {
	timer := time.AfterFunc(ps.limits.Drain, func() { ps.cut(ErrCut) })
	defer timer.Stop()
	readers()
	ps.crew.finish()
}

// read serves datagrams one by one, by any net.PacketConn.
func (ps *packets) read(ctx context.Context) error {
	buf := make([]byte, MaxPacket)
	p := &Packet{via: ps}
	var slow backoff
	for {
		n, err := ps.receive(p, buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // ICMP's answer to an earlier reply, or no memory
			ps.count.lost.Add(1)
			if isPassing(err) && !slow.wait(ctx, ps.run, err) {
				return nil
			}
			continue
		}
		slow.reset()
		ps.count.packets.Add(1)
		ps.count.in.Add(uint64(n))
		p.Data = buf[:n:n]
		ps.hear(false, p, p.Data)
		if ps.inline {
			ps.handle(p)
			continue
		}
		if !ps.crew.take(ctx, p) {
			ps.count.lost.Add(1)
			return nil
		}
	}
}

// receive reads one datagram, and says in p where it came from.
func (ps *packets) receive(p *Packet, buf []byte) (n int, err error) {
	p.addr, p.from, p.Short = nil, netip.AddrPort{}, false
	switch pc := ps.pc.(type) {
	case *net.UDPConn:
		n, p.from, err = pc.ReadFromUDPAddrPort(buf)
		p.from = netip.AddrPortFrom(p.from.Addr().Unmap(), p.from.Port())
	case *net.UnixConn:
		var from *net.UnixAddr
		var flags int
		n, _, flags, from, err = pc.ReadMsgUnix(buf, nil)
		p.Short = flags&msgTrunc != 0
		if from != nil {
			p.addr = from
		}
	default:
		n, p.addr, err = pc.ReadFrom(buf)
		if from := addrPort(p.addr); from.IsValid() {
			p.from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		}
	}
	return n, err
}

// handle runs the handler; a panic ends one datagram.
func (ps *packets) handle(p *Packet) {
	defer ps.rescuePacket(p)
	ps.count.turns.Add(1)
	if err := ps.Packets.Packet(ps.ctx, p); err != nil {
		ps.failedPacket(p, err)
	}
}

func (ps *packets) failedPacket(p *Packet, err error) {
	ps.count.failed(err)
	ps.log().Debug("datagram", "server", ps.Name, "peer", p.Peer(), "err", err)
}

// rescuePacket is deferred around a handler.
func (ps *packets) rescuePacket(p *Packet) {
	if v := recover(); v != nil {
		ps.count.failed(ErrPanic)
		ps.log().Error("panic", "server", ps.Name, "peer", p.Peer(), "panic", v, "stack", string(debug.Stack()))
	}
}

func (ps *packets) hear(ours bool, p *Packet, b []byte) {
	if ps.Packet != nil {
		ps.Packet(PacketEvent{time.Now(), ours, p.Peer(), b})
	}
}

// answer sends one reply by any net.PacketConn.
func (ps *packets) answer(p *Packet, b []byte) error {
	var err error
	switch udp, _ := ps.pc.(*net.UDPConn); {
	case udp != nil && udp.RemoteAddr() != nil:
		_, err = udp.Write(b)
	case udp != nil:
		_, err = udp.WriteToUDPAddrPort(b, p.from)
	case p.addr == nil || p.addr.String() == "":
		err = fmt.Errorf("server: the sender has no address to reply to: %w", errors.ErrUnsupported)
	default:
		_, err = ps.pc.WriteTo(b, p.addr)
	}
	if err != nil {
		ps.count.lost.Add(1)
		return err
	}
	ps.count.out.Add(uint64(len(b)))
	ps.hear(true, p, b)
	return nil
}
