package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// loopback is where a service listens when nobody says otherwise.
const loopback = "127.0.0.1"

// ownNameLimit bounds the look-up of this host's own name.
const ownNameLimit = 2 * time.Second

// listen binds the listeners of every service.
func (a *App) listen(ctx context.Context) error {
	for _, s := range a.cfg.wanted() {
		if err := a.listenFor(ctx, s); err != nil {
			return err
		}
	}
	a.tellUnclaimed()
	if len(a.running) == 0 {
		return errors.New("listening: every port is taken; choose others with --listen SERVICE=ADDRESS")
	}
	return nil
}

// listenFor binds the listeners of one service.
func (a *App) listenFor(ctx context.Context, s Service) error {
	var at []Address
	for _, l := range a.cfg.Listen {
		if l.Service == s.Name {
			at = append(at, l.Address)
		}
	}
	if len(at) == 0 {
		at = []Address{{Port: strconv.Itoa(s.Serve)}}
	}
	for _, address := range at {
		if err := a.refuseWide(s, address.Host); err != nil {
			return err
		}
		bound, err := a.bindAll(ctx, s, address)
		if err == nil {
			a.running = append(a.running, bound...)
			continue
		}
		var be *bindError
		if !errors.As(err, &be) || a.cfg.named(s.Name) || !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w%s", err, nextStep(s, err))
		}
		a.ready.Skipped = append(a.ready.Skipped, Skipped{s.Name, be.network, be.address, reason(be.err)})
		a.notice(fmt.Sprintf("%s is skipped: %s %s: %s", s.Name, be.network, be.address, reason(be.err)))
	}
	return nil
}

// nextStep says what can be done about a listener that cannot be had.
func nextStep(s Service, err error) string {
	be, _ := errors.AsType[*bindError](err)
	onPath := be != nil && (be.network == "unix" || be.network == "unixgram")
	switch {
	case onPath && (errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EPROTOTYPE)):
		return fmt.Sprintf(" (somebody has it; choose another path with --listen %s=%s:PATH)", s.Name, be.network)
	case onPath:
		return ""
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf(" (choose another with --listen %s=ADDRESS; :0 is a free port)", s.Name)
	case errors.Is(err, syscall.EACCES):
		return " (ports below 1024 are for root)"
	}
	return ""
}

// bindError is a listener that cannot be had.
type bindError struct {
	service, network, address string
	err                       error
}

func (e *bindError) Error() string {
	return fmt.Sprintf("listening for %s on %s %s: %s", e.service, e.network, e.address, reason(e.err))
}

func (e *bindError) Unwrap() error { return e.err }

