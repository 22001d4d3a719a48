//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// must is for calls that a test cannot do without.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// closeAfter closes c at the end of the test.
func closeAfter[C io.Closer](t testing.TB, c C) C {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// loopback makes a listening TCP socket on 127.0.0.1.
func loopback(t testing.TB) *Sock {
	t.Helper()
	return closeAfter(t, must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{}))(t))
}

// tcpPair makes two TCP sockets connected to each other.
func tcpPair(t testing.TB) (client, server *Sock) {
	t.Helper()
	l := loopback(t)
	client = closeAfter(t, must(New())(t))
	if err := client.Connect(t.Context(), must(l.Getsockname())(t)); err != nil {
		t.Fatal(err)
	}
	server, peer, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if own := must(client.Getsockname())(t); own != peer {
		t.Fatalf("accept says the peer is %v, the peer says %v", peer, own)
	}
	return client, closeAfter(t, server)
}

// connected makes two connected Unix sockets of a type.
func connected(t testing.TB, typ Type) (*Sock, *Sock) {
	t.Helper()
	a, b, err := SocketPair(AF_UNIX, typ, 0)
	if err != nil {
		t.Fatal(err)
	}
	return closeAfter(t, a), closeAfter(t, b)
}

// wantErr fails the test unless errors.Is(err, want).
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func TestTutorial23_DefaultsAreInetStream(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	if s.Family() != AF_INET || s.Type() != SOCK_STREAM || s.Proto() != 0 {
		t.Errorf("got %v, %v, %v", s.Family(), s.Type(), s.Proto())
	}
	if got := must(SO_TYPE.Get(s))(t); got != SOCK_STREAM {
		t.Errorf("the kernel says %v", got)
	}
}

func TestTutorial09_FamilyNamesAndUnsupported(t *testing.T) {
	if PF_INET != AF_INET || PF_UNIX != AF_UNIX || PF_INET6 != AF_INET6 || PF_LOCAL != AF_UNIX {
		t.Error("PF_x differs from AF_x")
	}
	_, err := Socket(Family(250), SOCK_STREAM, 0)
	wantErr(t, err, syscall.EAFNOSUPPORT)
	if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "socket" {
		t.Errorf("%#v does not say what was being done", err)
	}
}

func TestTutorial34_CloseIsIdempotentAndFinal(t *testing.T) {
	ctx := t.Context()
	client, server := tcpPair(t)
	for range 3 {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if client.Fileno() != -1 {
		t.Error("a closed socket has a number")
	}
	_, err := server.Recv(ctx, 1)
	wantErr(t, err, io.EOF)
	uses := map[string]func() error{
		"recv":        func() error { _, err := client.Recv(ctx, 1); return err },
		"send":        func() error { _, err := client.Send(ctx, []byte("x")); return err },
		"sendall":     func() error { _, err := client.SendAll(ctx, []byte("x")); return err },
		"accept":      func() error { _, _, err := client.Accept(ctx); return err },
		"connect":     func() error { return client.Connect(ctx, Pair("127.0.0.1", 1)) },
		"bind":        func() error { return client.Bind(ctx, Pair("127.0.0.1", 0)) },
		"listen":      func() error { return client.Listen(1) },
		"shutdown":    func() error { return client.Shutdown(SHUT_RDWR) },
		"getsockname": func() error { _, err := client.Getsockname(); return err },
		"getpeername": func() error { _, err := client.Getpeername(); return err },
		"getsockopt":  func() error { _, err := SO_TYPE.Get(client); return err },
		"setsockopt":  func() error { return SO_KEEPALIVE.Set(client, true) },
		"deadline":    func() error { return client.SetDeadline(time.Time{}) },
		"dup":         func() error { _, err := client.Dup(); return err },
		"detach":      func() error { _, err := client.Detach(); return err },
		"file":        func() error { _, err := client.File(); return err },
		"conn":        func() error { _, err := client.Conn(); return err },
		"syscallconn": func() error { _, err := client.SyscallConn(); return err },
	}
	for name, use := range uses {
		if err := use(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after close: %v, want net.ErrClosed", name, err)
		}
	}
}

func TestCloseWakesWaiters(t *testing.T) {
	a, _ := connected(t, SOCK_STREAM)
	l := loopback(t)
	results := make(chan error)
	go func() { _, err := a.Recv(t.Context(), 1); results <- err }()
	go func() { _, _, err := l.Accept(t.Context()); results <- err }()
	parked(t, 2)
	if err := errors.Join(a.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantErr(t, <-results, net.ErrClosed)
	}
}

func TestDupSharesTheSocket(t *testing.T) {
	ctx := t.Context()
	a, b := connected(t, SOCK_STREAM)
	twin := must(a.Dup())(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := twin.SendAll(ctx, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if got := must(b.Recv(ctx, 99))(t); string(got) != "still here" {
		t.Errorf("got %q", got)
	}
	if err := twin.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := b.Recv(ctx, 1)
	wantErr(t, err, io.EOF)
}

func TestDetachAndAdopt(t *testing.T) {
	ctx := t.Context()
	a, b := connected(t, SOCK_STREAM)
	fd := must(a.Detach())(t)
	if a.Fileno() != -1 {
		t.Error("a detached socket has a number")
	}
	again, err := Adopt(fd)
	if err != nil {
		t.Fatal(errors.Join(err, closeFD(fd)))
	}
	closeAfter(t, again)
	if again.Family() != AF_UNIX || again.Type() != SOCK_STREAM || again.Fileno() != fd {
		t.Errorf("adopted %v %v as %d, want %d", again.Family(), again.Type(), again.Fileno(), fd)
	}
	if _, err := b.SendAll(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := must(again.Recv(ctx, 9))(t); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

func TestFromFDLeavesTheOriginalAlone(t *testing.T) {
	a, b := connected(t, SOCK_DGRAM)
	f := must(a.File())(t)
	s := closeAfter(t, must(FromFD(int(f.Fd())))(t))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Type() != SOCK_DGRAM {
		t.Errorf("got %v", s.Type())
	}
	if n := must(s.Send(t.Context(), []byte("four")))(t); n != 4 {
		t.Errorf("sent %d", n)
	}
	if got := must(b.Recv(t.Context(), 9))(t); string(got) != "four" {
		t.Errorf("got %q", got)
	}
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, w)
	closeAfter(t, pipe)
	_, err = FromFD(int(pipe.Fd()))
	wantErr(t, err, syscall.ENOTSOCK)
	_, err = FromFD(-1)
	wantErr(t, err, syscall.EBADF)
}

func TestInheritable(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	for _, want := range []bool{false, true, false} {
		if err := s.SetInheritable(want); err != nil {
			t.Fatal(err)
		}
		if got := must(s.Inheritable())(t); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
