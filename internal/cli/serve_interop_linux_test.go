//go:build interop

package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/servertest"
)

func greetClient(t *testing.T) []string {
	py2 := foreign.Python(t, 2)
	return []string{py2, foreign.Page(t, "002*", "#!/usr/bin/python           # This is client.py", "Ora esegui")}
}

// ownHost gives what the test starts a network of its own, whose loopback
// interface has the address 192.0.2.7 too, and the host name "box", which
// leads to the given address. The pages' ports are all free there.
func ownHost(t *testing.T, leads string) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test's goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		t.Skip("no namespaces can be made here: ", err)
	}
	for _, args := range []string{"link set lo up", "addr add 192.0.2.7/32 dev lo"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Skipf("no network in a namespace here: ip %s: %v: %s", args, err, out)
		}
	}
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost\n"+leads+" box\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Skip("no mounts of our own here: ", err)
	}
	if err := unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		t.Skip("no /etc/hosts of our own here: ", err)
	}
	if err := unix.Sethostname([]byte("box")); err != nil {
		t.Skip("no host name of our own here: ", err)
	}
}

// output runs a program to its end.
func output(t *testing.T, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v", command, err)
	}
	return string(out)
}

func TestTutorial36_PagesClientAndServe(t *testing.T) {
	client := greetClient(t)
	ownHost(t, "127.0.0.1")
	f := serveProcess(t, "greet")
	const clients = 10
	answers := make(chan string, clients)
	for range clients / 2 { // row 37: two at a time
		for range 2 {
			cmd := exec.Command(client[0], client[1:]...)
			var out lockedBuffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil { // here, where the namespace is
				t.Fatal(err)
			}
			go func() {
				if err := cmd.Wait(); err != nil {
					answers <- err.Error()
				}
				answers <- out.String()
			}()
		}
		for range 2 {
			if got := <-answers; got != "Thank you for connecting\n" {
				t.Errorf("the page's client printed %q", got)
			}
		}
	}
	f.until("it has told of all clients", func() bool { return strings.Count(f.out.String(), "\n") >= clients })
	printed := regexp.MustCompile(`(?m)^Got connection from \('127\.0\.0\.1', \d+\)$`).FindAllString(f.out.String(), -1)
	if len(printed) != clients || strings.Count(f.out.String(), "\n") != clients {
		t.Errorf("the server printed\n%s", f.out.String())
	}
}

func TestTutorial44_OwnName(t *testing.T) {
	client := greetClient(t)
	for _, leads := range []string{"127.0.0.1", "127.0.1.1", "192.0.2.7"} {
		t.Run(leads, func(t *testing.T) {
			ownHost(t, leads)
			var args []string
			if leads == "192.0.2.7" {
				f := serveProcess(t, "greet")
				advice := regexp.MustCompile(`this host's name box leads to 192\.0\.2\.7; .*--listen (\S+)\n`)
				f.until("it says how to serve "+leads, func() bool { return advice.MatchString(f.err.String()) })
				args = []string{"--listen", advice.FindStringSubmatch(f.err.String())[1]}
			}
			f := serveProcess(t, append([]string{"greet"}, args...)...)
			if got := output(t, client...); got != "Thank you for connecting\n" {
				t.Errorf("the page's client printed %q; the server said\n%s", got, f.err.String())
			}
		})
	}
}

func TestTutorial50_PagesEchoClientAndServe(t *testing.T) {
	py3 := foreign.Python(t, 3)
	// The page's remote host is not ours to reach.
	client := foreign.Page(t, "001*", "import socket\n\nHOST = 'daring", "インターネットリソース", "daring.cwi.nl", "localhost")
	ownHost(t, "127.0.0.1")
	serveProcess(t, "echo")
	for range 2 {
		if got := output(t, py3, client); got != "受信データ b'Hello, world'\n" {
			t.Errorf("the page's client printed %q", got)
		}
	}
}

func TestTutorial48_EveryInterface(t *testing.T) {
	py3 := foreign.Python(t, 3)
	for _, engine := range []string{"goroutines", "events", ""} {
		t.Run("--engine="+engine, func(t *testing.T) {
			ownHost(t, "127.0.0.1")
			f := serveProcess(t, "--engine="+engine, "--listen", "echo=0.0.0.0:50007")
			for _, host := range []string{"127.0.0.1", "127.9.9.9", "192.0.2.7"} {
				const program = `import socket, sys
s = socket.create_connection((sys.argv[1], 50007)); s.sendall(b"tcp"); print(s.recv(10)); s.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(10)
u.sendto(b"udp", (sys.argv[1], 50007)); print(*u.recvfrom(10))`
				if got, want := output(t, py3, "-c", program, host), fmt.Sprintf("b'tcp'\nb'udp' ('%s', 50007)\n", host); got != want {
					t.Errorf("at %s: %q, want %q", host, got, want)
				}
			}
			f.until("it says where it listens", func() bool { return strings.Contains(f.err.String(), "echo listens on every interface") })
		})
	}
}

