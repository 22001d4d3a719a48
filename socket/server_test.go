//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// connectsUntilFull connects to a listener that accepts nothing until a connect
// hangs, and says how many did not.
func connectsUntilFull(t *testing.T, at Addr, patience time.Duration) int {
	t.Helper()
	for n := 0; ; n++ {
		c := closeAfter(t, must(New())(t))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := c.Connect(ctx, at)
		cancel()
		if err != nil {
			wantErr(t, err, os.ErrDeadlineExceeded)
			return n
		}
	}
}

func TestTutorial26_BacklogIsHonoured(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how a backlog is counted is Linux's own")
	}
	for _, backlog := range []int{1, 5} {
		l := closeAfter(t, must(CreateServer(t.Context(), Pair("127.0.0.1", 0), ServerConfig{Backlog: backlog}))(t))
		if n := connectsUntilFull(t, must(l.Getsockname())(t), time.Second); n != backlog+1 {
			t.Errorf("backlog %d: %d connections waited, want %d", backlog, n, backlog+1)
		}
	}
}

func TestTutorial27_AcceptWaitsAndNamesThePeer(t *testing.T) {
	l := loopback(t)
	type result struct {
		conn *Sock
		peer Addr
		err  error
	}
	accepted := make(chan result)
	go func() {
		conn, peer, err := l.Accept(t.Context())
		accepted <- result{conn, peer, err}
	}()
	parked(t, 1)
	c := closeAfter(t, must(New())(t))
	if err := c.Connect(t.Context(), must(l.Getsockname())(t)); err != nil {
		t.Fatal(err)
	}
	r := <-accepted
	closeAfter(t, must(r.conn, r.err)(t))
	if own := must(c.Getsockname())(t); own != r.peer {
		t.Errorf("the peer is %v, accept says %v", own, r.peer)
	}
	if got := must(r.conn.Getpeername())(t); got != r.peer {
		t.Errorf("getpeername says %v", got)
	}
}

func TestTutorial49_BusyPort(t *testing.T) {
	ctx := t.Context()
	l := loopback(t)
	at := must(l.Getsockname())(t)
	_, err := CreateServer(ctx, at, ServerConfig{})
	wantErr(t, err, syscall.EADDRINUSE)
	if text := err.Error(); text != "bind tcp "+at.String()+": address already in use" {
		t.Errorf("the error reads %q", text)
	}
	_, err = CreateServer(ctx, at, ServerConfig{ReusePort: true})
	wantErr(t, err, syscall.EADDRINUSE)
}

func TestCreateServerReusePort(t *testing.T) {
	ctx := t.Context()
	first := closeAfter(t, must(CreateServer(ctx, Pair("127.0.0.1", 0), ServerConfig{ReusePort: true}))(t))
	at := must(first.Getsockname())(t)
	second := must(CreateServer(ctx, at, ServerConfig{ReusePort: true}))(t)
	closeAfter(t, second)
}

