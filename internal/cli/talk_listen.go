package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/cli/talk"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// listenFor waits for a peer and talks to it; with -k to one after the other.
func (t *talkCommand) listenFor(ctx context.Context) error {
	if t.to.Scheme.Packet() {
		return t.listenPacket(ctx)
	}
	if t.to.Scheme == dial.TLS {
		if _, err := t.serverTLS(); err != nil {
			return fmt.Errorf("talk: %w", err)
		}
	}
	l, err := t.listener(ctx)
	if err != nil {
		return fmt.Errorf("talk: %w", err)
	}
	defer l.Close()
	if err := t.listening(l.Addr()); err != nil {
		return fmt.Errorf("talk: %w", err)
	}
	for {
		err := t.next(ctx, l)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !t.keep {
			return err
		}
		if err != nil {
			t.sayError(err)
		}
	}
}

// next waits for one peer and talks to it. Without -k nobody else is let in.
func (t *talkCommand) next(ctx context.Context, l net.Listener) error {
	release := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer release()
	nc, err := l.Accept()
	if err != nil {
		return fmt.Errorf("talk: %w", err)
	}
	if !t.keep {
		_ = l.Close() // it has done its part
	}
	who := peerName(nc.RemoteAddr())
	t.tell("connected " + who)
	p := talk.Stream(nc)
	p.Accepted = true
	if t.to.Scheme == dial.TLS {
		cfg, err := t.serverTLS()
		if err == nil {
			err = t.shake(ctx, p, cfg)
		}
		if err != nil {
			return fmt.Errorf("talk with %s: %w", who, err)
		}
	}
	if err := t.converse(ctx, p); err != nil {
		return fmt.Errorf("talk with %s: %w", who, err)
	}
	return nil
}

func (t *talkCommand) listener(ctx context.Context) (net.Listener, error) {
	if t.to.Scheme.Path() {
		return server.Listen(ctx, "unix:"+t.to.Path, server.ListenConfig{})
	}
	return socket.Listen(ctx, t.network("tcp"), t.where(), socket.ListenConfig{})
}

// where is the address to listen on: loopback unless the endpoint says more.
func (t *talkCommand) where() string {
	host := t.to.Host
	switch {
	case host != "":
	case t.v6:
		host = "::1"
	default:
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, t.to.Port)
}

// listening tells where, and who can get there.
func (t *talkCommand) listening(a net.Addr) error {
	text := "listening on " + string(t.to.Scheme) + ":" + a.String()
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			text += ", on every interface of this host"
		}
	}
	t.say("%s", text)
	if t.events == nil {
		return nil
	}
	return t.events.Listening(a)
}

// listenPacket talks to whoever sends the first datagram; with -k it hears
// everybody and answers the latest.
func (t *talkCommand) listenPacket(ctx context.Context) error {
	pc, err := t.packetConn(ctx)
	if err != nil {
		return fmt.Errorf("talk: %w", err)
	}
	if t.to.Scheme.Path() && t.to.Path[0] != '@' {
		defer os.Remove(t.to.Path)
	}
	if err := t.listening(pc.LocalAddr()); err != nil {
		return errors.Join(fmt.Errorf("talk: %w", err), pc.Close())
	}
	a := talk.Answer(pc)
	a.Anyone = t.keep
	p := talk.Packets(a)
	p.Accepted = true
	if !t.interactive() {
		a.Met = func(who net.Addr) {
			t.tell("datagrams from " + peerName(who))
			if t.events != nil {
				_ = t.events.Opened(p) // what cannot be written, the next event tells
			}
		}
	}
	if err := t.converse(ctx, p); err != nil {
		return fmt.Errorf("talk on %s: %w", t.to, err)
	}
	return nil
}

func (t *talkCommand) packetConn(ctx context.Context) (net.PacketConn, error) {
	if !t.to.Scheme.Path() {
		return socket.ListenPacket(ctx, t.network("udp"), t.where(), socket.ListenConfig{})
	}
	if t.to.Path[0] != '@' {
		if err := clearStaleDatagram(t.to.Path); err != nil {
			return nil, err
		}
	}
	pc, err := socket.ListenPacket(ctx, "unixgram", t.to.Path, socket.ListenConfig{})
	if err != nil || t.to.Path[0] == '@' {
		return pc, err
	}
	if err := os.Chmod(t.to.Path, 0o600); err != nil { // as a stream's
		return nil, errors.Join(err, pc.Close(), os.Remove(t.to.Path))
	}
	return pc, nil
}

// clearStaleDatagram removes a socket that nobody listens on any more, and
// nothing else: what stays in the way is told by bind.
func clearStaleDatagram(path string) error {
	nc, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err == nil {
		_ = nc.Close()
		return nil
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}

// serverTLS is the configuration of the listening side: --cert, or a
// certificate made on the spot.
func (t *talkCommand) serverTLS() (*tls.Config, error) {
	if t.own == nil {
		made, err := testcert.New()
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		t.own = &made.Certificate
		t.tell("certificate made for localhost, good for an hour; peers need their -k")
	}
	return &tls.Config{Certificates: []tls.Certificate{*t.own}, MinVersion: tls.VersionTLS12}, nil
}
