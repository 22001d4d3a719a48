package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/socket"
)

const msgTrunc = unix.MSG_TRUNC

// batches is one Serve of a UDP port whose datagrams are moved many at a time:
// one socket, and one goroutine that reads it, for each core.
type batches struct {
	*packets
	family   socket.Family
	fds      []int
	wake     int // an eventfd, readable when the serving ends
	stopping atomic.Bool
}

// serveBatches serves an unconnected UDP socket; served is false for others.
func (ps *packets) serveBatches(ctx context.Context) (served bool, err error) {
	udp, ok := ps.pc.(*net.UDPConn)
	if !ok || udp.RemoteAddr() != nil {
		return false, nil
	}
	fd := -1
	rc, err := udp.SyscallConn()
	if err == nil {
		err = errors.Join(rc.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) }), err)
	}
	if err != nil {
		return false, nil // the simple loop will tell what is wrong
	}
	bs := &batches{packets: ps, fds: []int{fd}, wake: -1}
	defer bs.close()
	// pc is closed, so that Go's poller does not wake for each datagram too.
	if err := udp.Close(); err != nil {
		return true, err
	}
	if bs.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return true, os.NewSyscallError("eventfd", err)
	}
	if err := bs.prepare(); err != nil {
		return true, err
	}
	bs.serve(ctx)
	return true, nil
}

func (bs *batches) close() {
	for _, fd := range append(bs.fds, bs.wake) {
		unix.Close(fd)
	}
}

func (bs *batches) serve(ctx context.Context) {
	bs.crew = newCrew(bs.handle, bs.newSingle)
	var readers sync.WaitGroup
	for i := range bs.fds {
		r := newReader(bs, i)
		readers.Go(func() { r.run(ctx) })
	}
	<-ctx.Done()
	bs.stopping.Store(true)
	one := [8]byte{1}
	_, _ = unix.Write(bs.wake, one[:]) // it is never read, and so has room
	bs.drain(readers.Wait)
}

// prepare sets the options of the first socket and adds the others. What the
// system does not grant is done without.
func (bs *batches) prepare() error {
	fd := bs.fds[0]
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	bs.family = socket.Family(domain)
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	n := bs.PacketOptions.Sockets
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	if bs.sole {
		n = 1
	}
	local := addrPortOf(sa).Addr()
	known := true // whether a reply's source is clear, and what went to a group
	if local.IsUnspecified() {
		known = bs.tellLocal(fd)
	}
	bs.tune(fd)
	if !known || isGroup(local) {
		return nil
	}
	if n > 1 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) != nil {
		return nil
	}
	for len(bs.fds) < n {
		sib, err := packetSibling(fd, domain, sa)
		if err != nil {
			bs.log().Info("fewer sockets than cores", "server", bs.Name, "sockets", len(bs.fds), "err", err)
			return nil
		}
		bs.fds = append(bs.fds, sib)
		bs.tune(sib)
	}
	return nil
}

// isGroup tells an address whose datagrams all sockets bound to it receive.
// What is no address of this host may be a network's broadcast address.
func isGroup(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return true
	case a.IsUnspecified(), a.IsLoopback() && a != netip.AddrFrom4([4]byte{127, 255, 255, 255}):
		return false
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, each := range all {
		if p, err := netip.ParsePrefix(each.String()); err == nil && p.Addr() == a {
			return false
		}
	}
	return true
}

// tellLocal has the kernel tell which of our addresses each datagram was sent
// to, IP_PKTINFO of ip(7) and RFC 3542, section 6.
func (bs *batches) tellLocal(fd int) bool {
	if bs.family == socket.AF_INET6 && unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1) != nil {
		return false
	}
	// On an IPv6 socket this is for the IPv4 datagrams that it receives.
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1) == nil || bs.family == socket.AF_INET6
}

// tune asks for buffers that outlast a burst, and for trains of datagrams.
func (bs *batches) tune(fd int) {
	want := bs.PacketOptions.Buffer
	if want <= 0 {
		want = 4 << 20
	}
	for _, name := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		has, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, name)
		if err == nil && has < 2*want { // the kernel tells the double, socket(7)
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, name, want)
		}
	}
	if !bs.PacketOptions.NoGRO {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) // Linux 5.0
	}
}

// packetSibling is another socket at the address of fd, with its options.
func packetSibling(fd, domain int, sa unix.Sockaddr) (int, error) {
	sib, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := likeness(sib, fd, domain); err != nil {
		return -1, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(sib))
	}
	if err := unix.Bind(sib, sa); err != nil {
		return -1, errors.Join(os.NewSyscallError("bind", err), unix.Close(sib))
	}
	return sib, nil
}

// likeness gives sib the options of fd that matter to where datagrams come
// from and how they leave.
func likeness(sib, fd, domain int) error {
	options := [][2]int{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR}, {unix.SOL_SOCKET, unix.SO_REUSEPORT}, {unix.SOL_SOCKET, unix.SO_BROADCAST},
		{unix.SOL_SOCKET, unix.SO_PRIORITY}, {unix.SOL_SOCKET, unix.SO_MARK}, {unix.SOL_SOCKET, unix.SO_DONTROUTE},
		{unix.IPPROTO_IP, unix.IP_TOS}, {unix.IPPROTO_IP, unix.IP_TTL}, {unix.IPPROTO_IP, unix.IP_MTU_DISCOVER},
		{unix.IPPROTO_IP, unix.IP_FREEBIND}, {unix.IPPROTO_IP, unix.IP_TRANSPARENT},
		{unix.IPPROTO_IP, unix.IP_RECVERR}, {unix.IPPROTO_IP, unix.IP_PKTINFO},
	}
	if domain == unix.AF_INET6 {
		options = append(options,
			[2]int{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}, [2]int{unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
			[2]int{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}, [2]int{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER},
			[2]int{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}, [2]int{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO})
	}
	for _, o := range options {
		want, err := unix.GetsockoptInt(fd, o[0], o[1])
		if err != nil {
			continue // neither has it
		}
		if has, err := unix.GetsockoptInt(sib, o[0], o[1]); err == nil && has == want {
			continue
		}
		if err := unix.SetsockoptInt(sib, o[0], o[1], want); err != nil {
			return err
		}
	}
	if device, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err == nil && device != "" {
		return unix.SetsockoptString(sib, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, device)
	}
	return nil
}
