package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/server"
)

// serviceAddress tells TestServiceProgram where to listen.
const serviceAddress = "SERVICE_TEST_ADDRESS"

// TestServiceProgram is a program that other tests, or the programs that they
// start, start with sockets to inherit. It says who it is until it is told to
// quit.
func TestServiceProgram(t *testing.T) {
	address := os.Getenv(serviceAddress)
	if address == "" {
		t.Skip("started by other tests")
	}
	defer silence(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if at, ok := strings.CutPrefix(address, "packet "); ok {
		pc, err := server.ListenPacket(ctx, at, server.ListenConfig{Name: "who"})
		if err != nil {
			t.Fatal(err)
		}
		in, err := server.Inherit(server.Process{})
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Ready(); err != nil {
			t.Fatal(err)
		}
		srv := &server.Server{Packets: server.Datagram(func(_ context.Context, p *server.Packet) error {
			stop()
			return p.Reply(fmt.Appendf(nil, "%s from %d", p.Data, os.Getpid()))
		})}
		if err := srv.ServePacket(ctx, pc); err != nil {
			t.Fatal(err)
		}
		return
	}
	l, err := server.Listen(ctx, address, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	h := teller{make(chan string, 1)}
	go func() {
		<-h.verbs
		stop()
	}()
	srv := &server.Server{Handler: h, Engine: server.Events()}
	if err := srv.Serve(ctx, l); err != nil {
		t.Fatal(err)
	}
	select {
	case h.verbs <- "quit": // for the goroutine, where a connection has ended by itself
	default:
	}
}

// silence keeps a process that a test has started from saying PASS in its
// parent's output.
func silence(t *testing.T) {
	if t.Failed() {
		return
	}
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stdout = null
	}
}

// filer is a socket of package net.
type filer interface{ File() (*os.File, error) }

// service starts the program with socket as its standard input and output.
func service(t *testing.T, address string, socket filer) *exec.Cmd {
	t.Helper()
	f, err := socket.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^TestServiceProgram$", "-test.timeout=60s")
	c.Env = append(os.Environ(), serviceAddress+"="+address)
	c.Stdin, c.Stdout, c.Stderr = f, f, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestInetdNowait(t *testing.T) {
	l := listenTCP(t)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	accepted, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	p := service(t, "inetd:", accepted)
	accepted.Close()
	if pid, err := say(c, "who"); err != nil || pid != fmt.Sprint(p.Process.Pid) {
		t.Errorf("got %q, %v", pid, err)
	}
}

func TestInetdWait(t *testing.T) {
	l := listenTCP(t)
	p := service(t, "inetd:", l)
	for _, line := range []string{"who", "who", "quit"} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(15 * time.Second))
		if pid, err := say(c, line); err != nil || pid != fmt.Sprint(p.Process.Pid) {
			t.Errorf("got %q, %v", pid, err)
		}
	}
}

func TestInetdDatagrams(t *testing.T) {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	p := service(t, "packet inetd:", udp)
	asks(t, "udp", udp.LocalAddr().String(), p.Process.Pid)
}

