package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store"
)

// Config is what to run. The zero Config runs every service at its own port on
// 127.0.0.1.
type Config struct {
	Services []string // what runs; empty, and no Listen that Starts: everything
	Listen   []Place  // where, instead of at a service's own port

	// Engine is "goroutines", "events", which stands on epoll, or "uring", which
	// is events on io_uring (Linux 6.1, where the system allows it). "": events
	// where the system has them, with io_uring for services that gain by it, if
	// it can be had (server.UringAuto).
	Engine string
	Events server.EventOptions
	Drain  time.Duration // for what is in flight when stopping; 0: 5 s, negative: none

	// Proxy says who speaks for others on streams, by the PROXY protocol; nil:
	// nobody. Streams then have a goroutine each, whatever the Engine.
	Proxy *server.ProxyHeader
	// Inherited are the sockets that the program was started with; nil: what
	// the environment tells, where an Address asks for it. They are the
	// caller's, who closes them after Listen.
	Inherited *server.Inherited
	// Handover passes the sockets on when App.HandOver is called; nil: it never
	// is. UDP then has one socket for each listener instead of one for each
	// core. It is the caller's, who closes it after Serve.
	Handover *server.Handover

	Cert, Key string // PEM files for TLS; empty: a certificate is made where TLS is served
	CAOut     string // the file for the made authority's certificate; empty: ca.pem in Data, or without that in a folder for temporary files, until Serve returns
	MakeCA    bool   // make it even where no TLS is served

	// Root is the directory that http, ftp and gopher serve; empty: a small tree
	// in memory, writable. With Writable http and ftp may write into Root.
	Root     string
	Writable bool
	// Data is the directory in which mail and news are kept, durable when they
	// are acknowledged; empty: in memory, and gone at the end.
	Data string
	// Groups are the newsgroups that there are at least; empty: local.test.
	Groups []string
	// Users are passwords by name. Without any, every name and password is let
	// in, and no service with logins may listen beyond loopback.
	Users map[string]string
	// TelnetExec is a command for /bin/sh -c that telnet runs on a
	// pseudo-terminal, one for each session; empty: a small shell of our own.
	TelnetExec string
	// PassivePorts are for the data of FTP. The zero range: 2122 to 2131, or
	// the system's choice where ftp itself listens on port 0.
	PassivePorts ftp.PortRange

	Transcript string   // the folder to which every conversation is written; empty: none
	Faults     []string // rules by which to misbehave: "echo after=5 do=close"

	Say    func(Note)        // what the tutorials' servers print; nil: nothing is made of it
	Notice func(line string) // what the person who started it should know; nil: nobody is told
	Ears   []Ear             // hear every conversation
	Log    *slog.Logger      // nil: silent

	// OwnName is this host's name and the addresses to which it leads, the one
	// that a client would take first; nil: from the system.
	OwnName func(ctx context.Context) (name string, leads []netip.Addr, err error)
}

// An Ear hears conversations. Its methods are called by many goroutines at
// once, and must not wait.
type Ear interface {
	// Talk is called when a connection begins; the Tap hears it. nil: nobody.
	// A Tap that has a method Note(text string) hears of faults too.
	Talk(c Conversation) conv.Tap
	// Packet hears a datagram that came or went.
	Packet(at Listening, e server.PacketEvent)
}

// Conversation is a connection of a service.
type Conversation struct {
	Number      uint64 // 1, 2, 3 ... over all services
	Service     string
	Local, Peer net.Addr
}

// An App is a program whose listeners are bound.
type App struct {
	cfg      Config
	engine   server.Engine
	certs    *certificates
	faults   *faults.Set
	running  []*listener
	ready    Ready
	cleanups []func()
	talks    atomic.Uint64
	ids      map[string]int // how often each name of a socket was given
	tree     filetree.Tree  // what is served; nil: nobody asks for it
	accounts *files.Accounts
	ftp      map[ftpKind]*ftp.Handler
	web      *site // nil: nobody has asked for it
	store    store.Engine
	logins   *auth.Authenticator
	shells   *shells
	post     *post
	news     *newsgroup.Store
	newsHost string // its name in the news

	handing sync.Mutex    // held while a successor starts
	handed  chan struct{} // closed: a successor serves
}

