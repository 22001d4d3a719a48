package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Process is what Inherit looks at. Its zero value is this process.
type Process struct {
	Getenv    func(name string) string // nil: os.Getenv
	PID, PPID int                      // 0: os.Getpid(), os.Getppid()
	First     int                      // the first descriptor that is passed on; 0: 3
}

func (p Process) filled() Process {
	if p.Getenv == nil {
		p.Getenv = os.Getenv
	}
	if p.PID == 0 {
		p.PID = os.Getpid()
	}
	if p.PPID == 0 {
		p.PPID = os.Getppid()
	}
	if p.First == 0 {
		p.First = 3
	}
	return p
}

// The variables of sd_listen_fds(3) and sd_notify(3), and the two by which a
// Handover adds to them: the process that passes the sockets, in the place of
// LISTEN_PID, which it does not know before it has started its successor; and
// the descriptor on which it wants to be told READY=1.
const (
	envFDs    = "LISTEN_FDS"
	envNames  = "LISTEN_FDNAMES"
	envPID    = "LISTEN_PID"
	envPPID   = "LISTEN_PPID"
	envReady  = "READY_FD"
	envNotify = "NOTIFY_SOCKET"
)

// Inherited are the sockets that a program was started with, by systemd, by
// another supervisor that knows sd_listen_fds(3), or by its predecessor's
// Handover. Listen and ListenPacket take them under the addresses "systemd:",
// "fd:" and "inetd:".
//
// What they take is a duplicate: the descriptors stay open until Close, and a
// name may be taken again. Its methods may be called concurrently.
type Inherited struct {
	sockets []passed
	none    string // why there are none
	handed  bool   // by a Handover
	notify  string

	mu    sync.Mutex
	ready int // -1: nobody waits
}

// passed is one descriptor; the zero name is none.
type passed struct {
	name string
	fd   int
}

// Inherit reads what the process was started with, and marks the descriptors
// to be closed on exec. Variables that are meant for another process, by
// LISTEN_PID, are as good as none; then Inherited is empty. Variables that do
// not fit together are an error, and so is a descriptor that is not open.
func Inherit(p Process) (*Inherited, error) {
	p = p.filled()
	in := &Inherited{ready: -1, notify: p.Getenv(envNotify)}
	count := p.Getenv(envFDs)
	if in.none = in.notMine(p); in.none != "" {
		return in, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("inherited sockets: %s is %q, not a number", envFDs, count)
	}
	if err := in.receive(p.First, n, p.Getenv(envNames)); err != nil {
		return nil, err
	}
	ready := p.Getenv(envReady)
	if !in.handed || ready == "" {
		return in, nil
	}
	if in.ready, err = strconv.Atoi(ready); err != nil || in.ready < 0 {
		return nil, fmt.Errorf("inherited sockets: %s is %q, not a number", envReady, ready)
	}
	if err := own(in.ready); err != nil {
		return nil, err
	}
	return in, nil
}

// receive notes n sockets from descriptor first on.
func (in *Inherited) receive(first, n int, list string) error {
	var names []string
	if list != "" {
		names = strings.Split(list, ":")
	}
	if len(names) != n && list != "" {
		return fmt.Errorf("inherited sockets: %s has %d names, %s is %d", envNames, len(names), envFDs, n)
	}
	for i := range n {
		if err := own(first + i); err != nil {
			return err
		}
		name := "unknown" // as sd_listen_fds_with_names has it
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		in.sockets = append(in.sockets, passed{name, first + i})
	}
	if n == 0 {
		in.none = envFDs + " is 0"
	}
	return nil
}

// own keeps a descriptor from children.
func own(fd int) error {
	if err := closeOnExec(fd); err != nil {
		return fmt.Errorf("inherited sockets: descriptor %d: %w", fd, err)
	}
	return nil
}

// notMine says why the variables are not for p; empty: they are.
func (in *Inherited) notMine(p Process) string {
	if p.Getenv(envFDs) == "" {
		return envFDs + " is not set"
	}
	if pid := p.Getenv(envPID); pid != "" {
		if pid == strconv.Itoa(p.PID) {
			return ""
		}
		return fmt.Sprintf("%s is %s, and this is process %d", envPID, pid, p.PID)
	}
	switch ppid := p.Getenv(envPPID); ppid {
	case "":
		return envPID + " is not set"
	case strconv.Itoa(p.PPID):
		in.handed = true
		return ""
	default:
		return fmt.Sprintf("%s is %s, and process %d started this one", envPPID, ppid, p.PPID)
	}
}

// Names are the names of the sockets, in the order of their descriptors; some
// may be the same.
func (in *Inherited) Names() []string {
	var out []string
	for _, s := range in.sockets {
		out = append(out, s.name)
	}
	return out
}

// HandedOver tells whether the sockets came from a predecessor's Handover, which
// serves on until Ready.
func (in *Inherited) HandedOver() bool { return in.handed }

// wasHanded tells whether a Handover passed a socket of this name that fits.
func (in *Inherited) wasHanded(name string, fits func(purpose) bool) bool {
	if !in.handed || name == "" {
		return false
	}
	return slices.ContainsFunc(in.named(name), func(s passed) bool { return fits(purposeOf(s.fd)) })
}

// Unsetenv removes the variables, for children that do not look at
// LISTEN_PID: in.Unsetenv(os.Unsetenv). A second Inherit then finds none.
// NOTIFY_SOCKET stays.
func (in *Inherited) Unsetenv(unset func(name string) error) error {
	var errs []error
	for _, name := range []string{envFDs, envNames, envPID, envPPID, envReady} {
		errs = append(errs, unset(name))
	}
	return errors.Join(errs...)
}