// asks sends a datagram and expects process pid to answer it.
func asks(t *testing.T, network, address string, pid int) {
	t.Helper()
	var d net.Dialer
	if network == "unixgram" {
		d.LocalAddr = &net.UnixAddr{Net: network, Name: filepath.Join(servertest.Dir(t), "c")}
	}
	c, err := d.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.WriteString(c, "hi"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := c.Read(b); err != nil || string(b[:n]) != fmt.Sprintf("hi from %d", pid) {
		t.Errorf("got %q, %v, want it from %d", b[:n], err, pid)
	}
}

func TestHandoverOfDatagrams(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "unixgram:" + filepath.Join(servertest.Dir(t), "s")} {
		pc, err := server.ListenPacket(t.Context(), address, server.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		h := &server.Handover{
			Command: []string{os.Args[0], "-test.run=^TestServiceProgram$", "-test.timeout=60s"},
			Env:     append(os.Environ(), serviceAddress+"=packet "+address),
		}
		if pc, err = h.KeepPacket("who", pc); err != nil {
			t.Fatal(err)
		}
		p, err := h.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := pc.Close(); err != nil {
			t.Fatal(err)
		}
		asks(t, pc.LocalAddr().Network(), pc.LocalAddr().String(), p.Pid)
		if state, err := p.Wait(); err != nil || !state.Success() {
			t.Error(state, err)
		}
	}
}

// What the successor is told, by a program that is none of ours.
func TestHandoverTells(t *testing.T) {
	var told []string
	out := filepath.Join(t.TempDir(), "out")
	h := &server.Handover{
		Command: []string{"/bin/sh", "-c", `echo "$LISTEN_FDS $LISTEN_FDNAMES $LISTEN_PPID $LISTEN_PID $A" > "$OUT"; eval "echo READY=1 >&$READY_FD"`},
		Env:     []string{"OUT=" + out, "A=b", "LISTEN_PID=1", "LISTEN_FDS=7", "LISTEN_FDNAMES=x", "READY_FD=9", "PATH=" + os.Getenv("PATH")},
		Notify:  func(state string) error { told = append(told, state); return nil },
	}
	for _, name := range []string{"web", "mail"} {
		if _, err := h.Keep(name, listenTCP(t)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := h.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
	want := fmt.Sprintf("2 web:mail %d  b\n", os.Getpid())
	if b, err := os.ReadFile(out); err != nil || string(b) != want {
		t.Errorf("the environment is %q, %v, want %q", b, err, want)
	}
	if len(told) != 2 || !strings.HasPrefix(told[0], "RELOADING=1\nMONOTONIC_USEC=") || told[1] != fmt.Sprintf("MAINPID=%d\nREADY=1", p.Pid) {
		t.Errorf("the supervisor heard %q", told)
	}
	if _, err := h.Start(t.Context()); !errors.Is(err, server.ErrHandedOver) {
		t.Errorf("handing over again: %v", err)
	}
}

// A successor that fails changes nothing, and the next may do better.
func TestHandoverFails(t *testing.T) {
	for _, engine := range []string{"goroutines", "events"} {
		l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{Sockets: 2})
		if err != nil {
			t.Fatal(err)
		}
		h := &server.Handover{}
		if l, err = h.Keep("who", l); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		srv := &server.Server{Engine: kind{engine: engine}.newEngine(0), Handler: &liner{mode: server.Inline}}
		go func() { done <- srv.Serve(ctx, l) }()
		for _, command := range [][]string{{"/nonexistent"}, {"/bin/sh", "-c", "exit 3"}, {"/bin/sh", "-c", `eval "echo READY=0 >&$READY_FD"`}} {
			h.Command = command
			p, err := h.Start(t.Context())
			if p != nil || err == nil || command[0] == "/bin/sh" && !errors.Is(err, server.ErrNotReady) {
				t.Errorf("%v: %v, %v", command, p, err)
			}
			hear(t, l.Addr(), "+ hello\r\n")
		}
		h.Command = []string{"/bin/sh", "-c", "exec sleep 60"}
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := h.Start(soon); !errors.Is(err, server.ErrNotReady) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a successor that is never ready: %v", err)
		}
		cancel()
		hear(t, l.Addr(), "+ hello\r\n")
		stop()
		if err := errors.Join(<-done, h.Close()); err != nil {
			t.Error(err)
		}
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			c.Close()
			t.Error("the port is still served")
		}
	}
}

func TestHandoverRefuses(t *testing.T) {
	h := &server.Handover{}
	for _, name := range []string{"", "a:b", "a b", "ä", strings.Repeat("x", 256)} {
		if _, err := h.Keep(name, listenTCP(t)); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	if _, err := h.Keep("p", server.ProxyHeader{}.Listener(listenTCP(t))); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a wrapped listener: %v", err)
	}
}
