package app_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/server"
)

// firstPassed is where these tests put the descriptors that a supervisor would
// put at 3.
const firstPassed = 400

// inherited are the sockets, passed under the names. handed: by a predecessor.
func inherited(t *testing.T, handed bool, names string, sockets ...syscall.Conn) *server.Inherited {
	t.Helper()
	for i, s := range sockets {
		rc, err := s.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var derr error
		if err := rc.Control(func(fd uintptr) { derr = unix.Dup3(int(fd), firstPassed+i, 0) }); err != nil || derr != nil {
			t.Fatal(err, derr)
		}
	}
	env := map[string]string{"LISTEN_FDS": strconv.Itoa(len(sockets)), "LISTEN_FDNAMES": names, "LISTEN_PID": "77"}
	if handed {
		delete(env, "LISTEN_PID")
		env["LISTEN_PPID"] = "7"
	}
	in, err := server.Inherit(server.Process{Getenv: func(name string) string { return env[name] }, PID: 77, PPID: 7, First: firstPassed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

func twoSockets(t *testing.T) (*net.TCPListener, *net.UDPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return l, p
}

func TestInheritedSockets(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		t.Run(engine, func(t *testing.T) {
			l, p := twoSockets(t)
			want := "tcp://" + l.Addr().String() + " udp://" + p.LocalAddr().String()
			in := inherited(t, false, "web:web", l, p)
			l.Close()
			p.Close()
			r := run(t, app.Config{Engine: engine, Listen: at(t, "upper=systemd:web"), Inherited: in})
			var urls []string
			for _, s := range r.Services {
				urls = append(urls, s.URL)
				if got := capitals(t, s.URL); got != "ABC" {
					t.Errorf("%s: %q", s.URL, got)
				}
			}
			if got := strings.Join(urls, " "); got != want {
				t.Errorf("it serves %s, want %s", got, want)
			}
		})
	}
}

// After a hand-over only the names that the predecessor gave count: what stands
// at descriptor 3 now may be another service's.
func TestHandedOverSockets(t *testing.T) {
	l, p := twoSockets(t)
	in := inherited(t, true, "upper-tcp-tcp%3A%3A0:news", l, p)
	address := l.Addr().String()
	l.Close()
	a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "upper=fd:400", "upper=tcp::0"), Inherited: in})
	if err == nil {
		a.Close()
	}
	if err == nil || err.Error() != "listening for upper: listen fd:400: the process before did not have it" {
		t.Errorf("a number of before: %v", err)
	}
	r := run(t, app.Config{Listen: at(t, "upper=tcp::0"), Inherited: in})
	if len(r.Services) != 1 || r.Services[0].Address != address {
		t.Errorf("%+v, want %s", r.Services, address)
	}
	if got := capitals(t, r.Services[0].URL); got != "ABC" {
		t.Errorf("%q", got)
	}
}

func TestUnclaimedSocketsAreSaid(t *testing.T) {
	l, p := twoSockets(t)
	in := inherited(t, false, "web:news", l, p)
	for place, want := range map[string]string{
		"upper=:0":           "nobody serves the inherited sockets web, news (--listen SERVICE=systemd:web)",
		"upper=systemd:news": "nobody serves the inherited sockets web (--listen SERVICE=systemd:web)",
		"upper=systemd:":     "",
		"upper=fd:400":       "",
	} {
		var said notices
		run(t, app.Config{Listen: at(t, place), Inherited: in, Notice: said.add})
		if got := said.String(); got != want {
			t.Errorf("%s: %q, want %q", place, got, want)
		}
	}
}

// What cannot be handed over changes nothing.
func TestHandOverFails(t *testing.T) {
	dir := t.TempDir()
	h := &server.Handover{Command: []string{filepath.Join(dir, "none")}}
	defer h.Close()
	for _, handover := range []*server.Handover{nil, h} {
		a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "upper=:0"), Handover: handover})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- a.Serve(ctx) }()
		pid, err := a.HandOver(ctx)
		if pid != 0 || err == nil || handover == nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("process %d, %v", pid, err)
		}
		for _, s := range a.Ready().Services {
			if got := capitals(t, s.URL); got != "ABC" {
				t.Errorf("%s: %q", s.URL, got)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
