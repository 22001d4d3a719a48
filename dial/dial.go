package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/socket"
)

// A Dialer opens connections. The zero Dialer verifies certificates against
// the system's roots and speaks TLS 1.2 and up. Its fields are not changed
// after the first call; its methods may be called by several goroutines.
type Dialer struct {
	// TLS is for tls: and StartTLS. Own roots go into its RootCAs, a client's
	// certificate into its Certificates. Where it does not say, ServerName is
	// the endpoint's host and MinVersion TLS 1.2. nil is an empty one.
	TLS *tls.Config
	// Socket says from where and how to connect: family, own address, limits
	// of each attempt, options. Its zero value races the addresses of a name
	// (RFC 8305).
	Socket socket.ConnConfig
	// Line is the limit of a line in bytes, CRLF included; 0: wire.DefaultLine.
	Line int
	// Layers are wrapped around every stream, below TLS.
	Layers []conv.Layer
	// Tap makes an ear for each Conn; it gets the connection with its Layers.
	// nil, or a nil Tap: nobody.
	Tap func(nc net.Conn) conv.Tap
	// Proxy carries the streams of hosts; Socket is then for the way to it.
	// nil: none. Unix sockets and datagrams never use it.
	Proxy *Proxy
}

// Error is what every method of a Dialer returns: the endpoint, and what went
// wrong there. errors.Is and errors.As find what is inside: the errno
// (syscall.ECONNREFUSED), socket's EAI of a look-up, the context's error, the
// errors of crypto/x509 and crypto/tls.
type Error struct {
	Endpoint string
	Err      error
}

// Error is one line, however many addresses were tried.
func (e *Error) Error() string {
	return "dial " + e.Endpoint + ": " + strings.ReplaceAll(e.Err.Error(), "\n", "; ")
}

// Unwrap is the error inside.
func (e *Error) Unwrap() error { return e.Err }

// Timeout tells whether time ran out.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Dial opens a stream and gives our end of the conversation, which the caller
// closes. With tls: the handshake is over; with starttls: it is still to come.
// ctx ends the look-up, the attempts and the handshake, not the conversation.
func (d *Dialer) Dial(ctx context.Context, endpoint string) (*conv.Conn, error) {
	e, nc, err := d.stream(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	var tap conv.Tap
	if d.Tap != nil {
		tap = d.Tap(nc)
	}
	c := conv.New(nc, conv.Options{Line: d.Line, Tap: tap})
	c.Tell(conv.Utterance{Event: conv.Opened})
	if e.Scheme != TLS {
		return c, nil
	}
	if err := d.startTLS(ctx, c, e); err != nil {
		return nil, errors.Join(&Error{endpoint, err}, c.Abort())
	}
	return c, nil
}

// StartTLS shakes hands on a Conn of any stream's endpoint, when the protocol
// has said so (STARTTLS, STLS, AUTH TLS). The endpoint, that of Dial, names the
// server for the certificate. After an error the Conn can only be closed;
// conv.ErrEarly: the peer spoke before the handshake.
func (d *Dialer) StartTLS(ctx context.Context, c *conv.Conn, endpoint string) error {
	e, err := Parse(endpoint)
	if err == nil {
		err = d.startTLS(ctx, c, e)
	}
	if err != nil {
		return &Error{endpoint, err}
	}
	return nil
}

func (d *Dialer) startTLS(ctx context.Context, c *conv.Conn, e Endpoint) error {
	return c.Upgrade(ctx, conv.ClientTLS(ctx, d.Config(e)))
}

// Config is the TLS configuration for an endpoint: a copy of d.TLS, completed.
func (d *Dialer) Config(e Endpoint) *tls.Config {
	cfg := &tls.Config{}
	if d.TLS != nil {
		cfg = d.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = e.ServerName()
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	return cfg
}

// DialNet opens a stream as Dial does and gives it as a net.Conn, which the
// caller closes: for code of another making, and for talk in both directions at
// once. With tls: it is a *tls.Conn. It has the Layers, and no Tap.
func (d *Dialer) DialNet(ctx context.Context, endpoint string) (net.Conn, error) {
	e, nc, err := d.stream(ctx, endpoint)
	if err != nil || e.Scheme != TLS {
		return nc, err
	}
	t := tls.Client(nc, d.Config(e))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(&Error{endpoint, err}, nc.Close())
	}
	return t, nil
}

// stream connects and wraps the Layers around.
func (d *Dialer) stream(ctx context.Context, endpoint string) (Endpoint, net.Conn, error) {
	e, err := Parse(endpoint)
	if err == nil && e.Scheme.Packet() {
		err = fmt.Errorf("%s carries datagrams, not a stream", e.Scheme)
	}
	if err != nil {
		return e, nil, &Error{endpoint, err}
	}
	nc, err := d.reach(ctx, e)
	if err != nil {
		return e, nil, &Error{endpoint, err}
	}
	for _, layer := range d.Layers {
		nc = layer(nc)
	}
	return e, nc, nil
}

// reach connects, by the proxy if there is one.
func (d *Dialer) reach(ctx context.Context, e Endpoint) (net.Conn, error) {
	if d.Proxy != nil && !e.Scheme.Path() {
		return d.Proxy.tunnel(ctx, d, e)
	}
	s, err := socket.ConnectAny(ctx, e.address(), d.Socket)
	if err != nil {
		return nil, err
	}
	nc, err := s.Conn()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return nc, nil
}

// DialPacket connects a datagram socket (udp:, unixgram:): each Write is one
// datagram, each Read gives one, cut to the buffer, of this peer only. Nothing
// is sent, so a peer that is not there shows itself only later. The caller
// closes it. UDP may go to a broadcast address, but answers to it come from
// others and are not seen. A unixgram peer can answer only where our own end
// has an address: on Linux it gets an abstract one by itself, elsewhere
// Socket.Source must give it.
func (d *Dialer) DialPacket(ctx context.Context, endpoint string) (net.Conn, error) {
	e, err := Parse(endpoint)
	if err == nil && !e.Scheme.Packet() {
		err = fmt.Errorf("%s carries a stream, not datagrams", e.Scheme)
	}
	if err != nil {
		return nil, &Error{endpoint, err}
	}
	all, err := e.address().Resolve(ctx, d.Socket.Family, socket.SOCK_DGRAM)
	if err != nil {
		return nil, &Error{endpoint, err}
	}
	var errs []error
	for _, to := range all {
		nc, err := d.packet(ctx, to)
		if err == nil {
			return nc, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = append(errs, errors.New("no address found"))
	}
	return nil, &Error{endpoint, errors.Join(errs...)}
}

// packet makes a datagram socket that is connected to one address.
func (d *Dialer) packet(ctx context.Context, to socket.Addr) (net.Conn, error) {
	s, err := socket.Socket(to.Family(), socket.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	nc, err := d.connect(ctx, s, to)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return nc, nil
}

func (d *Dialer) connect(ctx context.Context, s *socket.Sock, to socket.Addr) (net.Conn, error) {
	if err := prepare(ctx, s, d.Socket.Source == nil); err != nil {
		return nil, err
	}
	for _, set := range d.Socket.Options {
		if err := set.Apply(s); err != nil {
			return nil, err
		}
	}
	if d.Socket.Source != nil {
		if err := s.Bind(ctx, d.Socket.Source); err != nil {
			return nil, err
		}
	}
	if err := s.Connect(ctx, to); err != nil {
		return nil, err
	}
	return s.Conn()
}