// reason is the system's word for what went wrong, without what was tried.
func reason(err error) string {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// tries is how many free ports are tried until one is free in every network.
const tries = 32

// bindAll binds one address in each of the service's networks, on the same
// port, and greet's further loopback addresses.
func (a *App) bindAll(ctx context.Context, s Service, at Address) ([]*listener, error) {
	networks, err := at.networks(s)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, network := range networks {
		ids = append(ids, a.idFor(s, at, network))
	}
	var bound []*listener
	for range tries {
		bound, err = a.bindEach(ctx, s, at, networks, ids)
		if err == nil || at.Port != "0" || len(networks) == 1 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if s.OwnName && at.Path == "" && at.Host == "" && at.Inherited == "" {
		bound = append(bound, a.bindOwnName(ctx, s, at, portOf(bound[0].Address))...)
	}
	for _, l := range bound {
		if err := a.complete(l, s, at); err != nil {
			closeAll(bound)
			return nil, err
		}
	}
	for _, l := range bound {
		a.ready.Services = append(a.ready.Services, l.Listening)
	}
	a.tellWide(bound)
	return bound, nil
}

func closeAll(bound []*listener) {
	for _, l := range bound {
		l.close()
	}
}

// bindEach binds at in each network, all or none; the first chooses the port.
// Of inherited sockets it takes those that there are.
func (a *App) bindEach(ctx context.Context, s Service, at Address, networks, ids []string) ([]*listener, error) {
	if at.Inherited != "" {
		return a.bindInherited(ctx, s, at, networks, ids)
	}
	var bound []*listener
	for i, network := range networks {
		l, err := a.bind(ctx, s, at, network, ids[i])
		if err != nil {
			closeAll(bound)
			return nil, err
		}
		bound = append(bound, l)
		if at.Path == "" {
			at.Port = portOf(l.Address)
		}
	}
	return bound, nil
}

// bind binds one socket, or takes the one that a predecessor handed over.
func (a *App) bind(ctx context.Context, s Service, at Address, network, id string) (*listener, error) {
	address, target := at.Path, network+":"+at.Path
	if at.Path == "" {
		host := at.Host
		if host == "" {
			host = loopback
		}
		address = net.JoinHostPort(host, at.Port)
		target = address
	}
	l, err := a.open(ctx, target, network, id)
	if err != nil {
		return nil, &bindError{s.Name, network, address, err}
	}
	l.Name = s.Name
	if at.Path != "" {
		l.Network, l.Address = network, at.Path
		a.ownPath(at.Path, id)
	}
	return l, nil
}

// open makes the socket at target, an address of server.Listen or
// server.ListenPacket, whichever the network is for.
func (a *App) open(ctx context.Context, target, network, id string) (*listener, error) {
	c := server.ListenConfig{Inherited: a.cfg.Inherited}
	if c.Inherited != nil {
		c.Name = id
	}
	l := &listener{id: id}
	var err error
	if network == "udp" || network == "unixgram" {
		if l.packets, err = server.ListenPacket(ctx, target, c); err != nil {
			return nil, err
		}
		l.at(l.packets.LocalAddr())
		return l, nil
	}
	if a.cfg.Handover != nil && a.cfg.Engine != "goroutines" {
		c.Sockets = a.cfg.Events.Loops // the engine adds none to what is handed over
		if c.Sockets <= 0 {
			c.Sockets = runtime.GOMAXPROCS(0)
		}
	}
	if l.streams, err = server.Listen(ctx, target, c); err != nil {
		return nil, err
	}
	l.at(l.streams.Addr())
	return l, nil
}

func (l *listener) at(address net.Addr) {
	l.Network, l.Address = address.Network(), address.String()
}

// complete prepares a bound listener to be handed over, and to be served.
func (a *App) complete(l *listener, s Service, at Address) error {
	if err := a.refuseWide(s, l.Address); err != nil {
		return err
	}
	if err := a.keep(l); err != nil {
		return err
	}
	if a.cfg.Proxy != nil && l.streams != nil {
		l.streams = a.cfg.Proxy.Listener(l.streams)
	}
	l.URL = l.url(s, at)
	a.equip(l, s, at)
	return nil
}

// equip makes the server of a listener.
func (a *App) equip(l *listener, s Service, at Address) {
	l.srv = server.Server{Engine: a.engine, TLS: a.certsFor(s, at), Name: s.Name, Log: a.log()}
	l.srv.Limits = server.Limits{Drain: a.cfg.Drain, Idle: s.Idle, Turn: s.Turn}
	if l.packets != nil {
		l.srv.Packets = s.Packets(a.cfg.Say)
		l.packets = a.faults.Packets(s.Name, l.packets)
	} else {
		l.srv.Handler = s.Stream(a, at)
	}
	if layer := a.faults.Layer(s.Name); layer != nil {
		l.srv.Layers = []conv.Layer{layer}
	} else if len(a.cfg.Ears) == 0 {
		return
	}
	l.srv.Tap = func(t *server.Talk) conv.Tap {
		tap := a.tap(s.Name, t)
		if tap == nil || s.Veil == nil {
			return tap
		}
		return s.Veil(tap)
	}
	l.srv.Packet = func(e server.PacketEvent) {
		for _, ear := range a.cfg.Ears {
			ear.Packet(l.Listening, e)
		}
	}
}

// portOf is the port of an address in text.
func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return port
}

// tellWide says in one line when a service can be reached from elsewhere.
func (a *App) tellWide(bound []*listener) {
	var on []string
	for _, l := range bound {
		if ap, err := netip.ParseAddrPort(l.Address); err == nil && ap.Addr().IsUnspecified() {
			on = append(on, l.Network+" "+l.Address)
		}
	}
	if len(on) > 0 {
		a.notice(fmt.Sprintf("%s listens on every interface (%s): whoever reaches this host can use it", bound[0].Name, strings.Join(on, ", ")))
	}
}

// bindOwnName binds the loopback addresses to which this host's own name
// leads: the tutorials' client connects to its host name, which Debian has lead
// to 127.0.1.1. Where the name leads elsewhere it says what would serve that.
// What cannot be had is said; it is not worth ending for.
func (a *App) bindOwnName(ctx context.Context, s Service, at Address, port string) []*listener {
	find := a.cfg.OwnName
	if find == nil {
		find = ownName
	}
	name, leads, err := find(ctx)
	if err != nil {
		a.notice(fmt.Sprintf("%s: this host's name %s leads nowhere (%v); the tutorials' client will not find it", s.Name, name, err))
		return nil
	}
	var bound []*listener
	for i, ip := range leads {
		switch {
		case ip.String() == loopback:
		case ip.IsLoopback():
			own := Address{Network: "tcp", TLS: at.TLS, Host: ip.String(), Port: port}
			l, err := a.bind(ctx, s, own, "tcp", a.idFor(s, at, "tcp-"+ip.String()))
			if err != nil {
				a.notice(err.Error())
				continue
			}
			bound = append(bound, l)
		case i == 0:
			a.notice(fmt.Sprintf("%s: this host's name %s leads to %s; to serve the tutorials' client there too: --listen %s=%s",
				s.Name, name, ip, s.Name, net.JoinHostPort(ip.String(), port)))
		}
	}
	return bound
}

// ownName asks the system. The tutorials' client has an IPv4 socket.
func ownName(ctx context.Context) (string, []netip.Addr, error) {
	name, err := socket.GetHostname()
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, ownNameLimit)
	defer cancel()
	infos, err := socket.GetAddrInfo(ctx, name, "", socket.Hints{Family: socket.AF_INET, Type: socket.SOCK_STREAM})
	var out []netip.Addr
	for _, i := range infos {
		if ip := i.Addr.Addr(); !slices.Contains(out, ip) {
			out = append(out, ip)
		}
	}
	return name, out, err
}
