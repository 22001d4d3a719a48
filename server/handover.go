package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Handover passes the sockets of a program to the process that takes its
// place, in the manner of sd_listen_fds(3), so that no connection is refused
// or lost meanwhile. Its fields are set before the first call; its methods may
// be called concurrently. The zero Handover starts the same program again.
//
// The program listens with a name, serves what Keep returns, and at the right
// time (a signal) calls Start:
//
//	in, err := server.Inherit(server.Process{})
//	l, err := server.Listen(ctx, address, server.ListenConfig{Inherited: in, Name: "web", Sockets: loops})
//	l, err = handover.Keep("web", l)
//	// ... begin to serve l, then
//	err = in.Ready()
//
// Its successor runs the same lines: there Listen takes what was handed over.
//
// A connection belongs to the socket in whose queue it waits and is reset when
// that closes. So every socket is passed: also the siblings by which the
// events engine shares a port, for which ListenConfig.Sockets has to make them
// before Keep (of a listener that Keep returned, the engine adds none).
type Handover struct {
	Command []string // program and arguments; nil: this program with its own
	Env     []string // "NAME=value"; nil: os.Environ()
	// Notify tells the supervisor, as Inherited.Notify does, that a new process
	// is coming and which one has come; nil: nobody.
	Notify func(state string) error

	mu      sync.Mutex
	kept    []kept
	busy    bool
	over    bool
	release []func() error
}

// kept is a socket to pass on.
type kept struct {
	name string
	fd   int
}

var (
	// ErrHandedOver is a Start after one that succeeded, or while one runs.
	ErrHandedOver = errors.New("server: handed over already")
	// ErrNotReady is a successor that ended, or was ended, before it was ready.
	ErrNotReady = errors.New("server: the successor did not become ready")
)

// Keep notes a listener that Listen has made, to be passed on as name, and
// returns the one to serve in its place, which may be wrapped (TLS, a
// ProxyHeader) while the other may not. Two listeners of one name become one in
// the successor. The sockets stay open until Close or a Start that succeeds,
// whoever else closes them.
func (h *Handover) Keep(name string, l net.Listener) (net.Listener, error) {
	b, ok := l.(*bundle)
	if !ok {
		if _, ok := l.(syscall.Conn); !ok { // a wrapper has none, and what it wraps must not be passed by itself
			return nil, fmt.Errorf("hand over %s: %T has no descriptor: %w", name, l, errors.ErrUnsupported)
		}
		b = newBundle(l)
	}
	for _, m := range b.members {
		if err := h.keep(name, m); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.release = append(h.release, b.finish)
	return b, nil
}

// KeepPacket is Keep for a datagram socket, which has one socket whatever
// PacketOptions says. It goes on being read here until the program stops doing
// so; meanwhile both processes read from it, each datagram once.
func (h *Handover) KeepPacket(name string, pc net.PacketConn) (net.PacketConn, error) {
	if _, ok := pc.(syscall.Conn); !ok {
		return nil, fmt.Errorf("hand over %s: %T has no descriptor: %w", name, pc, errors.ErrUnsupported)
	}
	if err := h.keep(name, pc); err != nil {
		return nil, err
	}
	if u, ok := pc.(*unixgram); ok {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.release = append(h.release, func() error { u.keep.Store(true); return nil })
	}
	return alone(pc), nil
}

func (h *Handover) keep(name string, socket any) error {
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == ':' || r >= 0x7f }) || name == "" || len(name) > 255 {
		return fmt.Errorf("hand over %q: a name is 1 to 255 visible ASCII characters without a colon", name)
	}
	fd, err := duplicate(socket)
	if err != nil {
		return fmt.Errorf("hand over %s: %w", name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, kept{name, fd})
	return nil
}

// Close lets go of the sockets that are kept. Without a Start that succeeded,
// new connections are refused from then on, once the listeners are closed too.
func (h *Handover) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, k := range h.kept {
		errs = append(errs, closeFD(k.fd))
	}
	h.kept, h.release = nil, nil
	return errors.Join(errs...)
}