// Listen binds everything that cfg asks for: from then on clients may connect.
// A *ConfigError: cfg cannot be meant. The caller calls Serve, or Close.
func Listen(ctx context.Context, cfg Config) (*App, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, engine: engineOf(cfg), ids: map[string]int{}, ftp: map[ftpKind]*ftp.Handler{}, handed: make(chan struct{})}
	a.ready = Ready{Ready: true, PID: os.Getpid(), Skipped: []Skipped{}, Services: []Listening{}}
	err := a.prepare()
	if err == nil {
		err = a.listen(ctx)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// engineOf gives the engine for a name that was checked.
func engineOf(cfg Config) server.Engine {
	if cfg.Engine == "goroutines" {
		return server.Goroutines()
	}
	switch cfg.Engine {
	case "":
		cfg.Events.Uring = server.UringAuto
	case "uring":
		cfg.Events.Uring = server.UringAlways
	}
	return server.EventsWith(cfg.Events)
}

// prepare makes what the listeners share.
func (a *App) prepare() error {
	withTLS := a.cfg.MakeCA || a.cfg.CAOut != "" || a.cfg.Cert != ""
	for _, l := range a.cfg.Listen {
		withTLS = withTLS || l.Address.TLS
	}
	withTree, keeps := a.cfg.Root != "", a.cfg.Data != ""
	if a.cfg.TelnetExec != "" {
		if err := checkExec(); err != nil {
			return err
		}
	}
	a.shells = &shells{app: a, those: map[int]*shell{}}
	for _, s := range a.cfg.wanted() {
		keeps = keeps || s.Keeps
		withTLS = withTLS || s.UsesTLS
		withTree = withTree || s.UsesTree
	}
	a.logins = newLogins(a.cfg.Users)
	if withTree {
		if err := a.plant(); err != nil {
			return err
		}
	}
	if keeps {
		if err := a.openPost(); err != nil {
			return err
		}
		if err := a.openNews(); err != nil {
			return err
		}
	}
	if withTLS {
		if err := a.certify(); err != nil {
			return err
		}
	}
	if err := a.write(); err != nil {
		return err
	}
	return a.arm()
}

// Ready tells what is bound.
func (a *App) Ready() Ready { return a.ready }

// Serve serves until ctx ends, then says goodbye, lets what is in flight
// finish within Config.Drain, and returns when every conversation has ended:
// nil, or what broke. After HandOver it returns as soon as the conversations
// that were left to it have ended. It is called once.
func (a *App) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	packets, stopPackets := context.WithCancel(ctx)
	defer stopPackets()
	go func() {
		select {
		case <-a.handed: // nothing but its context ends the reading of datagrams
			stopPackets()
		case <-packets.Done():
		}
	}()
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		all []error
	)
	for _, l := range a.running {
		wg.Go(func() {
			if err := l.serve(ctx, packets); err != nil {
				mu.Lock()
				all = append(all, err)
				mu.Unlock()
				stop()
			}
		})
	}
	wg.Wait()
	a.running = nil
	a.Close()
	return errors.Join(all...)
}

// HandOver starts the successor with Config.Handover and waits until it is
// ready, or until ctx ends; it gives the successor's process number. From then
// on nothing new is accepted here, and Serve returns when what was accepted
// before has ended. After an error everything goes on as before.
func (a *App) HandOver(ctx context.Context) (pid int, err error) {
	if a.cfg.Handover == nil {
		return 0, fmt.Errorf("hand over: %w", errors.ErrUnsupported)
	}
	a.handing.Lock()
	defer a.handing.Unlock()
	p, err := a.cfg.Handover.Start(ctx)
	if err != nil {
		return 0, err
	}
	close(a.handed)
	pid = p.Pid
	return pid, p.Release()
}

// Close closes the listeners of an App that never served.
func (a *App) Close() {
	for _, l := range a.running {
		l.close()
	}
	for _, f := range a.cleanups {
		f()
	}
	a.running, a.cleanups = nil, nil
}

func (a *App) notice(line string) {
	if a.cfg.Notice != nil {
		a.cfg.Notice(line)
	}
}

func (a *App) log() *slog.Logger {
	if a.cfg.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.cfg.Log
}

// listener is one socket and its server.
type listener struct {
	Listening
	srv     server.Server
	id      string // by which a successor knows the socket
	streams net.Listener
	packets net.PacketConn
}

func (l *listener) serve(ctx, packets context.Context) error {
	if l.packets != nil {
		return l.srv.ServePacket(packets, l.packets)
	}
	return l.srv.Serve(ctx, l.streams)
}

func (l *listener) close() {
	for _, c := range []io.Closer{l.streams, l.packets} {
		if c != nil {
			_ = c.Close() // nothing was ever said on it
		}
	}
}

// tap makes the ears of one connection, and lets those that take notes hear of
// its faults.
func (a *App) tap(service string, t *server.Talk) conv.Tap {
	c := Conversation{Number: a.talks.Add(1), Service: service, Local: t.LocalAddr(), Peer: t.RemoteAddr()}
	var all taps
	for _, ear := range a.cfg.Ears {
		if tap := ear.Talk(c); tap != nil {
			all = append(all, tap)
		}
	}
	if tap := faults.Tap(t.Below(), func(f faults.Fired) { all.Note(f.String()) }); tap != nil {
		all = append(all, tap)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// taps hear together.
type taps []conv.Tap

func (t taps) Hear(u conv.Utterance) {
	for _, one := range t {
		one.Hear(u)
	}
}

// Note goes to those that take notes.
func (t taps) Note(text string) {
	for _, one := range t {
		if n, ok := one.(interface{ Note(string) }); ok {
			n.Note(text)
		}
	}
}
