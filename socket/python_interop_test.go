//go:build interop && linux

package socket

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// python is the Python 3 of the environment, or the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv("PY3"), "python3"))
	if err != nil {
		t.Skip("neither $PY3 nor python3 is there")
	}
	return path
}

// startPython runs a script with a socket (or none) as descriptor 3. What it
// prints is read from the result; wait returns when it has ended.
func startPython(t *testing.T, script string, s *Sock, args ...string) (out *bufio.Reader, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, python(t), append([]string{"-c", script}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if s != nil {
		f := must(s.File())(t)
		defer func() { _ = f.Close() }()
		cmd.ExtraFiles = []*os.File{f}
	}
	stdout := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	wait = func() {
		if ended {
			return
		}
		ended = true
		if err := cmd.Wait(); err != nil {
			t.Errorf("python: %v\n%s", err, stderr.String())
		}
		cancel()
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() }) // already waited for, unless the test failed
	return bufio.NewReader(stdout), wait
}

// runPython returns all that a script prints.
func runPython(t *testing.T, script string, s *Sock, args ...string) string {
	t.Helper()
	out, wait := startPython(t, script, s, args...)
	text := must(io.ReadAll(out))(t)
	wait()
	return string(text)
}

// line is the next line that Python prints.
func line(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	text := must(out.ReadString('\n'))(t)
	return strings.TrimSuffix(text, "\n")
}

// pythonEcho answers one message; it prints where it is bound.
const pythonEcho = `
import socket, sys
family, type, at = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
at = at.replace('@', '\0') if family == socket.AF_UNIX else (at, 0)
with socket.socket(family, type) as s:
    s.bind(at)
    if type == socket.SOCK_STREAM: s.listen()
    print(s.getsockname()[1] if family == socket.AF_INET else 'ready', flush=True)
    if type == socket.SOCK_STREAM:
        c, _ = s.accept()
        with c: c.sendall(c.recv(1024))
    else:
        data, peer = s.recvfrom(1024)
        s.sendto(data, peer)
`

// pythonClient sends one message and prints the answer's repr.
const pythonClient = `
import socket, sys
family, type, to, own = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
def place(p): return p.replace('@', '\0') if family == socket.AF_UNIX else (p.rsplit(':', 1)[0], int(p.rsplit(':', 1)[1]))
with socket.socket(family, type) as s:
    if own: s.bind(place(own))
    s.connect(place(to))
    s.sendall(b'hello')
    print(repr(s.recv(1024)))
`

// transport is one way to talk: where the server and the client bind.
type transport struct {
	family      Family
	typ         Type
	server, own string
}

// transports are those of row 2, and row 24's paths and abstract names.
func transports(t *testing.T) map[string]transport {
	dir := t.TempDir()
	abstract := fmt.Sprintf("@farend-%d-", os.Getpid())
	return map[string]transport{
		"tcp":               {AF_INET, SOCK_STREAM, "127.0.0.1", ""},
		"udp":               {AF_INET, SOCK_DGRAM, "127.0.0.1", ""},
		"unix stream":       {AF_UNIX, SOCK_STREAM, filepath.Join(dir, "s"), ""},
		"unix datagram":     {AF_UNIX, SOCK_DGRAM, filepath.Join(dir, "d"), filepath.Join(dir, "e")},
		"abstract stream":   {AF_UNIX, SOCK_STREAM, abstract + "s", ""},
		"abstract datagram": {AF_UNIX, SOCK_DGRAM, abstract + "d", abstract + "e"},
	}
}

func TestTutorial02_OurClientPythonsServer(t *testing.T) { ourClientPythonsServer(t, AF_INET) }

func TestTutorial24_OurClientPythonsServer(t *testing.T) { ourClientPythonsServer(t, AF_UNIX) }

