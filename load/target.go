package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/socket"
)

// fewestSources is how many addresses a new connection for each request is
// spread over: a port rests a while before it is used again (TIME_WAIT).
const fewestSources = 8

// target opens connections to one address.
type target struct {
	endpoint dial.Endpoint
	network  string
	address  string
	tls      *tls.Config
	sources  []netip.Addr
	ports    int
	short    bool
	next     atomic.Uint64
}

// newTarget looks the plan's target up, once for all connections.
func newTarget(ctx context.Context, p *Plan) (*target, error) {
	e, err := dial.Parse(p.Target)
	if err != nil {
		return nil, err
	}
	t := &target{endpoint: e}
	switch e.Scheme {
	case dial.TCP, dial.TLS:
		t.network = "tcp"
	case dial.UDP:
		t.network = "udp"
	case dial.Unix:
		t.network, t.address = "unix", e.Path
		return t, nil
	default:
		return nil, fmt.Errorf("%s: what takes load is tcp, tls, unix or udp", e.Scheme)
	}
	if e.Scheme == dial.TLS {
		t.tls = p.Dialer.Config(e)
	}
	to, err := lookUp(ctx, e, p.Dialer.Socket.Family)
	if err != nil {
		return nil, err
	}
	t.address = to.String()
	t.spread(p, to.Addr())
	return t, nil
}

// lookUp gives the first address that the endpoint leads to.
func lookUp(ctx context.Context, e dial.Endpoint, family socket.Family) (netip.AddrPort, error) {
	host, typ := e.Host, socket.SOCK_STREAM
	if host == "" {
		host = "127.0.0.1"
	}
	if e.Scheme == dial.UDP {
		typ = socket.SOCK_DGRAM
	}
	all, err := socket.Pair(host, e.Port).Resolve(ctx, family, typ)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, a := range all {
		if in, ok := a.(socket.InetAddr); ok {
			return in.AddrPort, nil
		}
	}
	return netip.AddrPort{}, errors.New("no address found")
}

// spread chooses the source addresses: a connection is told from another one
// by addresses and ports together, so each more source address gives as many
// connections more as there are ports.
func (t *target) spread(p *Plan, to netip.Addr) {
	t.sources = p.Sources
	t.ports = p.PortsPerSource
	if t.ports == 0 {
		t.ports = localPorts() * 9 / 10 // others have connections there too
	}
	if p.Connections <= t.ports*max(len(t.sources), 1) && !p.Reconnect || len(t.sources) > 0 {
		t.short = p.Connections > t.ports*max(len(t.sources), 1)
		return
	}
	if !wholeLoopback || !to.Unmap().Is4() || !to.Unmap().IsLoopback() {
		t.short = p.Connections > t.ports
		return
	}
	n := (p.Connections + t.ports - 1) / t.ports
	if p.Reconnect {
		n = max(n, fewestSources)
	}
	a := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	for range n {
		t.sources = append(t.sources, a)
		a = a.Next()
	}
}

// dial opens one connection, from the source whose turn it is.
func (t *target) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1}
	if len(t.sources) > 0 {
		from := netip.AddrPortFrom(t.sources[t.next.Add(1)%uint64(len(t.sources))], 0)
		d.LocalAddr, d.Control = net.Addr(net.TCPAddrFromAddrPort(from)), latePort
		if t.network == "udp" {
			d.LocalAddr = net.UDPAddrFromAddrPort(from)
		}
	}
	address := t.address
	if name, ok := strings.CutPrefix(address, "\x00"); ok {
		address = "@" + name
	}
	nc, err := d.DialContext(ctx, t.network, address)
	if err != nil || t.tls == nil {
		return nc, err
	}
	c := tls.Client(nc, t.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("tls: %w", err)
	}
	return c, nil
}
