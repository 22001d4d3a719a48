//go:build interop

package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/testcert"
)

// outsider is a program that ends with the test at the latest.
type outsider struct {
	*exec.Cmd
	out bytes.Buffer
}

// start starts one, which reads in.
func start(t *testing.T, in string, path string, args ...string) *outsider {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	f := &outsider{Cmd: exec.CommandContext(ctx, path, args...)}
	f.Stdin, f.Stdout, f.Stderr = strings.NewReader(in), &f.out, &f.out
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	return f
}

// talkTo is farend talk, tried until the foreign server listens.
func talkTo(t *testing.T, in string, args ...string) call {
	t.Helper()
	var got call
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		got = farend(t, in, append([]string{"talk"}, args...)...)
		if got.code == 0 {
			return got
		}
		<-tick.C
	}
	return got
}

const both = "every byte, \r\n\x00\xff and the last without an end"

func TestTalkToForeignListeners(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		to   []string
		args []string
	}{
		{"nc", []string{"tcp:127.0.0.1:%"}, []string{"-N", "-l", "127.0.0.1", "%"}},
		{"nc", []string{"unix:" + dir + "/nc"}, []string{"-N", "-l", "-U", dir + "/nc"}},
		{"socat", []string{"127.0.0.1:%"}, []string{"STDIO", "TCP-LISTEN:%,bind=127.0.0.1,reuseaddr"}},
		{"socat", []string{"unix:" + dir + "/socat"}, []string{"STDIO", "UNIX-LISTEN:" + dir + "/socat"}},
		{"socat", []string{"-w", "5s", "udp:127.0.0.1:%"}, []string{"-T5", "STDIO,ignoreeof", "UDP-LISTEN:%,bind=127.0.0.1"}},
	} {
		t.Run(c.name+" "+strings.ReplaceAll(c.to[len(c.to)-1], dir+"/", ""), func(t *testing.T) {
			port := foreign.Port(t)
			at := func(words []string) (out []string) {
				for _, w := range words {
					out = append(out, strings.ReplaceAll(w, "%", port))
				}
				return out
			}
			path := foreign.Program(t, c.name)
			f := start(t, both, path, at(c.args)...)
			got := talkTo(t, both, at(c.to)...)
			if got.code != 0 || got.out != both {
				t.Errorf("%+v", got)
			}
			if err := f.Wait(); err != nil || f.out.String() != both {
				t.Errorf("%s got %q, %v", c.name, f.out.String(), err)
			}
		})
	}
}

func TestForeignClientsTalkToTalk(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		listen []string
		args   []string // % is the port, & the address
	}{
		{"nc", []string{":0"}, []string{"-N", "127.0.0.1", "%"}},
		{"nc", []string{"unix:" + dir + "/nc"}, []string{"-N", "-U", "&"}},
		{"nc", []string{"-w", "5s", "udp::0"}, []string{"-u", "-w", "5", "127.0.0.1", "%"}},
		{"socat", []string{":0"}, []string{"-t5", "STDIO", "TCP:&"}},
		{"socat", []string{"unix:" + dir + "/socat"}, []string{"-t5", "STDIO", "UNIX-CONNECT:&"}},
	} {
		t.Run(c.name+" "+strings.ReplaceAll(c.listen[len(c.listen)-1], dir+"/", ""), func(t *testing.T) {
			path := foreign.Program(t, c.name)
			address, done := listening(t, strings.NewReader(both), c.listen...)
			_, port, _ := net.SplitHostPort(address)
			var args []string
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(strings.ReplaceAll(a, "%", port), "&", address))
			}
			f := start(t, both, path, args...)
			if err := f.Wait(); err != nil || f.out.String() != both {
				t.Errorf("%s got %q, %v", c.name, f.out.String(), err)
			}
			if got := <-done; got.code != 0 || got.out != both {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTalkAndOpenSSL(t *testing.T) {
	path := foreign.Program(t, "openssl")
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert := filepath.Join(t.TempDir(), "cert.pem")
	whole := append(bytes.Clone(pair.PEM), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	if err := os.WriteFile(cert, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("s_server", func(t *testing.T) {
		port := foreign.Port(t)
		start(t, "", path, "s_server", "-quiet", "-rev", "-naccept", "1", "-accept", "127.0.0.1:"+port, "-cert", cert, "-key", cert)
		got := talkTo(t, "abc\n", "-4", "-w", "10", "--cacert", cert, "tls:localhost:"+port)
		if got.code != 0 || got.out != "cba\n" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("s_client", func(t *testing.T) {
		in, typing := io.Pipe() // our end stays until theirs is here: s_client says nothing after a close_notify
		both := struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader("from farend\n"), in), typing}
		address, done := listening(t, both, "--cert", cert, "tls::0")
		f := start(t, "from openssl\n", path, "s_client", "-quiet", "-verify_return_error", "-verify_hostname", "localhost",
			"-CAfile", cert, "-connect", address)
		got := <-done
		if err := f.Wait(); err != nil || !strings.Contains(f.out.String(), "from farend\n") {
			t.Errorf("s_client: %v, %q", err, f.out.String())
		}
		if got.code != 0 || got.out != "from openssl\n" {
			t.Errorf("%+v", got)
		}
	})
}

const pythonEcho = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen(1)
conn, addr = s.accept()
while True:
    data = conn.recv(1024)
    if not data: break
    conn.sendall(data)
conn.close()
`

const pythonClient = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
s.sendall(b'Hello, world')
data = s.recv(1024)
s.close()
print('Received', repr(data))
`

func TestTalkAndPython(t *testing.T) {
	path := foreign.Python(t, 3)
	t.Run("echo server", func(t *testing.T) {
		port := foreign.Port(t)
		start(t, "", path, "-c", pythonEcho, port)
		big := strings.Repeat(both, 10_000)
		if got := talkTo(t, big, "127.0.0.1:"+port); got.code != 0 || got.out != big {
			t.Errorf("%d, %d bytes of %d, %s", got.code, len(got.out), len(big), got.err)
		}
	})
	t.Run("echo client", func(t *testing.T) {
		address, done := listening(t, strings.NewReader("hi"), ":0")
		_, port, _ := net.SplitHostPort(address)
		f := start(t, "", path, "-c", pythonClient, port)
		if err := f.Wait(); err != nil || f.out.String() != "Received b'hi'\n" {
			t.Errorf("%v, %q", err, f.out.String())
		}
		if got := <-done; got.out != "Hello, world" {
			t.Errorf("%+v", got)
		}
	})
}

func TestTutorial81_AddrAndPython(t *testing.T) {
	path := foreign.Python(t, 3)
	const list = "import socket,sys,pprint; pprint.pprint([tuple(map(lambda x: x if isinstance(x,(str,tuple)) else int(x), i)) " +
		"for i in socket.getaddrinfo(sys.argv[1], sys.argv[2])])"
	for _, args := range [][2]string{{"localhost", "80"}, {"127.0.0.1", "www"}, {"::1", "22"}, {"94.130.81.180", "http"}, {"::ffff:127.0.0.1", "domain"}} {
		f := start(t, "", path, "-c", list, args[0], args[1])
		if err := f.Wait(); err != nil {
			t.Fatalf("python3: %v: %s", err, f.out.String())
		}
		if got := farend(t, "", "addr", "--python", args[0], args[1]); got.out != f.out.String() {
			t.Errorf("%q: %q, Python: %q", args, got.out, f.out.String())
		}
	}
}
