package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/farend-go/farend/dial"
)

// channel is a data connection in the making: connected (passive) or listened
// for (active).
type channel struct {
	nc net.Conn
	l  net.Listener
}

func (ch *channel) close() {
	if ch.nc != nil {
		ch.nc.Close()
	}
	if ch.l != nil {
		ch.l.Close()
	}
}

// prepare agrees with the server on the next data connection.
func (c *Client) prepare(ctx context.Context) (*channel, error) {
	if c.o.Active {
		return c.listen(ctx)
	}
	address, err := c.passive(ctx)
	if err != nil {
		return nil, err
	}
	nc, err := c.connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("ftp: data connection: %w", err)
	}
	return &channel{nc: nc}, nil
}

func (c *Client) connect(ctx context.Context, address string) (net.Conn, error) {
	if c.o.DialData != nil {
		return c.o.DialData(ctx, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := c.o.Dialer
	d.Tap = nil
	return d.DialNet(ctx, dial.Endpoint{Scheme: dial.TCP, Host: host, Port: port}.String())
}

// passive asks where to connect: EPSV, and PASV of servers that have none.
func (c *Client) passive(ctx context.Context) (string, error) {
	if !c.noEPSV {
		r, err := c.Cmd(ctx, "EPSV", "")
		if err == nil {
			port, err := parse229(r.Text())
			return net.JoinHostPort(c.host, strconv.Itoa(int(port))), err
		}
		if refusal, ok := errors.AsType[Reply](err); !ok || refusal.Code < 500 || refusal.Code == 530 || c.peer().Is6() {
			return "", err
		}
		c.noEPSV = true
	}
	r, err := c.Cmd(ctx, "PASV", "")
	if err != nil {
		return "", err
	}
	a, err := parse227(r.Text())
	if err != nil {
		return "", fmt.Errorf("%w: PASV: %q", ErrReply, r.Text())
	}
	host := c.host
	if c.o.TrustPASV || host == "" {
		host = a.Addr().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(a.Port()))), nil
}

// listen waits for the server to connect, and tells it where.
func (c *Client) listen(ctx context.Context) (*channel, error) {
	local := addrOf(c.c.LocalAddr())
	if !local.IsValid() {
		return nil, errors.New("ftp: active mode needs an address of our own")
	}
	l, err := listenIn(ctx, local, c.o.ActivePorts)
	if err != nil {
		return nil, err
	}
	at := netip.AddrPortFrom(local, l.Addr().(*net.TCPAddr).AddrPort().Port())
	if local.Is4() {
		_, err = c.Cmd(ctx, "PORT", string(appendHostPort(nil, at)))
	} else {
		_, err = c.Cmd(ctx, "EPRT", string(appendExtended(nil, at)))
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return &channel{l: l}, nil
}

// listenIn takes the first free port of a range.
func listenIn(ctx context.Context, local netip.Addr, r PortRange) (net.Listener, error) {
	var lc net.ListenConfig
	for port := int(r.First); ; port++ {
		l, err := lc.Listen(ctx, "tcp", netip.AddrPortFrom(local, uint16(port)).String())
		if err == nil || port >= int(r.Last) {
			return l, err
		}
	}
}

// establish makes the data connection stand, when the server has said that it
// begins: it accepts where we listen, and shakes hands.
func (c *Client) establish(ctx context.Context, ch *channel) (net.Conn, error) {
	if ch.nc == nil {
		stop := context.AfterFunc(ctx, func() { ch.l.Close() })
		defer stop()
		for ch.nc == nil {
			nc, err := ch.l.Accept()
			if err != nil {
				return nil, errors.Join(ctx.Err(), err)
			}
			if addrOf(nc.RemoteAddr()) != c.peer() { // somebody else came first
				nc.Close()
				continue
			}
			ch.nc = nc
		}
		ch.l.Close()
	}
	if !c.private {
		return ch.nc, nil
	}
	t := tls.Client(ch.nc, c.cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("ftp: data connection: %w", err)
	}
	return t, nil
}

// transfer begins a transfer: REST, the data connection, the command, its
// preliminary reply. ctx bounds all of it to the final reply.
func (c *Client) transfer(ctx context.Context, kind, verb, arg string, offset int64) (*stream, error) {
	if c.busy {
		return nil, ErrBusy
	}
	if err := c.setType(ctx, kind); err != nil {
		return nil, err
	}
	ch, err := c.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if offset > 0 {
		if _, err := c.Cmd(ctx, "REST", strconv.FormatInt(offset, 10)); err != nil {
			ch.close()
			if notReply(err) == nil {
				err = fmt.Errorf("%w: %w", errNoREST, err)
			}
			return nil, err
		}
	}
	first, err := c.Cmd(ctx, verb, arg)
	if err != nil {
		ch.close()
		return nil, err
	}
	s := &stream{c: c, first: first, answered: !first.Preliminary()}
	c.busy = true
	if s.nc, err = c.establish(ctx, ch); err != nil {
		ch.close()
		c.busy = false
		return nil, s.failed(ctx, err)
	}
	s.below = ch.nc
	s.stop = context.AfterFunc(ctx, func() { s.below.Close() })
	s.final = func() error { return s.finish(ctx) }
	return s, nil
}

// stream is an open transfer.
type stream struct {
	c        *Client
	nc       net.Conn // TLS or not
	below    net.Conn
	first    Reply
	answered bool // the first reply was the final one
	over     bool
	halved   bool // our half is ended, the connection still stands
	early    bool // we hung up before the end
	stop     func() bool
	final    func() error // hears the final reply; holds the transfer's context
}

// failed hears why the server did not come to the data connection; what it says
// leads.
func (s *stream) failed(ctx context.Context, err error) error {
	if s.answered || ctx.Err() != nil {
		s.c.broken = ctx.Err() != nil
		return err
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, said := s.c.answer(wait); said != nil && !s.c.broken {
		return said
	}
	return err
}

// patience is how long a server may take to say how a transfer ended that we
// ended before its time.
const patience = 5 * time.Second

// finish closes the data connection and hears how it went.
func (s *stream) finish(ctx context.Context) error {
	if s.over {
		return nil
	}
	s.over = true
	defer s.stop()
	if s.halved { // closing now could overtake what we sent
		defer s.below.Close()
	} else {
		s.nc.Close() // an error is TLS's goodbye to a peer that has closed: the reply says whether all is well
	}
	s.c.busy = false
	if err := ctx.Err(); err != nil {
		s.c.broken = true
		return err
	}
	if s.answered {
		return nil
	}
	if s.early {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	_, err := s.c.answer(ctx)
	return err
}

// halve ends our half of the data connection. To close it at once would be a
// reset where something of the peer's lies unread, such as the tickets of TLS
// 1.3, and could overtake the file.
func (s *stream) halve() {
	if t, ok := s.nc.(*tls.Conn); ok {
		_ = t.CloseWrite() // the reply says whether all is well
	}
	if half, ok := s.below.(interface{ CloseWrite() error }); ok {
		s.halved = half.CloseWrite() == nil
	}
}