func TestTutorial67_PagesCapitalsClientsAndServe(t *testing.T) {
	py3 := foreign.Python(t, 3)
	const begin = "import socket\nimport sys\n\nHOST, PORT = \"localhost\", 9999\ndata = \" \".join(sys.argv[1:])\n\n"
	tcp := foreign.Page(t, "001*", begin+"# (SOCK_STREAM", "UDPサーバーを作成")
	udp := foreign.Page(t, "001*", begin+"# SOCK_DGRAM", "-標準")
	ownHost(t, "127.0.0.1")
	f := serveProcess(t, "upper")
	for _, client := range []string{tcp, udp} {
		for _, words := range [][]string{{"hello", "world"}, {"grüße", "an", "åsa"}, {"日本", "😀", "x"}} {
			text := strings.Join(words, " ")
			want := "Sent:     " + text + "\nReceived: " + asciiUpper(text) + "\n"
			if got := output(t, append([]string{py3, client}, words...)...); got != want {
				t.Errorf("the page's client printed %q, want %q", got, want)
			}
		}
	}
	for _, want := range []string{"127.0.0.1 wrote:\nb'hello world'\n", `127.0.0.1 wrote:` + "\n" + `b'gr\xc3\xbc\xc3\x9fe an \xc3\xa5sa'` + "\n"} {
		f.until(fmt.Sprintf("it has printed %q twice", want), func() bool { return strings.Count(f.out.String(), want) >= 2 })
		if strings.Count(f.out.String(), want) != 2 {
			t.Errorf("the server did not print %q twice:\n%s", want, f.out.String())
		}
	}
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// Programs that others wrote, each in the way in which people use it.
func TestServeAndForeignClients(t *testing.T) {
	dir := servertest.Dir(t)
	path, gram := filepath.Join(dir, "s"), filepath.Join(dir, "g")
	for _, engine := range []string{"goroutines", "events"} {
		s := startServe(t, nil, "--engine="+engine, "-q", "--listen", "greet=127.0.0.1:0", "--listen", "echo=:0", "--listen", "echo=tls:127.0.0.1:0",
			"--listen", "upper=:0", "--listen", "upper=unix:"+path, "--listen", "upper=unixgram:"+gram, "--listen", "daytime=:0")
		at := map[string]string{}
		for _, l := range s.ready.Services {
			scheme, _, _ := strings.Cut(l.URL, ":")
			at[l.Name+"/"+scheme] = l.Address
		}
		port := func(of string) string { _, p, _ := net.SplitHostPort(at[of]); return p }
		for _, c := range []struct{ program, command, want string }{
			{"nc", "nc -N 127.0.0.1 " + port("greet/tcp") + " </dev/null", "Thank you for connecting"},
			{"nc", "printf 'no line end' | nc -N 127.0.0.1 " + port("echo/tcp"), "no line end"},
			{"nc", "echo grüße | nc -N 127.0.0.1 " + port("upper/tcp"), "GRüßE"},
			{"nc", "echo hello | nc -N -U " + path, "HELLO"},
			{"nc", "echo hello | nc -u -w1 127.0.0.1 " + port("upper/udp"), "HELLO"},
			{"socat", "echo hello | socat - UNIX-CONNECT:" + path, "HELLO"},
			{"socat", "echo hello | socat -t2 - UNIX-SENDTO:" + gram + ",bind=" + filepath.Join(dir, "c"), "HELLO"},
			{"socat", "echo hello | socat -t2 - UDP:" + at["upper/udp"], "HELLO"},
			{"socat", "head -c 1000000 /dev/zero | socat -t5 - TCP:" + at["echo/tcp"] + " | wc -c", "1000000\n"},
			{"curl", "curl -s telnet://" + at["greet/tcp"] + " </dev/null", "Thank you for connecting"},
			{"curl", "curl -s telnet://" + at["daytime/tcp"] + " </dev/null | grep -c UTC", "1\n"},
			{"openssl", "(echo hello; sleep 1) | openssl s_client -quiet -no_ign_eof -verify_return_error -CAfile " + s.ready.CAFile + " -verify_hostname localhost -connect " + at["echo/tls"] + " 2>/dev/null", "hello\n"},
		} {
			if _, err := exec.LookPath(c.program); err != nil {
				t.Logf("skipped: no %s here", c.program)
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			cmd := exec.CommandContext(ctx, "sh", "-c", c.command)
			cmd.WaitDelay = time.Second // a pipe's other end may outlive the shell
			out, err := cmd.Output()
			cancel()
			if string(out) != c.want || err != nil {
				t.Errorf("%s: %s: %q (%v), want %q", engine, c.command, out, err, c.want)
			}
		}
		s.stop(syscall.SIGTERM)
	}
}
