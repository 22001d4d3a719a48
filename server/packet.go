package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
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
	addr  net.Addr // where from is no IP address
	reply func(p *Packet, b []byte) error
}

// AddrPort is the sender; zero for a Unix socket.
func (p *Packet) AddrPort() netip.AddrPort { return p.from }

// Peer is the sender; nil where a Unix socket had no name.
func (p *Packet) Peer() net.Addr {
	if p.addr == nil && p.from.IsValid() {
		return net.UDPAddrFromAddrPort(p.from)
	}
	return p.addr
}

// Reply sends b to the sender, as one datagram. It may leave together with
// others when the handler has returned; then what goes wrong is only counted.
// errors.ErrUnsupported: the sender has no address.
func (p *Packet) Reply(b []byte) error { return p.reply(p, b) }

// A PacketEvent is a datagram that came or went, for Server.Packet.
type PacketEvent struct {
	Time time.Time
	Ours bool // sent by the server
	Peer net.Addr
	Data []byte // valid during the call
}

// ServePacket answers the datagrams of pc, which it owns, until ctx ends. It
// returns nil when every handler has returned.
func (s *Server) ServePacket(ctx context.Context, pc net.PacketConn) error {
	if s.Packets == nil {
		return errors.Join(errors.New("server: no handler for datagrams"), pc.Close())
	}
	r := newRun(ctx, s)
	defer r.cut(nil)
	stop := context.AfterFunc(ctx, func() { _ = pc.SetReadDeadline(past) })
	defer stop()
	ps := &packets{run: r, pc: pc, inline: s.Packets.Mode() != Blocks, room: make(chan struct{}, maxHandlers)}
	err := ps.read(ctx)
	drain := time.AfterFunc(r.limits.Drain, func() { r.cut(ErrCut) })
	ps.wg.Wait()
	drain.Stop()
	return errors.Join(err, pc.Close())
}

// maxHandlers is how many blocking handlers of one socket run at once; over
// it, datagrams wait in the socket's buffer.
const maxHandlers = 1024

type packets struct {
	*run
	pc     net.PacketConn
	inline bool
	wg     sync.WaitGroup
	room   chan struct{}
}

func (ps *packets) read(ctx context.Context) error {
	udp, _ := ps.pc.(*net.UDPConn)
	buf := make([]byte, MaxPacket)
	p := &Packet{reply: ps.reply}
	var slow backoff
	for {
		n, err := 0, error(nil)
		p.addr, p.from = nil, netip.AddrPort{}
		if udp != nil {
			n, p.from, err = udp.ReadFromUDPAddrPort(buf)
		} else {
			n, p.addr, err = ps.pc.ReadFrom(buf)
		}
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
		ps.count.packets.Add(1)
		ps.count.in.Add(uint64(n))
		p.Data = buf[:n]
		ps.hear(false, p, p.Data)
		if ps.inline {
			ps.handle(p)
			continue
		}
		own := *p
		own.Data = append([]byte(nil), p.Data...)
		ps.room <- struct{}{}
		ps.wg.Go(func() {
			defer func() { <-ps.room }()
			ps.handle(&own)
		})
	}
}

// handle runs the handler; a panic ends one datagram.
func (ps *packets) handle(p *Packet) {
	defer func() {
		if v := recover(); v != nil {
			ps.count.failed(ErrPanic)
			ps.log().Error("panic", "server", ps.Name, "peer", p.Peer(), "panic", v, "stack", string(debug.Stack()))
		}
	}()
	ps.count.turns.Add(1)
	if err := ps.Packets.Packet(ps.ctx, p); err != nil {
		ps.count.failed(err)
		ps.log().Debug("datagram", "server", ps.Name, "peer", p.Peer(), "err", err)
	}
}

func (ps *packets) hear(ours bool, p *Packet, b []byte) {
	if ps.Packet != nil {
		ps.Packet(PacketEvent{time.Now(), ours, p.Peer(), b})
	}
}

func (ps *packets) reply(p *Packet, b []byte) error {
	var err error
	switch udp, _ := ps.pc.(*net.UDPConn); {
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