// Start starts the successor with the sockets and waits until it says that it
// is ready (Inherited.Ready; a program of another kind writes "READY=1" and a
// line end to the descriptor that READY_FD names), or until ctx ends. Then the
// listeners here accept no more; what was accepted goes on, and Serve returns
// when the last of it has ended, or as ever when its own context does. The
// caller waits for the process, or releases it.
//
// After an error (ErrNotReady, or the program cannot be started) the successor
// is gone and everything here goes on as before; Start may be called again.
//
// The successor has the standard streams and the directory of this process.
// It gets LISTEN_FDS, LISTEN_FDNAMES, and LISTEN_PPID in the place of
// LISTEN_PID; a foreign program that knows only sd_listen_fds(3) is started by
// "/bin/sh", "-c", "LISTEN_PID=$$ exec program".
func (h *Handover) Start(ctx context.Context) (*os.Process, error) {
	if err := h.begin(); err != nil {
		return nil, err
	}
	p, err := h.succeed(ctx)
	h.mu.Lock()
	h.busy, h.over = false, err == nil
	release := h.release
	h.mu.Unlock()
	if err != nil {
		h.tell("READY=1")
		return nil, err
	}
	for _, f := range release {
		_ = f() // what cannot be closed is not served either
	}
	h.tell(fmt.Sprintf("MAINPID=%d\nREADY=1", p.Pid))
	_ = h.Close() // the successor has them
	return p, nil
}

func (h *Handover) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy || h.over {
		return ErrHandedOver
	}
	h.busy = true
	return nil
}

// tell tells the supervisor, if there is one; handing over does not depend on
// it.
func (h *Handover) tell(state string) {
	if h.Notify != nil {
		_ = h.Notify(state)
	}
}

// succeed starts the successor and waits until it is ready.
func (h *Handover) succeed(ctx context.Context) (*os.Process, error) {
	ready, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("hand over: %w", err)
	}
	defer ready.Close()
	h.tell("RELOADING=1\nMONOTONIC_USEC=" + monotonicMicros())
	p, err := h.spawn(theirs)
	theirs.Close()
	if err != nil {
		return nil, fmt.Errorf("hand over: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(past) })
	defer stop()
	if err = awaitReady(ready); err == nil {
		return p, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	_ = p.Kill() // it may have ended by itself
	state, werr := p.Wait()
	if werr != nil {
		return nil, errors.Join(ErrNotReady, err, werr)
	}
	return nil, fmt.Errorf("%w: %w (process %d: %v)", ErrNotReady, err, p.Pid, state)
}

// awaitReady reads until the successor says READY=1.
func awaitReady(r io.Reader) error {
	var said []byte
	b := make([]byte, 256)
	for len(said) < 4096 {
		n, err := r.Read(b)
		said = append(said, b[:n]...)
		for line := range strings.Lines(string(said)) {
			if line == "READY=1\n" {
				return nil
			}
		}
		if err == io.EOF {
			return errors.New("it ended, or closed the descriptor")
		}
		if err != nil {
			return err
		}
	}
	return errors.New("it says other things than READY=1")
}

// spawn starts the successor, which tells on ready that it is.
func (h *Handover) spawn(ready *os.File) (*os.Process, error) {
	command := h.Command
	if command == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = append([]string{self}, os.Args[1:]...)
	}
	h.mu.Lock()
	all := append([]kept(nil), h.kept...)
	h.mu.Unlock()
	return start(command, h.environ(all), all, ready)
}

// environ is the successor's environment.
func (h *Handover) environ(all []kept) []string {
	base := h.Env
	if base == nil {
		base = os.Environ()
	}
	own := map[string]bool{envFDs: true, envNames: true, envPID: true, envPPID: true, envReady: true}
	var out, names []string
	for _, pair := range base {
		if name, _, _ := strings.Cut(pair, "="); !own[name] {
			out = append(out, pair)
		}
	}
	for _, k := range all {
		names = append(names, k.name)
	}
	return append(out,
		fmt.Sprintf("%s=%d", envFDs, len(all)),
		fmt.Sprintf("%s=%s", envNames, strings.Join(names, ":")),
		fmt.Sprintf("%s=%d", envPPID, os.Getpid()),
		fmt.Sprintf("%s=%d", envReady, 3+len(all)),
	)
}
