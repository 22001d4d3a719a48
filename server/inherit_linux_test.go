package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// firstPassed is where these tests put the descriptors that a supervisor would
// put at 3.
const firstPassed = 300

// pass puts the sockets where a process finds those that it inherits, and
// gives the process.
func pass(t *testing.T, names string, sockets ...syscall.Conn) server.Process {
	t.Helper()
	for i, s := range sockets {
		rc, err := s.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		to := firstPassed + i
		var derr error
		if err := rc.Control(func(fd uintptr) { derr = unix.Dup3(int(fd), to, 0) }); err != nil || derr != nil {
			t.Fatal(err, derr)
		}
		t.Cleanup(func() { _ = unix.Close(to) }) // the test may have closed it
	}
	env := map[string]string{"LISTEN_PID": "77", "LISTEN_FDS": strconv.Itoa(len(sockets)), "LISTEN_FDNAMES": names}
	return server.Process{Getenv: func(name string) string { return env[name] }, PID: 77, PPID: 7, First: firstPassed}
}

func inherit(t *testing.T, p server.Process) *server.Inherited {
	t.Helper()
	in, err := server.Inherit(p)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func listenTCP(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func TestInheritedListeners(t *testing.T) {
	a, b, c := listenTCP(t), listenTCP(t), listenTCP(t)
	path := filepath.Join(servertest.Dir(t), "s")
	u, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	in := inherit(t, pass(t, "web:mail:web:local", a, b, c, u))
	for _, k := range []kind{{engine: "goroutines"}, {engine: "events"}, {engine: "uring"}} {
		for _, tt := range []struct {
			address string
			reach   []net.Addr
		}{
			{"systemd:mail", []net.Addr{b.Addr()}},
			{"systemd:web", []net.Addr{a.Addr(), c.Addr()}},
			{"systemd:local", []net.Addr{u.Addr()}},
			{"systemd:", []net.Addr{a.Addr(), b.Addr(), c.Addr(), u.Addr()}},
			{"fd:" + strconv.Itoa(firstPassed), []net.Addr{a.Addr()}},
		} {
			t.Run(k.engine+"/"+tt.address, func(t *testing.T) {
				l, err := server.Listen(t.Context(), tt.address, server.ListenConfig{Inherited: in})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(context.Background())
				done := make(chan error, 1)
				srv := &server.Server{Engine: k.newEngine(0), Handler: &liner{mode: server.Inline}}
				go func() { done <- srv.Serve(ctx, l) }()
				for range 5 {
					for _, addr := range tt.reach {
						hear(t, addr, "+ hello\r\n")
					}
				}
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the supervisor's path is gone: %v", err)
	}
}

// hear connects to addr and expects a greeting.
func hear(t *testing.T, addr net.Addr, want string) {
	t.Helper()
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("%v says %q, %v", addr, got, err)
	}
}

func TestInheritedDatagrams(t *testing.T) {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	in := inherit(t, pass(t, "echo:echo", udp, listenTCP(t)))
	pc, err := server.ListenPacket(t.Context(), "systemd:echo", server.ListenConfig{Inherited: in})
	if err != nil {
		t.Fatal(err)
	}
	answersDatagrams(t, pc, udp.LocalAddr())
	rc, err := udp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = rc.Control(func(fd uintptr) {
		if on, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT); on != 0 || err != nil {
			t.Errorf("others may share the supervisor's port: %d, %v", on, err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// answersDatagrams serves pc and expects it to answer at addr.
func answersDatagrams(t *testing.T, pc net.PacketConn, addr net.Addr) {
	t.Helper()
	srv := &server.Server{PacketOptions: server.PacketOptions{Sockets: 2}, Packets: server.Datagram(func(_ context.Context, p *server.Packet) error {
		return p.Reply(append([]byte("re: "), p.Data...))
	})}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.ServePacket(ctx, pc) }()
	var local net.Addr
	if addr.Network() == "unixgram" {
		local = &net.UnixAddr{Net: "unixgram", Name: filepath.Join(servertest.Dir(t), "c")}
	}
	d := net.Dialer{LocalAddr: local}
	c, err := d.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.WriteString(c, "hi"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "re: hi" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An accepted connection, as systemd passes it under Accept=yes, is served
// once.
func TestInheritedConnection(t *testing.T) {
	l := listenTCP(t)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	in := inherit(t, pass(t, "connection", accepted.(*net.TCPConn)))
	accepted.Close()
	one, err := server.Listen(t.Context(), "systemd:connection", server.ListenConfig{Inherited: in})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	srv := &server.Server{Engine: server.Events(), Handler: &liner{}}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(t.Context(), one) }()
	if _, err := io.WriteString(c, "SAY it\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil || string(b) != "+ hello\r\n+ it\r\n+ bye\r\n" {
		t.Errorf("got %q, %v", b, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInheritedIsClosedOnExec(t *testing.T) {
	in := inherit(t, pass(t, "a:b", listenTCP(t), listenTCP(t)))
	for fd := firstPassed; fd < firstPassed+2; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d has flags %d, %v", fd, flags, err)
		}
	}
	var unset []string
	if err := in.Unsetenv(func(name string) error { unset = append(unset, name); return nil }); err != nil {
		t.Error(err)
	}
	if got := strings.Join(unset, " "); got != "LISTEN_FDS LISTEN_FDNAMES LISTEN_PID LISTEN_PPID READY_FD" {
		t.Errorf("removed %s", got)
	}
}

func TestInheritRefuses(t *testing.T) {
	l := listenTCP(t)
	with := func(p server.Process, name, value string) server.Process {
		get := p.Getenv
		p.Getenv = func(n string) string {
			if n == name {
				return value
			}
			return get(n)
		}
		return p
	}
	p := pass(t, "a", l)
	for _, tt := range []struct {
		p    server.Process
		want string
	}{
		{with(p, "LISTEN_FDS", "x"), `inherited sockets: LISTEN_FDS is "x", not a number`},
		{with(p, "LISTEN_FDS", "2"), "inherited sockets: LISTEN_FDNAMES has 1 names, LISTEN_FDS is 2"},
		{with(with(p, "LISTEN_FDS", "2"), "LISTEN_FDNAMES", ""), fmt.Sprintf("inherited sockets: descriptor %d: fcntl: bad file descriptor", firstPassed+1)},
	} {
		if _, err := server.Inherit(tt.p); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	for _, tt := range []struct {
		p             server.Process
		address, want string
	}{
		{p, "systemd:b", "listen systemd:b: no inherited socket has that name; there are a (a listening socket)"},
		{with(p, "LISTEN_FDNAMES", ""), "systemd:a", "listen systemd:a: no inherited socket has that name; there are unknown (a listening socket)"},
		{with(p, "LISTEN_PID", "78"), "systemd:a", "listen systemd:a: no sockets were inherited: LISTEN_PID is 78, and this is process 77"},
		{with(p, "LISTEN_PID", ""), "systemd:", "listen systemd:: no sockets were inherited: LISTEN_PID is not set"},
		{with(p, "LISTEN_FDS", ""), "systemd:a", "listen systemd:a: no sockets were inherited: LISTEN_FDS is not set"},
		{with(with(p, "LISTEN_PID", ""), "LISTEN_PPID", "8"), "systemd:a", "listen systemd:a: no sockets were inherited: LISTEN_PPID is 8, and process 7 started this one"},
		{p, "fd:x", `listen fd:x: "x" is not the number of a descriptor`},
		{p, "fd:999", "listen fd:999: descriptor 999 is not open, and no listening socket"},
		{p, "inetd:x", "listen inetd:x: after inetd: comes nothing"},
	} {
		if l, err := server.Listen(t.Context(), tt.address, server.ListenConfig{Inherited: inherit(t, tt.p)}); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, %v\nwant %s", l, err, tt.want)
		}
	}
	want := "listen systemd:a: a (a listening socket), and no datagram socket"
	if pc, err := server.ListenPacket(t.Context(), "systemd:a", server.ListenConfig{Inherited: inherit(t, p)}); err == nil || err.Error() != want {
		t.Errorf("got %v, %v", pc, err)
	}
}

// Whatever the variables say, Inherit tells what it took or what is wrong.
func FuzzInherit(f *testing.F) {
	f.Add("77", "", "1", "a", "")
	f.Add("", "7", "0", "", "3")
	f.Add("77", "", "99999999999", "", "")
	f.Add("77", "", "2147483647", "", "")
	f.Add("77", "", "-1", ":", "")
	f.Fuzz(func(t *testing.T, pid, ppid, fds, names, ready string) {
		env := map[string]string{"LISTEN_PID": pid, "LISTEN_PPID": ppid, "LISTEN_FDS": fds, "LISTEN_FDNAMES": names, "READY_FD": ready}
		p := server.Process{Getenv: func(name string) string { return env[name] }, PID: 77, PPID: 7, First: firstPassed}
		in, err := server.Inherit(p)
		if (in == nil) == (err == nil) {
			t.Fatal(in, err)
		}
		if in != nil && len(in.Names()) > 0 { // nothing is open there
			t.Errorf("took %q", in.Names())
		}
	})
}

func TestListenPacketUnix(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	pc, err := server.ListenPacket(t.Context(), "unixgram:"+path, server.ListenConfig{UnixMode: 0o620})
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o620 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if _, err := server.ListenPacket(t.Context(), "unixgram:"+path, server.ListenConfig{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one got %v", err)
	}
	answersDatagrams(t, pc, pc.LocalAddr())
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path stays: %v", err)
	}
	stale, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.Close()
	pc, err = server.ListenPacket(t.Context(), "unixgram:"+path, server.ListenConfig{})
	if err != nil {
		t.Fatal("a stale path is not replaced: ", err)
	}
	pc.Close()
	udp, err := server.ListenPacket(t.Context(), "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	answersDatagrams(t, udp, udp.LocalAddr())
}

func TestNotify(t *testing.T) {
	for _, name := range []string{filepath.Join(servertest.Dir(t), "n"), "@farend-test-" + strconv.Itoa(os.Getpid())} {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		in := inherit(t, server.Process{Getenv: func(n string) string { return map[string]string{"NOTIFY_SOCKET": name}[n] }})
		if err := in.Ready(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		if n, err := l.Read(b); err != nil || string(b[:n]) != "READY=1" {
			t.Errorf("%s heard %q, %v", name, b[:n], err)
		}
	}
	if err := inherit(t, server.Process{Getenv: func(string) string { return "" }}).Ready(); err != nil {
		t.Error(err)
	}
}
