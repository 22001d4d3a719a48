package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/cli/talk"
	"github.com/farend-go/farend/socket"
)

// connect reaches the endpoint and talks to it.
func (t *talkCommand) connect(ctx context.Context) error {
	if t.telnet {
		return t.talkTelnet(ctx)
	}
	p, err := t.reach(ctx)
	if err != nil {
		return err
	}
	if err := t.converse(ctx, p); err != nil {
		return fmt.Errorf("talk to %s: %w", t.to, err)
	}
	return nil
}

// reach connects, with TLS where the endpoint says so, within -w.
func (t *talkCommand) reach(ctx context.Context) (*talk.Peer, error) {
	limit, cancel := ctx, context.CancelFunc(func() {})
	if t.wait > 0 {
		limit, cancel = context.WithTimeout(ctx, time.Duration(t.wait))
	}
	defer cancel()
	began := time.Now()
	nc, err := t.dial(limit)
	if err != nil {
		return nil, t.tooLong(ctx, limit, err)
	}
	if t.to.Scheme.Packet() {
		t.tell(fmt.Sprintf("datagrams to %s", peerName(nc.RemoteAddr())))
		return talk.Packets(nc), nil
	}
	t.tell(fmt.Sprintf("connected %s  %s", peerName(nc.RemoteAddr()), took(time.Since(began))))
	p := talk.Stream(nc)
	if t.to.Scheme != dial.TLS {
		return p, nil
	}
	if err := t.shake(limit, p, t.dialer().Config(t.to)); err != nil {
		return nil, t.tooLong(ctx, limit, fmt.Errorf("talk to %s: %w", t.to, err))
	}
	return p, nil
}

// tooLong says in -w's words that its time ran out.
func (t *talkCommand) tooLong(ctx, limit context.Context, err error) error {
	if ctx.Err() == nil && limit.Err() != nil {
		return fmt.Errorf("talk to %s: no answer within %v", t.to, time.Duration(t.wait))
	}
	return err
}

func (t *talkCommand) dial(ctx context.Context) (net.Conn, error) {
	d := t.dialer()
	if t.to.Scheme.Packet() {
		return d.DialPacket(ctx, t.to.String())
	}
	plain := t.to
	if plain.Scheme == dial.TLS { // the handshake is told apart
		plain.Scheme = dial.TCP
	}
	return d.DialNet(ctx, plain.String())
}

func (t *talkCommand) dialer() *dial.Dialer {
	d := &dial.Dialer{TLS: &tls.Config{
		RootCAs:            t.roots,
		InsecureSkipVerify: t.insecure, //nolint:gosec // what -k asks for
	}}
	if t.own != nil {
		d.TLS.Certificates = []tls.Certificate{*t.own}
	}
	switch {
	case t.v4:
		d.Socket.Family = socket.AF_INET
	case t.v6:
		d.Socket.Family = socket.AF_INET6
	}
	return d
}

// shake steps up to TLS before the conversation, and tells what it came to.
func (t *talkCommand) shake(ctx context.Context, p *talk.Peer, cfg *tls.Config) error {
	if err := p.StartTLS(ctx, cfg); err != nil {
		_ = p.Abort()
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
			return fmt.Errorf("TLS: %w (--cacert FILE trusts its authority, -k anybody)", err)
		}
		return fmt.Errorf("TLS: %w", err)
	}
	state, _ := p.TLS()
	t.tell(talk.DescribeTLS(state, t.roots, time.Now()))
	return nil
}

// stepUp is the configuration for :starttls. name, where given, is what the
// peer's certificate must be good for.
func (t *talkCommand) stepUp(name string) (*tls.Config, error) {
	if t.listen {
		return t.serverTLS()
	}
	cfg := t.dialer().Config(t.to)
	if name != "" {
		cfg.ServerName = name
	}
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		return nil, errors.New("whose certificate? (:starttls NAME)")
	}
	return cfg, nil
}

// peerName is a peer's address for people.
func peerName(a net.Addr) string {
	if a == nil || a.String() == "" {
		return "somebody without a name"
	}
	return a.String()
}

// took is a time span for people.
func took(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
