//go:build interop && linux

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// errnoOf is the errno within an error, or 0.
func errnoOf(err error) syscall.Errno {
	errno, _ := errors.AsType[syscall.Errno](err)
	return errno
}

func TestTutorial23_SameDefaultsAsPython(t *testing.T) {
	want := runPython(t, "import socket; s = socket.socket(); print(int(s.family), int(s.type), s.proto)", nil)
	s := closeAfter(t, must(New())(t))
	if got := fmt.Sprintf("%d %d %d\n", s.Family(), s.Type(), s.Proto()); got != want {
		t.Errorf("got %s, Python has %s", got, want)
	}
}

// Python calls listen on a socket of ours, so that it stays when Python ends.
func TestTutorial26_SameBacklogAsPython(t *testing.T) {
	const script = "import socket, sys; socket.socket(fileno=3).listen(int(sys.argv[1]))"
	for _, backlog := range []int{1, 5} {
		theirs := closeAfter(t, must(New())(t))
		if err := theirs.Bind(t.Context(), Pair("127.0.0.1", 0)); err != nil {
			t.Fatal(err)
		}
		runPython(t, script, theirs, fmt.Sprint(backlog))
		want := connectsUntilFull(t, must(theirs.Getsockname())(t), time.Second)
		ours := closeAfter(t, must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{Backlog: backlog}))(t))
		if n := connectsUntilFull(t, must(ours.Getsockname())(t), time.Second); n != want {
			t.Errorf("backlog %d: %d connections wait, with Python %d", backlog, n, want)
		}
	}
}

func TestTutorial29_SamePiecesAsPython(t *testing.T) {
	const client = `
import socket
s = socket.socket(fileno=3)
sizes = [len(s.recv(1024, socket.MSG_WAITALL)) for _ in range(7)]
print(sizes)
`
	ctx := t.Context()
	serve := func(s *Sock) {
		must(s.SendAll(ctx, noise(5001, 1)))(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	theirs, server := tcpPair(t)
	serve(server)
	want := strings.TrimSpace(runPython(t, client, blocking(t, theirs)))
	ours, server := tcpPair(t)
	serve(server)
	var sizes []int
	for range 7 {
		got, err := ours.Recv(ctx, 1024, MSG_WAITALL)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		sizes = append(sizes, len(got))
	}
	if got := strings.ReplaceAll(fmt.Sprint(sizes), " ", ", "); got != want {
		t.Errorf("got %s, Python %s", got, want)
	}
}

// blocking has a socket's descriptor wait, as Python expects of one it is given;
// it is not used from here meanwhile.
func blocking(t *testing.T, s *Sock) *Sock {
	t.Helper()
	rc := must(s.SyscallConn())(t)
	err := rc.Control(func(fd uintptr) {
		if err := syscall.SetNonblock(int(fd), false); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSendFDsToPython(t *testing.T) {
	const script = `
import os, socket
s = socket.socket(fileno=3)
s.setblocking(True)
data, fds, flags, _ = socket.recv_fds(s, 10, 1)
os.write(fds[0], data + b' through the pipe')
socket.send_fds(s, [b'back'], [fds[0]])
`
	ctx := t.Context()
	a, b := connected(t, SOCK_STREAM)
	_, wait := startPython(t, script, b)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, r)
	must(a.SendFDs(ctx, []byte("written"), []int{int(w.Fd())}))(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	n, fds, err := a.RecvFDs(ctx, make([]byte, 10), 1)
	if err != nil || n != 4 || len(fds) != 1 {
		t.Fatalf("got %d bytes, %v, %v", n, fds, err)
	}
	wait()
	if err := closeFD(fds[0]); err != nil {
		t.Error(err)
	}
	if got := must(io.ReadAll(r))(t); string(got) != "written through the pipe" {
		t.Errorf("got %q", got)
	}
}

func TestTutorial28_UnreachableIsToldApart(t *testing.T) {
	if !inNamespace(t, "n", nil) {
		return
	}
	for to, want := range map[string]syscall.Errno{
		"192.0.2.1": syscall.ENETUNREACH, // no route at all in a new network namespace
		"127.0.0.1": syscall.ECONNREFUSED,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := CreateConnection(ctx, to, 9, ConnConfig{})
		cancel()
		wantErr(t, err, want)
	}
	if out, err := exec.CommandContext(t.Context(), "ip", "route", "add", "unreachable", "198.51.100.0/24").CombinedOutput(); err != nil {
		t.Skipf("routes cannot be set here: %v: %s", err, out)
	}
	_, err := CreateConnection(t.Context(), "198.51.100.1", 9, ConnConfig{})
	wantErr(t, err, syscall.EHOSTUNREACH)
}
