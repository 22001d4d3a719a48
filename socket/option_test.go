//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// trip sets an option and reads it back.
func trip[T comparable](t *testing.T, s *Sock, o Option[T], v T) {
	t.Helper()
	if err := o.Set(s, v); err != nil {
		t.Errorf("%v: %v", o, err)
		return
	}
	if got, err := o.Get(s); err != nil || got != v {
		t.Errorf("%v: set %v, got %v, %v", o, v, got, err)
	}
}

func TestTutorial07_OptionsThroughTheGenericPath(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	trip(t, s, SO_KEEPALIVE, true)
	trip(t, s, SO_REUSEADDR, true)
	trip(t, s, SO_REUSEADDR, false)
	trip(t, s, SO_OOBINLINE, true)
	trip(t, s, SO_BROADCAST, true)
	trip(t, s, SO_RCVLOWAT, 7)
	trip(t, s, SO_LINGER, Linger{On: true, Timeout: 3 * time.Second})
	trip(t, s, SO_RCVTIMEO, 1500*time.Millisecond)
	trip(t, s, IP_TTL, 42)
	trip(t, s, IP_TOS, 0x10)
	trip(t, s, TCP_NODELAY, true)
	trip(t, s, SO_DONTROUTE, true)
	if got := must(s.GetsockoptInt(IP_TTL.Level(), IP_TTL.Number()))(t); got != 42 {
		t.Errorf("by number IP_TTL is %d", got)
	}
	if err := s.SetsockoptInt(IP_TTL.Level(), IP_TTL.Number(), 43); err != nil {
		t.Error(err)
	}
	if got := must(IP_TTL.Get(s))(t); got != 43 {
		t.Errorf("IP_TTL is %d", got)
	}
	raw := must(s.GetsockoptBytes(SOL_SOCKET, SO_LINGER.Number(), 64))(t)
	if err := s.SetsockoptBytes(SOL_SOCKET, SO_LINGER.Number(), raw); err != nil || len(raw) != 8 {
		t.Errorf("SO_LINGER is %x: %v", raw, err)
	}
}

func TestOptionErrors(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	wantErr(t, SO_TYPE.Set(s, SOCK_DGRAM), errors.ErrUnsupported)
	_, err := IP_ADD_MEMBERSHIP.Get(s)
	wantErr(t, err, errors.ErrUnsupported)
	_, err = s.GetsockoptInt(SOL_SOCKET, 9999)
	wantErr(t, err, syscall.ENOPROTOOPT)
	u, _ := connected(t, SOCK_STREAM)
	if _, err := TCP_NODELAY.Get(u); err == nil || !strings.Contains(err.Error(), "TCP_NODELAY") {
		t.Errorf("TCP_NODELAY of a Unix socket: %v", err)
	}
	if err := must(SO_ERROR.Get(s))(t); err != nil {
		t.Errorf("SO_ERROR of a new socket: %v", err)
	}
	if err := (Setting{}).Apply(s); err != nil {
		t.Errorf("the zero Setting: %v", err)
	}
	if v := SO_KEEPALIVE.Value(true); v.String() != "SO_KEEPALIVE=true" {
		t.Errorf("got %v", v)
	}
}

// Every option that the package names is in the table, under its own name.
func TestOptionsListsThemAll(t *testing.T) {
	listed := map[string]bool{}
	for _, o := range Options() {
		if listed[o.Name()] {
			t.Errorf("%v is listed twice", o)
		}
		listed[o.Name()] = true
	}
	files := append(must(filepath.Glob("options_unix.go"))(t), must(filepath.Glob("options_"+runtime.GOOS+".go"))(t)...)
	if len(files) != 2 {
		t.Skipf("the source is not here, only %v", files)
	}
	for _, file := range files {
		tree := must(parser.ParseFile(token.NewFileSet(), file, nil, 0))(t)
		for _, d := range tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				if name := spec.(*ast.ValueSpec).Names[0].Name; !listed[name] {
					t.Errorf("%s is not in the table", name)
				}
			}
		}
	}
}

func TestOptionTextOfEveryOption(t *testing.T) {
	client, _ := tcpPair(t)
	readable := 0
	for _, o := range Options() {
		text, err := o.Text(client)
		if err == nil && text != "" {
			readable++
			t.Logf("%v (%d, %d) = %s", o, o.Level(), o.Number(), text)
		}
	}
	if readable < 20 {
		t.Errorf("only %d options of a TCP connection can be read", readable)
	}
}

func TestMulticastOnLoopback(t *testing.T) {
	ctx := t.Context()
	group := netip.MustParseAddr("239.1.2.3")
	local := netip.MustParseAddr("127.0.0.1")
	in := closeAfter(t, must(CreateServer(ctx, Pair("", 0), ServerConfig{
		Family: AF_INET, Type: SOCK_DGRAM,
	}))(t))
	member := Membership{Group: group, Local: local}
	if err := IP_ADD_MEMBERSHIP.Set(in, member); err != nil {
		t.Skipf("loopback cannot join groups here: %v", err)
	}
	out := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	trip(t, out, IP_MULTICAST_IF, local)
	trip(t, out, IP_MULTICAST_LOOP, true)
	port := must(in.Getsockname())(t).(InetAddr).Port()
	must(out.SendTo(ctx, []byte("to all"), Pair(group, int(port))))(t)
	if got := must(in.Recv(ctx, 99))(t); string(got) != "to all" {
		t.Errorf("got %q", got)
	}
	if err := IP_DROP_MEMBERSHIP.Set(in, member); err != nil {
		t.Error(err)
	}
	wantErr(t, IP_DROP_MEMBERSHIP.Set(in, member), syscall.EADDRNOTAVAIL)
	wantErr(t, IP_ADD_MEMBERSHIP.Set(in, Membership{Group: netip.IPv6Unspecified()}), syscall.EINVAL)
}
