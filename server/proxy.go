package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ProxyHeader says from whom a listener takes the header of the PROXY
// protocol, versions 1 and 2, by which haproxy and its like tell whom they
// speak for. Its zero value trusts nobody. It is not changed while in use.
//
// See https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt.
type ProxyHeader struct {
	// Trusted are the peers that may send a header. From anybody else a header
	// is data like any other.
	Trusted []netip.Prefix
	// TrustUnix trusts the peers of Unix sockets, too.
	TrustUnix bool
	// Required ends a trusted peer's connection that does not begin with a
	// header. Otherwise it is served under its own address; where the peer says
	// nothing, as under a protocol whose server speaks first, after Timeout.
	Required bool
	// Timeout is how long a header may take; 0: 5 s.
	Timeout time.Duration
}

// ProxyCounters is what a ProxyListener has done so far. It closed the
// connections that Missing, Malformed and Late count.
type ProxyCounters struct {
	Headers   uint64 // whole and good ones, those of command LOCAL among them
	Missing   uint64 // required, and not there
	Malformed uint64
	Late      uint64 // begun or required, and not whole in time
}

// ProxyListener is a listener behind a proxy. Its connections have the
// addresses that the header tells: RemoteAddr is the client's, LocalAddr the
// one that the client connected to. What stands after the header is what they
// read first, so that TLS goes over it. They also have NetConn, the connection
// to the proxy.
type ProxyListener struct {
	net.Listener
	header ProxyHeader
	gather *gathering
	starts sync.Once
	room   chan struct{} // for one of maxHeaders each

	mu      sync.Mutex
	closed  bool
	pending map[net.Conn]struct{} // whose header is being read

	headers, missing, malformed, late atomic.Uint64
}

// maxHeaders is how many headers are read at once; over it, connections wait
// in the backlog.
const maxHeaders = 1024

// Listener reads headers from the connections of l, which it owns. Each is
// read on a goroutine of its own, so that a slow one holds nobody up. Close
// closes l and what waits for its header.
func (p ProxyHeader) Listener(l net.Listener) *ProxyListener {
	if p.Timeout == 0 {
		p.Timeout = 5 * time.Second
	}
	return &ProxyListener{
		Listener: l, header: p, gather: newGathering(),
		room: make(chan struct{}, maxHeaders), pending: map[net.Conn]struct{}{},
	}
}

// Counters reads them.
func (l *ProxyListener) Counters() ProxyCounters {
	return ProxyCounters{l.headers.Load(), l.missing.Load(), l.malformed.Load(), l.late.Load()}
}

// Accept gives the next connection whose header has been read.
func (l *ProxyListener) Accept() (net.Conn, error) {
	l.starts.Do(func() { l.gather.start([]net.Listener{l.Listener}, l.take) })
	return l.gather.accept()
}

// Close closes the listener.
func (l *ProxyListener) Close() error {
	l.mu.Lock()
	l.closed = true
	for nc := range l.pending {
		nc.Close()
	}
	l.mu.Unlock()
	l.gather.stop()
	return l.Listener.Close()
}

// trusts tells whether the peer at a may send a header.
func (p ProxyHeader) trusts(a net.Addr) bool {
	if _, ok := a.(*net.UnixAddr); ok {
		return p.TrustUnix
	}
	peer := addrPort(a).Addr().Unmap().WithZone("")
	for _, t := range p.Trusted {
		if t.Addr().Is4In6() && t.Bits() >= 96 {
			t = netip.PrefixFrom(t.Addr().Unmap(), t.Bits()-96)
		}
		if t.Contains(peer) {
			return true
		}
	}
	return false
}

// take offers nc, or has its header read first.
func (l *ProxyListener) take(nc net.Conn) {
	if !l.header.trusts(nc.RemoteAddr()) {
		l.gather.offer(arrival{nc: nc})
		return
	}
	select {
	case l.room <- struct{}{}:
	case <-l.gather.over:
		nc.Close()
		return
	}
	if !l.hold(nc) {
		nc.Close()
		return
	}
	l.gather.wg.Go(func() {
		defer func() { <-l.room }()
		c, err := l.read(nc)
		l.mu.Lock()
		delete(l.pending, nc)
		l.mu.Unlock()
		if err != nil {
			nc.Close()
			return
		}
		l.gather.offer(arrival{nc: c})
	})
}

// hold notes nc for Close; false: it was closed already.
func (l *ProxyListener) hold(nc net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.pending[nc] = struct{}{}
	return true
}

// read reads the header of nc.
func (l *ProxyListener) read(nc net.Conn) (net.Conn, error) {
	if err := nc.SetReadDeadline(time.Now().Add(l.header.Timeout)); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 256)
	for {
		n, err := proxyHeaderLen(b)
		switch {
		case errors.Is(err, errNoProxyHeader):
			return l.without(nc, b, err)
		case err != nil:
			l.malformed.Add(1)
			return nil, err
		case n > 0:
			return l.with(nc, b[:n], b[n:])
		}
		if len(b) == cap(b) {
			b = append(make([]byte, 0, proxyPrefix+proxyBlock), b...)
		}
		n, err = nc.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if n == 0 && err != nil {
			return l.without(nc, b, err)
		}
	}
}

// with is nc after a whole header.
func (l *ProxyListener) with(nc net.Conn, header, rest []byte) (net.Conn, error) {
	from, to, err := parseProxyHeader(header)
	if err != nil {
		l.malformed.Add(1)
		return nil, err
	}
	l.headers.Add(1)
	return &proxied{Conn: nc, rest: rest, from: from, to: to}, nc.SetReadDeadline(time.Time{})
}

// without is nc where no whole header has come, because of why.
func (l *ProxyListener) without(nc net.Conn, begun []byte, why error) (net.Conn, error) {
	late := errors.Is(why, os.ErrDeadlineExceeded)
	switch {
	case l.isClosed():
		return nil, why
	case late && (l.header.Required || begunProxyHeader(begun)):
		l.late.Add(1)
		return nil, why
	case begunProxyHeader(begun):
		l.malformed.Add(1)
		return nil, why
	case l.header.Required:
		l.missing.Add(1)
		return nil, why
	}
	return &proxied{Conn: nc, rest: begun}, nc.SetReadDeadline(time.Time{})
}

func (l *ProxyListener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// proxied is a connection that a proxy made for somebody.
type proxied struct {
	net.Conn
	rest     []byte   // read together with the header
	from, to net.Addr // nil: the connection's own
}

func (c *proxied) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// ReadFrom lets the kernel copy where it can.
func (c *proxied) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite ends our half of the stream.
func (c *proxied) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn is the connection to the proxy.
func (c *proxied) NetConn() net.Conn { return c.Conn }

func (c *proxied) RemoteAddr() net.Addr {
	if c.from != nil {
		return c.from
	}
	return c.Conn.RemoteAddr()
}

func (c *proxied) LocalAddr() net.Addr {
	if c.to != nil {
		return c.to
	}
	return c.Conn.LocalAddr()
}
