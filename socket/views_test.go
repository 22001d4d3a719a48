//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestConnIsPackageNets(t *testing.T) {
	client, server := tcpPair(t)
	conn := closeAfter(t, must(client.Conn())(t))
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("got %T", conn)
	}
	if client.Fileno() != -1 {
		t.Error("the Sock is still open")
	}
	_, err := client.Send(t.Context(), []byte("x"))
	wantErr(t, err, net.ErrClosed)
	if _, err := io.WriteString(tcp, "from net"); err != nil {
		t.Fatal(err)
	}
	if got := must(server.Recv(t.Context(), 99))(t); string(got) != "from net" {
		t.Errorf("got %q", got)
	}
	if err := tcp.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err = tcp.Read(make([]byte, 1))
	wantErr(t, err, os.ErrDeadlineExceeded)
	if err := tcp.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, err = server.Recv(t.Context(), 1)
	wantErr(t, err, io.EOF)
}

func TestListenerIsPackageNets(t *testing.T) {
	s := must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{}))(t)
	want := must(s.Getsockname())(t)
	l := closeAfter(t, must(s.Listener())(t))
	if _, ok := l.(*net.TCPListener); !ok || l.Addr().String() != want.String() {
		t.Fatalf("got %T on %v", l, l.Addr())
	}
	c := closeAfter(t, must(net.Dial("tcp", l.Addr().String()))(t))
	a := closeAfter(t, must(l.Accept())(t))
	if a.RemoteAddr().String() != c.LocalAddr().String() {
		t.Errorf("accepted %v, dialled from %v", a.RemoteAddr(), c.LocalAddr())
	}
}

func TestPacketConnIsPackageNets(t *testing.T) {
	s := must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{Type: SOCK_DGRAM}))(t)
	p := closeAfter(t, must(s.PacketConn())(t))
	if _, ok := p.(*net.UDPConn); !ok {
		t.Fatalf("got %T", p)
	}
}

func TestFailedViewLeavesTheSock(t *testing.T) {
	s := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	if l, err := s.Listener(); err == nil {
		t.Fatalf("a datagram socket listens: %v", l)
	}
	if s.Fileno() < 0 {
		t.Error("the Sock was closed all the same")
	}
}

// The Sock itself does for families that package net does not know.
func TestSockIsANetConn(t *testing.T) {
	a, b := connected(t, SOCK_STREAM)
	var conn net.Conn = a
	go func() {
		_, err := io.Copy(b, b) // an echo until the end of the stream
		if err != nil {
			t.Error(err)
		}
		if err := b.Shutdown(SHUT_WR); err != nil {
			t.Error(err)
		}
	}()
	data := noise(1<<20, 8)
	go func() {
		if _, err := conn.Write(data); err != nil {
			t.Error(err)
		}
		if err := a.CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	if got := must(io.ReadAll(conn))(t); !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back", len(got))
	}
	if conn.LocalAddr() == nil || conn.RemoteAddr() == nil || conn.LocalAddr().Network() != "unix" {
		t.Errorf("%v, %v", conn.LocalAddr(), conn.RemoteAddr())
	}
}

func TestListenerAndPacketConnOfOtherFamilies(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "s"))
	s := must(CreateServer(t.Context(), path, ServerConfig{}))(t)
	var l net.Listener = listener{s}
	closeAfter(t, l)
	c := closeAfter(t, must(net.Dial("unix", l.Addr().String()))(t))
	a := closeAfter(t, must(l.Accept())(t))
	if _, err := io.WriteString(c, "hi"); err != nil {
		t.Fatal(err)
	}
	if err := must(io.ReadFull(a, make([]byte, 2)))(t); err != 2 {
		t.Errorf("read %d", err)
	}
	d := must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{Type: SOCK_DGRAM}))(t)
	var p net.PacketConn = packetConn{d}
	closeAfter(t, p)
	if _, err := p.WriteTo([]byte("to myself"), p.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2)
	n, from, err := p.ReadFrom(buf)
	if err != nil || n != 2 || from != p.LocalAddr() {
		t.Errorf("got %d from %v: %v", n, from, err)
	}
	if _, err := p.WriteTo(nil, &net.UDPAddr{}); err == nil {
		t.Error("took an address of another package")
	}
}

func TestTutorial39_MakefileReadsLines(t *testing.T) {
	client, server := tcpPair(t)
	f := client.Makefile()
	if _, err := f.WriteString("one\ntwo\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(server)
	for _, want := range []string{"one", "two"} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("after the end: %q, %v", lines.Text(), lines.Err())
	}
}

func TestTutorial51_WithClosesOnPanic(t *testing.T) {
	ctx := t.Context()
	client, server := tcpPair(t)
	func() {
		defer func() {
			if got := recover(); got != "out of hand" {
				t.Errorf("recovered %v", got)
			}
		}()
		_ = With(client, func(*Sock) error { panic("out of hand") })
	}()
	_, err := server.Recv(ctx, 1)
	wantErr(t, err, io.EOF)
	reason := errors.New("a reason")
	wantErr(t, With(server, func(*Sock) error { return reason }), reason)
	if server.Fileno() != -1 {
		t.Error("still open")
	}
}

func TestTutorial41_DroppedSocketsComeBackAndWarn(t *testing.T) {
	const dropped = 10_000
	before := openDescriptors(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, dropped)
	check := LeakCheck{Warn: lineWriter(lines)}
	// As many at once as the system allows, so that it may be several rounds.
	batch := int(min(dropped, uint64(limit.Cur)-uint64(before)-100))
	for left := dropped; left > 0; left -= batch {
		n := min(batch, left)
		for range n {
			if _, err := check.Watch(New()); err != nil {
				t.Fatal(err)
			}
		}
		for range n {
			line := collect(t, lines)
			if !strings.Contains(line, "views_test.go:") || !strings.Contains(line, "never closed") {
				t.Fatalf("the warning reads %q", line)
			}
		}
	}
	untilDescriptors(t, before)
	if open := check.Open(); len(open) != 0 {
		t.Errorf("%d are still on the list", len(open))
	}
}

func TestLeakCheckFollowsAcceptAndDup(t *testing.T) {
	ctx := t.Context()
	lines := make(chan string, 9)
	check := LeakCheck{Warn: lineWriter(lines)}
	l := must(check.Watch(CreateServer(ctx, Pair("127.0.0.1", 0), ServerConfig{})))(t)
	c := closeAfter(t, must(ConnectAny(ctx, must(l.Getsockname())(t), ConnConfig{}))(t))
	conn, _, err := l.Accept(ctx)
	twin := must(must(conn, err)(t).Dup())(t)
	if open := check.Open(); len(open) != 3 || !strings.Contains(open[0], "views_test.go:") {
		t.Errorf("open: %v", open)
	}
	for _, s := range []*Sock{l, conn, twin, c} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if open := check.Open(); len(open) != 0 {
		t.Errorf("after closing: %v", open)
	}
	if _, err := check.Watch(Socket(Family(250), SOCK_STREAM, 0)); err == nil {
		t.Error("the error got lost")
	}
	if len(lines) != 0 {
		t.Errorf("a warning: %s", <-lines)
	}
}

// lineWriter sends each Write to a channel.
type lineWriter chan<- string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}