func ourClientPythonsServer(t *testing.T, family Family) {
	ctx := t.Context()
	for name, c := range transports(t) {
		if c.family != family {
			continue
		}
		t.Run(name, func(t *testing.T) {
			out, wait := startPython(t, pythonEcho, nil, fmt.Sprintf("%d", c.family), fmt.Sprintf("%d", c.typ), c.server)
			ready := line(t, out)
			to := Path(c.server)
			if c.family == AF_INET {
				to = Pair(c.server, ready)
			}
			s := closeAfter(t, must(Socket(c.family, c.typ, 0))(t))
			if c.own != "" {
				if err := s.Bind(ctx, Path(c.own)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Connect(ctx, to); err != nil {
				t.Fatal(err)
			}
			must(s.SendAll(ctx, []byte("hello")))(t)
			if got := must(s.Recv(ctx, 1024))(t); string(got) != "hello" {
				t.Errorf("got %q", got)
			}
			wait()
		})
	}
}

func TestTutorial02_PythonsClientOurServer(t *testing.T) { pythonsClientOurServer(t, AF_INET) }

func TestTutorial24_PythonsClientOurServer(t *testing.T) { pythonsClientOurServer(t, AF_UNIX) }

func pythonsClientOurServer(t *testing.T, family Family) {
	ctx := t.Context()
	for name, c := range transports(t) {
		if c.family != family {
			continue
		}
		t.Run(name, func(t *testing.T) {
			at := Path(c.server + "2")
			if c.family == AF_INET {
				at = Pair(c.server, 0)
			}
			server := closeAfter(t, must(CreateServer(ctx, at, ServerConfig{Type: c.typ}))(t))
			own := c.own
			if own != "" {
				own += "2"
			}
			out, wait := startPython(t, pythonClient, nil, fmt.Sprintf("%d", c.family), fmt.Sprintf("%d", c.typ),
				must(server.Getsockname())(t).String(), own)
			if c.typ == SOCK_STREAM {
				conn, _, err := server.Accept(ctx)
				server = closeAfter(t, must(conn, err)(t))
			}
			if err := echoOnce(t, server); err != nil {
				t.Fatal(err)
			}
			if got := line(t, out); got != "b'hello'" {
				t.Errorf("Python got %s", got)
			}
			wait()
		})
	}
}

func TestTutorial06_EveryFamilyAsPython(t *testing.T) {
	const script = `
import json, socket
l = []
for f in sorted({int(getattr(socket, n)) for n in dir(socket) if n.startswith('AF_')}):
    for t in (1, 2, 3, 5):
        try:
            socket.socket(f, t).close(); e = 0
        except OSError as x: e = x.errno
        l.append([f, t, e])
print(json.dumps(l))
`
	var want [][3]int
	if err := json.Unmarshal([]byte(runPython(t, script, nil)), &want); err != nil {
		t.Fatal(err)
	}
	if len(want) < 100 {
		t.Fatalf("Python tried only %d", len(want))
	}
	for _, w := range want {
		errno := syscall.Errno(0)
		s, err := Socket(Family(w[0]), Type(w[1]), 0)
		if err == nil {
			closeAfter(t, s)
		} else if errno = errnoOf(err); errno == 0 {
			t.Errorf("%v is no errno", err)
		}
		if int(errno) != w[2] {
			t.Errorf("%v, %v: %v, Python has %v", Family(w[0]), Type(w[1]), errno, syscall.Errno(w[2]))
		}
	}
}

func TestTutorial07_OptionsReadByPython(t *testing.T) {
	s := closeAfter(t, must(New())(t))
	set := map[AnyOption]int{}
	for _, o := range []Option[int]{IP_TTL, TCP_SYNCNT, SO_RCVLOWAT, SO_PRIORITY, TCP_KEEPCNT} {
		if err := o.Set(s, 3); err != nil {
			t.Fatal(err)
		}
		set[o] = 3
	}
	for _, o := range []Option[bool]{SO_KEEPALIVE, SO_REUSEADDR, SO_BROADCAST, SO_OOBINLINE, TCP_NODELAY, TCP_CORK} {
		if err := o.Set(s, true); err != nil {
			t.Fatal(err)
		}
		set[o] = 1
	}
	const script = `
import socket, sys
s = socket.socket(fileno=3)
for name in sys.argv[1:]:
    level = {'SO': socket.SOL_SOCKET, 'IP': socket.SOL_IP, 'TCP': socket.SOL_TCP}[name.split('_')[0]]
    print(s.getsockopt(level, getattr(socket, name)))
print(int(s.family), int(s.type), s.proto)
`
	var names []string
	for o := range set {
		names = append(names, o.Name())
	}
	got := strings.Fields(runPython(t, script, s, names...))
	for i, name := range names {
		for o, want := range set {
			if o.Name() == name && got[i] != fmt.Sprint(want) {
				t.Errorf("%s: set %d, Python reads %s", name, want, got[i])
			}
		}
	}
	if kind := strings.Join(got[len(names):], " "); kind != "2 1 6" {
		t.Errorf("Python sees family, type and protocol %s", kind)
	}
}

func TestTutorial10_TypesReadByPython(t *testing.T) {
	for _, typ := range []Type{SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET} {
		s := closeAfter(t, must(Socket(AF_UNIX, typ, 0))(t))
		got := runPython(t, "import socket; s = socket.socket(fileno=3); print(s.getsockopt(1, socket.SO_TYPE))", s)
		if strings.TrimSpace(got) != fmt.Sprintf("%d", typ) {
			t.Errorf("%v: Python reads %s", typ, got)
		}
	}
}
