//go:build interop && linux

package socket

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pythonScript makes forty calls and prints a line for each.
const pythonScript = `
import socket, errno, sys
def say(name, f):
    try: r = f()
    except OSError as e: r = errno.errorcode.get(e.errno, e.errno)
    print(name, r)
S = socket
for n in ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_PACKET', 'AF_NETLINK', 'SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_RAW',
          'SOCK_SEQPACKET', 'IPPROTO_TCP', 'IPPROTO_UDP', 'SOL_SOCKET', 'SHUT_WR', 'MSG_PEEK', 'MSG_WAITALL']:
    print(n, int(getattr(S, n)))
s = S.socket()
say('family', lambda: int(s.family))
say('getsockname', lambda: s.getsockname())
say('getpeername', lambda: s.getpeername())
say('reuse', lambda: s.getsockopt(S.SOL_SOCKET, S.SO_REUSEADDR))
s.setsockopt(S.SOL_SOCKET, S.SO_REUSEADDR, 1)
say('reuse set', lambda: s.getsockopt(S.SOL_SOCKET, S.SO_REUSEADDR))
say('type', lambda: s.getsockopt(S.SOL_SOCKET, S.SO_TYPE))
say('protocol', lambda: s.getsockopt(S.SOL_SOCKET, S.SO_PROTOCOL))
say('unknown option', lambda: s.getsockopt(S.SOL_SOCKET, 9999))
say('shutdown', lambda: s.shutdown(S.SHUT_WR))
say('bind', lambda: s.bind(('127.0.0.1', 0)))
say('bind again', lambda: s.bind(('127.0.0.1', 0)))
say('bound to', lambda: s.getsockname()[0])
say('listen', lambda: s.listen(1))
say('accepting', lambda: s.getsockopt(S.SOL_SOCKET, S.SO_ACCEPTCONN))
t = S.socket()
say('taken', lambda: t.bind(s.getsockname()))
say('elsewhere', lambda: t.bind(('192.0.2.1', 0)))
say('connect', lambda: t.connect(s.getsockname()))
say('connect again', lambda: t.connect(s.getsockname()))
c, peer = s.accept()
print('peer', peer == t.getsockname())
say('send', lambda: t.send(b'hello'))
say('peek', lambda: c.recv(2, S.MSG_PEEK))
say('waitall', lambda: c.recv(5, S.MSG_WAITALL))
say('half', lambda: t.shutdown(S.SHUT_WR))
say('end', lambda: c.recv(10))
say('the other half', lambda: c.send(b'x'))
say('send after', lambda: t.send(b'y'))
u = S.socket(S.AF_INET, S.SOCK_DGRAM)
say('unconnected', lambda: u.send(b'x'))
say('broadcast', lambda: u.sendto(b'x', ('255.255.255.255', 9)))
say('too long', lambda: u.sendto(bytes(70000), ('127.0.0.1', 9)))
say('x25', lambda: S.socket(S.AF_X25, S.SOCK_SEQPACKET))
say('no such family', lambda: S.socket(200, S.SOCK_STREAM))
say('no such type', lambda: S.socket(S.AF_INET, 77))
`

// The socket here is the system's own: forty calls say the same as Python's.
func TestTutorial46_SameAsTheSystemsInterface(t *testing.T) {
	want := strings.Split(strings.TrimSpace(runPython(t, pythonScript, nil)), "\n")
	got := strings.Split(strings.TrimSpace(goScript(t)), "\n")
	if len(want) < 40 {
		t.Fatalf("Python printed %d lines", len(want))
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			t.Errorf("line %d: only ours: %s", i+1, got[i])
		case i >= len(got):
			t.Errorf("line %d: only Python's: %s", i+1, want[i])
		case got[i] != want[i]:
			t.Errorf("line %d: ours %q, Python's %q", i+1, got[i], want[i])
		}
	}
}

// script prints as the Python program does.
type script struct{ strings.Builder }

func (s *script) say(name string, v any, err error) {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		v = unix.ErrnoName(errno)
	} else if err != nil && !errors.Is(err, io.EOF) {
		v = err
	}
	if b, ok := v.([]byte); ok {
		v = Repr(b)
	}
	fmt.Fprintln(s, name, v)
}

// did is say for a call that returns nothing but an error.
func (s *script) did(name string, err error) { s.say(name, "None", err) }

