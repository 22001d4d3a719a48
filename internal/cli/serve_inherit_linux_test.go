package cli

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// activated is a command line of farend for a process that gets sockets as
// systemd passes them.
func activated(t *testing.T, names string, sockets []*os.File, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run='^TestRunCommand$'`, self)
	cmd.Env = append(os.Environ(), runAsVariable+"=farend", runArgsVariable+"="+strings.Join(args, " "))
	if len(sockets) > 0 {
		cmd.Env = append(cmd.Env, "LISTEN_FDNAMES="+names, "LISTEN_FDS="+string(rune('0'+len(sockets))))
	}
	cmd.ExtraFiles = sockets
	return cmd
}

// sockets are a TCP and a UDP socket to pass on.
func sockets(t *testing.T) (tcp, udp net.Addr, files []*os.File) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, s := range []interface{ File() (*os.File, error) }{l, p} {
		f, err := s.File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return l.Addr(), p.LocalAddr(), files
}

func TestServeInheritedSockets(t *testing.T) {
	for _, listen := range [][]string{
		{"--listen", "echo=systemd:web"},
		{"--listen", "echo=systemd:"},
		{"--listen", "echo=fd:3", "--listen", "echo=fd:4"},
		{"--handover", "--listen", "echo=fd:4", "--listen", "echo=systemd:web"},
	} {
		tcp, udp, files := sockets(t)
		file := t.TempDir() + "/ready"
		cmd := activated(t, "web:web", files, append([]string{"serve", "--ready-file", file}, listen...)...)
		var errs lockedBuffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f := &served{Cmd: cmd, t: t, file: file, ready: waitForFile(t, file)}
		converse := func() {
			found := map[string]bool{}
			for i, l := range f.ready.Services {
				found[l.URL] = true
				c, err := f.dial(i)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := back(c, "hello"); got != "hello" {
					t.Errorf("%v: %s: %q, %v", listen, l.URL, got, err)
				}
				c.Close()
			}
			if !found["tcp://"+tcp.String()] || !found["udp://"+udp.String()] || len(found) != 2 {
				t.Errorf("%v: it serves %v", listen, found)
			}
		}
		converse()
		if listen[0] == "--handover" { // the numbers and names of before mean nothing to the successor
			f.signal(syscall.SIGHUP)
			f.succeeded()
			converse()
		}
		f.signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", listen, err, errs.String())
		}
	}
}

func TestServeInheritedSocketsMissing(t *testing.T) {
	_, _, files := sockets(t)
	for _, c := range []struct {
		listen string
		files  []*os.File
		want   string
	}{
		{"echo=systemd:web", nil, "farend: serve: listening for echo: listen systemd:web: no sockets were inherited: LISTEN_FDS is not set\n"},
		{"echo=systemd:web", files, "farend: serve: listening for echo: listen systemd:web: no inherited socket has that name; there are admin (a listening socket), news (a datagram socket)\n"},
		{"greet=systemd:news", files, "farend: serve: listening for greet: listen systemd:news: news (a datagram socket), and no listening socket\n"},
		{"echo=fd:9", files, "farend: serve: listening for echo: listen fd:9: descriptor 9 is not open, and no listening socket\n"},
	} {
		out, err := activated(t, "admin:news", c.files, "serve", "--listen", c.listen).CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || string(out) != c.want {
			t.Errorf("%s: %v, %q, want %q", c.listen, err, out, c.want)
		}
	}
}

// underInetd runs farend with a connection for all three standard streams, and
// gives the other end, and a function that waits for its exit status.
func underInetd(t *testing.T, args ...string) (*net.UnixConn, func() int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	cmd := activated(t, "", nil, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.UnixConn), func() int { _ = cmd.Wait(); return cmd.ProcessState.ExitCode() }
}

func TestServeUnderInetd(t *testing.T) {
	for _, flags := range []string{"", "--json", "-vv --explain", "--engine goroutines"} {
		c, status := underInetd(t, strings.Fields("serve --listen upper=inetd: "+flags)...)
		if _, err := io.WriteString(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if string(got) != "HELLO" || err != nil {
			t.Errorf("%q: the peer read %q, %v", flags, got, err)
		}
		if code := status(); code != 0 {
			t.Errorf("%q: status %d", flags, code)
		}
	}
}

// The peer does not read what is wrong with the command line.
func TestServeUnderInetdWithErrors(t *testing.T) {
	for args, want := range map[string]int{
		"serve --listen upper=inetd: --nonsense":              2,
		"serve --listen upper=inetd: --engine nonsense":       2,
		"serve --listen upper=inetd: --listen echo=inetd:":    2,
		"serve --handover --listen upper=inetd:":              2,
		"serve --listen upper=inetd: --config /no/such/file":  2,
		"serve --listen upper=inetd: --transcript /dev/null/": 1,
	} {
		c, status := underInetd(t, strings.Fields(args)...)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if len(got) > 0 || err != nil {
			t.Errorf("%s: the peer read %q, %v", args, got, err)
		}
		if code := status(); code != want {
			t.Errorf("%s: status %d, want %d", args, code, want)
		}
	}
}

func TestServeSaysWhomAProxySpeaksFor(t *testing.T) {
	for _, engine := range []string{"goroutines", "events", ""} {
		s := startServe(t, []string{"FAREND_PROXY_FROM=127.0.0.0/8"}, "--engine="+engine, "--explain", "--listen", "upper=tcp::0", "--listen", "greet=tcp:127.0.0.1:0")
		if got := s.talk("upper", "PROXY TCP4 192.0.2.7 198.51.100.8 4000 80\r\nabc\n"); got != "ABC" {
			t.Errorf("%s: %q", engine, got)
		}
		if got, _ := s.out.ReadString('\n'); got != `{"event":"wrote","service":"upper","peer":"192.0.2.7:4000","text":"abc"}`+"\n" {
			t.Errorf("%s: upper said %s", engine, got)
		}
		s.talk("greet", "PROXY TCP6 2001:db8::7 2001:db8::8 4000 80\r\n")
		if got, _ := s.out.ReadString('\n'); got != `{"event":"connected","service":"greet","peer":"[2001:db8::7]:4000"}`+"\n" {
			t.Errorf("%s: greet said %s", engine, got)
		}
		s.stop(syscall.SIGTERM)
		if !strings.Contains(s.err.String(), "accepted 192.0.2.7:4000 by upper at 198.51.100.8:80\n") {
			t.Errorf("%s: it explained\n%s", engine, s.err.String())
		}
		// From anybody else it is data.
		s = startServe(t, nil, "--engine="+engine, "--proxy-from", "10.0.0.0/8,unix", "--listen", "upper=tcp::0")
		if got := s.talk("upper", "proxy tcp4 192.0.2.7 198.51.100.8 4000 80\r\n"); got != "PROXY TCP4 192.0.2.7 198.51.100.8 4000 80" {
			t.Errorf("%s: %q", engine, got)
		}
		s.stop(syscall.SIGTERM)
		// Or it has to be there.
		s = startServe(t, nil, "--engine="+engine, "--proxy-from", "127.0.0.1", "--proxy-required", "--listen", "upper=tcp::0")
		if got := s.talk("upper", "abc\n"); got != "" {
			t.Errorf("%s: without a header: %q", engine, got)
		}
	}
}

func TestServeLoopsAndSpin(t *testing.T) {
	s := startServe(t, []string{"FAREND_LOOPS=2"}, "--spin", "50us", "--listen", "echo=:0")
	for range 8 {
		if got := s.talk("echo", "abc"); got != "abc" {
			t.Errorf("%q", got)
		}
	}
}
