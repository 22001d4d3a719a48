//go:build interop

package examples_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/foreign"
)

// theirs is the command line of a counterpart in Python 3.
func theirs(t *testing.T, name string, args ...string) []string {
	return append([]string{foreign.Python(t, 3), filepath.Join(name, "main.py")}, args...)
}

func TestTutorial36_GreetCrossed(t *testing.T) {
	needOwnName(t)
	t.Run("our server", func(t *testing.T) {
		port := freePort(t)
		greetTen(t, ours(t, "greet-server", "-port", port), theirs(t, "greet-client", port))
	})
	t.Run("our client", func(t *testing.T) {
		port := freePort(t)
		greetTen(t, theirs(t, "greet-server", port), ours(t, "greet-client", "-port", port))
	})
}

func TestTutorial47_EchoCrossed(t *testing.T) {
	const want = "受信データ b'Hello, world'\n"
	t.Run("our server", func(t *testing.T) {
		port := freePort(t)
		background(t, ours(t, "echo-server", "-port", port))
		if got := run(t, theirs(t, "echo-client", "127.0.0.1", port)); got != want {
			t.Errorf("the client printed %q", got)
		}
	})
	t.Run("our client", func(t *testing.T) {
		port := freePort(t)
		background(t, theirs(t, "echo-server", port))
		if got := run(t, ours(t, "echo-client", "-host", "127.0.0.1", "-port", port)); got != want {
			t.Errorf("the client printed %q", got)
		}
	})
}

func TestTutorial67_UpperCrossed(t *testing.T) {
	for _, p := range []struct{ server, client string }{{"upper-server", "upper-client"}, {"upper-udp-server", "upper-udp-client"}} {
		port := freePort(t)
		out := background(t, theirs(t, p.server, port))
		checkUpper(t, out, run(t, ours(t, p.client, "-host", "127.0.0.1", "-port", port, words)))
	}
}

func TestTutorial81_NameLookupLikePython(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if got, want := run(t, ours(t, "name-lookup", host)), run(t, theirs(t, "name-lookup", host)); got != want {
			t.Errorf("%s: ours printed\n%s, Python's\n%s", host, got, want)
		}
	}
}

// ownNetwork gives the test a network of its own, with nothing but loopback:
// the pages' servers do not set SO_REUSEADDR, so that connections in TIME_WAIT
// would keep the next one from the same port for a minute.
func ownNetwork(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test's goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("no network namespace can be made here: ", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Skipf("no loopback in a namespace here: %v: %s", err, out)
	}
}

// The pages' own programs, unchanged, on the ports that they name.
func TestTutorial38_PagesGreetingPrograms(t *testing.T) {
	needOwnName(t)
	const head = "#!/usr/bin/python           # This is "
	py2 := foreign.Python(t, 2)
	server := foreign.Page(t, "002*", head+"server.py", "Un semplice cliente")
	client := foreign.Page(t, "002*", head+"client.py", "Ora esegui")
	t.Run("our client", func(t *testing.T) {
		ownNetwork(t)
		greetTen(t, []string{py2, "-u", server}, ours(t, "greet-client"))
	})
	t.Run("our server", func(t *testing.T) {
		ownNetwork(t)
		greetTen(t, ours(t, "greet-server"), []string{py2, client})
	})
}

func TestTutorial50_PagesEchoPrograms(t *testing.T) {
	server := foreign.Page(t, "001*", "import socket\n\nHOST = ''", " 送信側の")
	client := foreign.Page(t, "001*", "import socket\n\nHOST = 'daring", "インターネットリソース")
	text, err := os.ReadFile(client)
	if err != nil {
		t.Fatal(err)
	}
	// The page's remote host is not ours to reach.
	text = regexp.MustCompile(`'daring\.cwi\.nl'`).ReplaceAll(text, []byte("'localhost'"))
	if err := os.WriteFile(client, text, 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "受信データ b'Hello, world'\n"
	t.Run("our server", func(t *testing.T) {
		ownNetwork(t)
		background(t, ours(t, "echo-server"))
		if got := run(t, []string{foreign.Python(t, 3), client}); got != want {
			t.Errorf("the page's client printed %q", got)
		}
	})
	t.Run("our client", func(t *testing.T) {
		ownNetwork(t)
		background(t, []string{foreign.Python(t, 3), server})
		if got := run(t, ours(t, "echo-client")); got != want {
			t.Errorf("our client printed %q", got)
		}
	})
}

func TestTutorial63_PagesCapitalsPrograms(t *testing.T) {
	for _, p := range []struct{ name, serverBegin, serverEnd, clientBegin, clientEnd string }{
		{"upper", "import socketserver\n\nclass MyTCPHandler", "クライアント側の例", "import socket\nimport sys\n\nHOST, PORT = \"localhost\", 9999\ndata = \" \".join(sys.argv[1:])\n\n# (SOCK_STREAM", "UDPサーバーを作成"},
		{"upper-udp", "import socketserver\n\nclass MyUDPHandler", "クライアント側のコード", "import socket\nimport sys\n\nHOST, PORT = \"localhost\", 9999\ndata = \" \".join(sys.argv[1:])\n\n# SOCK_DGRAM", "-標準"},
	} {
		server := foreign.Page(t, "001*", p.serverBegin, p.serverEnd)
		client := foreign.Page(t, "001*", p.clientBegin, p.clientEnd)
		args := []string{foreign.Python(t, 3), client, words}
		var wait []string
		if p.name == "upper-udp" {
			wait = []string{"-wait", "300ms"} // the first datagrams may come before the server
		}
		t.Run(p.name+"/our client", func(t *testing.T) {
			ownNetwork(t)
			out := background(t, []string{foreign.Python(t, 3), "-u", server})
			checkUpper(t, out, run(t, ours(t, p.name+"-client", append(wait, words)...)))
		})
		t.Run(p.name+"/our server", func(t *testing.T) {
			ownNetwork(t)
			out := background(t, ours(t, p.name+"-server"))
			checkUpper(t, out, run(t, args))
		})
	}
}

// TestTutorial05_FarAway talks to a process on this host, then as to another
// continent: 150 ms away, and the bytes come in pieces.
func TestTutorial05_FarAway(t *testing.T) {
	far := faults.Layer(faults.Rule{Do: faults.Delay, Delay: 150 * time.Millisecond}, faults.Rule{Do: faults.Slice, Size: 5})
	for name, layer := range map[string]conv.Layer{"here": func(c net.Conn) net.Conn { return c }, "far away": far} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			background(t, theirs(t, "echo-server", port))
			var c net.Conn
			eventually(t, "the echo server", func() (ok bool) {
				var err error
				c, err = net.Dial("tcp", "127.0.0.1:"+port)
				return err == nil
			})
			between := layer(c)
			defer between.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			peer := conv.New(between, conv.Options{})
			stop := context.AfterFunc(ctx, func() { _ = peer.Abort() })
			defer stop()
			want := strings.Repeat("Hello, world", 10)
			nc := peer.NetConn()
			if _, err := io.WriteString(nc, want); err != nil {
				t.Fatal(err)
			}
			if err := peer.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(nc); err != nil || string(got) != want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