// Close closes the descriptors. What Listen and ListenPacket made of them
// stays open, and Ready can still be called.
func (in *Inherited) Close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var errs []error
	for _, s := range in.sockets {
		errs = append(errs, closeFD(s.fd))
	}
	in.sockets, in.none = nil, "they were closed"
	return errors.Join(errs...)
}

// Ready tells whoever waits for it that the program serves now: the
// predecessor that hands over, and by sd_notify(3) the supervisor. Nobody
// waiting is no error.
func (in *Inherited) Ready() error {
	in.mu.Lock()
	fd := in.ready
	in.ready = -1
	in.mu.Unlock()
	var err error
	if fd >= 0 {
		f := os.NewFile(uintptr(fd), "ready")
		_, err = f.WriteString("READY=1\n")
		err = errors.Join(err, f.Close())
	}
	return errors.Join(err, in.Notify("READY=1"))
}

// Notify tells the supervisor of a state in the words of sd_notify(3), such as
// "STOPPING=1" or "STATUS=warming up". Without NOTIFY_SOCKET it does nothing.
func (in *Inherited) Notify(state string) error {
	if in.notify == "" {
		return nil
	}
	if c := in.notify[0]; c != '/' && c != '@' {
		return fmt.Errorf("sd_notify: %s: %w", in.notify, errors.ErrUnsupported)
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: in.notify})
	if err != nil {
		return fmt.Errorf("sd_notify: %w", err)
	}
	_, err = c.Write([]byte(state))
	return errors.Join(err, c.Close())
}

// named are the sockets of this name, or all of them.
func (in *Inherited) named(name string) []passed {
	if name == "" {
		return in.sockets
	}
	var out []passed
	for _, s := range in.sockets {
		if s.name == name {
			out = append(out, s)
		}
	}
	return out
}

// isInherited tells the addresses that name inherited sockets.
func isInherited(address string) bool {
	scheme, _, _ := strings.Cut(address, ":")
	return scheme == "systemd" || scheme == "fd" || scheme == "inetd"
}

// find gives the sockets that address names and that fits wants.
func (in *Inherited) find(address string, fits func(purpose) bool, want string) ([]passed, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	var of []passed
	switch scheme {
	case "inetd":
		if rest != "" {
			return nil, fmt.Errorf("listen %s: after inetd: comes nothing", address)
		}
		of = []passed{{name: "standard input", fd: 0}}
	case "fd":
		fd, err := strconv.Atoi(rest)
		if err != nil || fd < 0 {
			return nil, fmt.Errorf("listen %s: %q is not the number of a descriptor", address, rest)
		}
		of = []passed{{fd: fd}}
	default:
		if of = in.named(rest); len(of) == 0 && in.none != "" {
			return nil, fmt.Errorf("listen %s: no sockets were inherited: %s", address, in.none)
		} else if len(of) == 0 {
			return nil, fmt.Errorf("listen %s: no inherited socket has that name; there are %s", address, describe(in.sockets))
		}
	}
	var out []passed
	for _, s := range of {
		if fits(purposeOf(s.fd)) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("listen %s: %s, and no %s", address, describe(of), want)
	}
	return out, nil
}

// describe lists sockets with what they are.
func describe(of []passed) string {
	var out []string
	for _, s := range of {
		text := purposeOf(s.fd).String()
		switch s.name {
		case "":
			text = fmt.Sprintf("descriptor %d is %s", s.fd, text)
		case "standard input":
			text = "standard input is " + text
		default:
			text = s.name + " (" + text + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// purpose is what a descriptor is good for.
type purpose uint8

const (
	otherSocket purpose = iota
	notOpen
	noSocket
	listening
	connected
	datagrams
)

func (p purpose) accepts() bool  { return p == listening || p == connected }
func (p purpose) receives() bool { return p == datagrams }

func (p purpose) String() string {
	return [...]string{"another kind of socket", "not open", "no socket", "a listening socket", "a connection", "a datagram socket"}[p]
}

// listen makes a listener of what address names: of listening sockets one that
// accepts from all of them, of a connection one that yields it once.
func (in *Inherited) listen(address string) (net.Listener, error) {
	found, err := in.find(address, purpose.accepts, "listening socket")
	if err != nil {
		return nil, err
	}
	if purposeOf(found[0].fd) == connected {
		return in.connection(address, found)
	}
	var members []net.Listener
	for _, s := range found {
		if purposeOf(s.fd) != listening {
			continue
		}
		l, err := listenerOn(s.fd)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen %s: %w", address, err), newBundle(members...).closeMembers())
		}
		members = append(members, l)
	}
	return newBundle(members...), release(found)
}

func (in *Inherited) connection(address string, found []passed) (net.Listener, error) {
	if len(found) > 1 {
		return nil, fmt.Errorf("listen %s: %s; name one of them", address, describe(found))
	}
	nc, err := connectionOn(found[0].fd)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", address, err)
	}
	return newOnce(nc), release(found)
}

// listenPacket is a datagram socket that address names.
func (in *Inherited) listenPacket(address string) (net.PacketConn, error) {
	found, err := in.find(address, purpose.receives, "datagram socket")
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, fmt.Errorf("listen %s: %s; name one of them, as fd:%d", address, describe(found), found[0].fd)
	}
	pc, err := packetsOn(found[0].fd)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", address, err)
	}
	return alone(pc), release(found)
}

// release takes the standard descriptors of an inetd service away from its
// socket: what else is written there must not reach the peer, and the
// connection ends when the server closes it.
func release(found []passed) error {
	for _, s := range found {
		if s.fd == 0 {
			return leaveStandard(0, 1, 2)
		}
		if err := closeOnExec(s.fd); err != nil {
			return err
		}
	}
	return nil
}