func goScript(t *testing.T) string {
	var out script
	for _, c := range []struct {
		name string
		v    int
	}{
		{"AF_UNIX", int(AF_UNIX)}, {"AF_INET", int(AF_INET)}, {"AF_INET6", int(AF_INET6)}, {"AF_PACKET", int(AF_PACKET)},
		{"AF_NETLINK", int(AF_NETLINK)}, {"SOCK_STREAM", int(SOCK_STREAM)}, {"SOCK_DGRAM", int(SOCK_DGRAM)},
		{"SOCK_RAW", int(SOCK_RAW)}, {"SOCK_SEQPACKET", int(SOCK_SEQPACKET)}, {"IPPROTO_TCP", int(IPPROTO_TCP)},
		{"IPPROTO_UDP", int(IPPROTO_UDP)}, {"SOL_SOCKET", unix.SOL_SOCKET}, {"SHUT_WR", SHUT_WR},
		{"MSG_PEEK", int(MSG_PEEK)}, {"MSG_WAITALL", int(MSG_WAITALL)},
	} {
		out.say(c.name, c.v, nil)
	}
	s := closeAfter(t, must(New())(t))
	to := closeAfter(t, must(New())(t))
	beforeConnect(t, &out, s)
	at := must(s.Getsockname())(t)
	out.did("taken", to.Bind(t.Context(), at))
	out.did("elsewhere", to.Bind(t.Context(), Pair("192.0.2.1", 0)))
	out.did("connect", to.Connect(t.Context(), at))
	out.did("connect again", to.Connect(t.Context(), at))
	afterConnect(t, &out, s, to)
	return out.String()
}

func beforeConnect(t *testing.T, out *script, s *Sock) {
	option := func(name string, number int) {
		v, err := s.GetsockoptInt(unix.SOL_SOCKET, number)
		out.say(name, v, err)
	}
	out.say("family", int(s.Family()), nil)
	name, err := s.Getsockname()
	out.say("getsockname", Tuple(name), err)
	peer, err := s.Getpeername()
	out.say("getpeername", peer, err)
	option("reuse", unix.SO_REUSEADDR)
	if err := SO_REUSEADDR.Set(s, true); err != nil {
		t.Error(err)
	}
	option("reuse set", unix.SO_REUSEADDR)
	option("type", unix.SO_TYPE)
	option("protocol", unix.SO_PROTOCOL)
	option("unknown option", 9999)
	out.did("shutdown", s.Shutdown(SHUT_WR))
	out.did("bind", s.Bind(t.Context(), Pair("127.0.0.1", 0)))
	out.did("bind again", s.Bind(t.Context(), Pair("127.0.0.1", 0)))
	name, err = s.Getsockname()
	out.say("bound to", name.(InetAddr).Addr(), err)
	out.did("listen", s.Listen(1))
	option("accepting", unix.SO_ACCEPTCONN)
}

func afterConnect(t *testing.T, out *script, s, to *Sock) {
	ctx := t.Context()
	c, peer, err := s.Accept(ctx)
	c = closeAfter(t, must(c, err)(t))
	said := "False"
	if peer == must(to.Getsockname())(t) {
		said = "True"
	}
	out.say("peer", said, nil)
	n, err := to.Send(ctx, []byte("hello"))
	out.say("send", n, err)
	b, err := c.Recv(ctx, 2, MSG_PEEK)
	out.say("peek", b, err)
	b, err = c.Recv(ctx, 5, MSG_WAITALL)
	out.say("waitall", b, err)
	out.did("half", to.Shutdown(SHUT_WR))
	b, err = c.Recv(ctx, 10)
	out.say("end", b, err)
	n, err = c.Send(ctx, []byte("x"))
	out.say("the other half", n, err)
	n, err = to.Send(ctx, []byte("y"))
	out.say("send after", n, err)
	u := closeAfter(t, must(Socket(AF_INET, SOCK_DGRAM, 0))(t))
	n, err = u.Send(ctx, []byte("x"))
	out.say("unconnected", n, err)
	n, err = u.SendTo(ctx, []byte("x"), Pair("255.255.255.255", 9))
	out.say("broadcast", n, err)
	n, err = u.SendTo(ctx, make([]byte, 70000), Pair("127.0.0.1", 9))
	out.say("too long", n, err)
	for _, bad := range []struct {
		name   string
		family Family
		typ    Type
	}{{"x25", AF_X25, SOCK_SEQPACKET}, {"no such family", 200, SOCK_STREAM}, {"no such type", AF_INET, 77}} {
		none, err := Socket(bad.family, bad.typ, 0)
		out.say(bad.name, none, err)
	}
}