func TestCreateServerRebindsInTimeWait(t *testing.T) {
	ctx := t.Context()
	l := loopback(t)
	at := must(l.Getsockname())(t)
	c := closeAfter(t, must(New())(t))
	if err := c.Connect(ctx, at); err != nil {
		t.Fatal(err)
	}
	conn, _, err := l.Accept(ctx)
	// The side that closes first is left in TIME_WAIT.
	if err := errors.Join(must(conn, err)(t).Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Recv(ctx, 1); err != io.EOF {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = CreateServer(ctx, at, ServerConfig{NoReuseAddr: true})
	wantErr(t, err, syscall.EADDRINUSE)
	closeAfter(t, must(CreateServer(ctx, at, ServerConfig{}))(t))
}

// has6 skips the test on a host without IPv6 on loopback.
func has6(t *testing.T) {
	t.Helper()
	s, err := CreateServer(t.Context(), Pair("::1", 0), ServerConfig{})
	if err != nil {
		t.Skipf("no IPv6 on this host: %v", err)
	}
	closeAfter(t, s)
}

func TestTutorial17_DualStackOnlyWhenAsked(t *testing.T) {
	has6(t)
	ctx := t.Context()
	for _, dual := range []bool{false, true} {
		l := closeAfter(t, must(CreateServer(ctx, Pair("", 0), ServerConfig{Family: AF_INET6, DualStack: dual}))(t))
		at := must(l.Getsockname())(t).(InetAddr)
		if at.Addr().String() != "::" {
			t.Errorf("bound to %v", at)
		}
		for _, host := range []string{"127.0.0.1", "::1"} {
			c, err := CreateConnection(ctx, host, int(at.Port()), ConnConfig{})
			if !dual && host == "127.0.0.1" {
				wantErr(t, err, syscall.ECONNREFUSED)
				continue
			}
			closeAfter(t, must(c, err)(t))
		}
		if !dual {
			continue
		}
		// The IPv4 peer is a mapped address on this socket.
		conn, peer, err := l.Accept(ctx)
		closeAfter(t, must(conn, err)(t))
		if !peer.(InetAddr).Addr().Is4In6() {
			t.Errorf("the peer is %v", peer)
		}
	}
	_, err := CreateServer(ctx, Pair("", 0), ServerConfig{Family: AF_INET, DualStack: true})
	if err == nil {
		t.Error("an AF_INET socket became dual stack")
	}
}

func TestListenNetworks(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "s")
	for _, c := range []struct{ network, address, want string }{
		{"tcp", "127.1:0", "127.0.0.1"}, {"tcp4", "0x7f000001:0", "127.0.0.1"}, {"tcp", "localhost:0", "127.0.0.1"},
		{"tcp", ":0", "0.0.0.0"}, {"tcp6", "[::1]:0", "::1"}, {"tcp6", ":0", "::"}, {"tcp", "[::]:0", "::"},
		{"unix", path, path},
	} {
		if strings.Contains(c.want, ":") {
			t.Run(c.network+" "+c.address, func(t *testing.T) { has6(t); listenAndTalk(t, c.network, c.address, c.want) })
			continue
		}
		listenAndTalk(t, c.network, c.address, c.want)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the listener left its path: %v", err)
	}
	for _, bad := range [][2]string{{"udp", ":0"}, {"tcp", "nowhere"}, {"tcp", "127.0.0.1:99999"}, {"tcp9", ":0"}} {
		if l, err := Listen(ctx, bad[0], bad[1], ListenConfig{}); err == nil {
			t.Errorf("%v: listens on %v", bad, l.Addr())
		}
	}
}

// listenAndTalk listens, connects with package net, and says one word.
func listenAndTalk(t *testing.T, network, address, want string) {
	t.Helper()
	l, err := Listen(t.Context(), network, address, ListenConfig{Backlog: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && host != want || err != nil && l.Addr().String() != want {
		t.Errorf("%s %s: listens on %v", network, address, l.Addr())
	}
	c := closeAfter(t, must(net.Dial(l.Addr().Network(), l.Addr().String()))(t))
	s := closeAfter(t, must(l.Accept())(t))
	if _, err := io.WriteString(c, "word"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	if _, err := io.ReadFull(s, buf); err != nil || string(buf) != "word" {
		t.Errorf("%s %s: got %q, %v", network, address, buf, err)
	}
}

func TestListenPacket(t *testing.T) {
	ctx := t.Context()
	for _, network := range []string{"udp", "udp4"} {
		p := closeAfter(t, must(ListenPacket(ctx, network, "127.1:0", ListenConfig{}))(t))
		c := closeAfter(t, must(net.Dial("udp", p.LocalAddr().String()))(t))
		if _, err := io.WriteString(c, "word"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 9)
		n, from, err := p.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "word" || from.String() != c.LocalAddr().String() {
			t.Errorf("%s: got %q from %v, %v", network, buf[:n], from, err)
		}
		// Two servers on one UDP port would share it in silence.
		_, err = ListenPacket(ctx, network, p.LocalAddr().String(), ListenConfig{})
		wantErr(t, err, syscall.EADDRINUSE)
	}
	path := filepath.Join(t.TempDir(), "d")
	closeAfter(t, must(ListenPacket(ctx, "unixgram", path, ListenConfig{}))(t))
	if _, err := ListenPacket(ctx, "tcp", ":0", ListenConfig{}); err == nil {
		t.Error("tcp has no packets")
	}
}

func TestTutorial19_SeveralListenersOneHandler(t *testing.T) {
	ctx := t.Context()
	handled := make(chan error)
	handle := func(conn *Sock) error {
		return With(conn, func(conn *Sock) error {
			_, err := conn.SendAll(ctx, []byte("hello"))
			return err
		})
	}
	var places []Addr
	for _, at := range []Address{
		Pair("127.0.0.1", 0), Pair("127.0.0.1", 0), Pair("127.0.0.1", 0), Path(filepath.Join(t.TempDir(), "s")),
	} {
		l := closeAfter(t, must(CreateServer(ctx, at, ServerConfig{}))(t))
		places = append(places, must(l.Getsockname())(t))
		go func() {
			conn, _, err := l.Accept(ctx)
			if err == nil {
				err = handle(conn)
			}
			handled <- err
		}()
	}
	for i, at := range places {
		c := closeAfter(t, must(ConnectAny(ctx, at, ConnConfig{}))(t))
		if got := must(c.ReadAll(ctx))(t); string(got) != "hello" {
			t.Errorf("listener %s: got %q", strconv.Itoa(i), got)
		}
		if err := <-handled; err != nil {
			t.Error(err)
		}
	}
}
