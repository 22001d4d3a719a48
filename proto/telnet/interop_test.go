//go:build interop

package telnet_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
)

// telnetlibEvery uses every method of telnetlib that reads.
const telnetlibEvery = `
import socket, sys, telnetlib
seen = []
t = telnetlib.Telnet(sys.argv[1], int(sys.argv[2]), 10)
def option(sock, command, opt):
    seen.append((command, opt))
    if command == telnetlib.DO:
        sock.sendall(telnetlib.IAC + telnetlib.WONT + opt)
    elif command == telnetlib.WILL:
        sock.sendall(telnetlib.IAC + telnetlib.DO + opt)
    elif command == telnetlib.WONT:
        sock.sendall(telnetlib.IAC + telnetlib.DONT + opt)
t.set_option_negotiation_callback(option)
assert t.read_until(b"login: ", 10).endswith(b"login: ")
t.write(b"user\r\n")
assert t.read_until(b"Password: ", 10).endswith(b"Password: ")
t.write(b"password\r\n")
assert t.read_until(b"% ", 10).endswith(b"% ")
assert (telnetlib.WILL, telnetlib.ECHO) in seen and (telnetlib.WONT, telnetlib.ECHO) in seen, seen
t.write(b"one \xff two\r\n")
n, m, text = t.expect([b"never", br"\[one (.) two\]"], 10)
assert n == 1 and m.group(1) == b"\xff", (n, text)
assert t.read_until(b"% ", 10) == b"\r\n% "
t.write(b"some\n")
got = b""
while not got.endswith(b"% "):
    got += t.read_some()
assert got == b"[some]\r\n% ", got
t.write(b"eager\n")
got = b""
while not got.endswith(b"% "):
    got += t.read_very_eager()
assert got == b"[eager]\r\n% ", got
t.get_socket().sendall(telnetlib.IAC + telnetlib.AYT)
assert t.read_until(b"[Yes]\r\n", 10) == b"\r\n[Yes]\r\n"
t.write(b"exit\n")
assert t.read_all() == b"bye\r\n"
t.close()
print("fine")
`

func TestTutorial77_TelnetlibAtOurServer(t *testing.T) {
	for _, version := range []int{2, 3} {
		for name, e := range engines {
			t.Run(fmt.Sprintf("Python %d, %s", version, name), func(t *testing.T) {
				path := foreign.Python(t, version, "telnetlib")
				s := telnettest.New(t, again, telnettest.Options{Engine: e(), Login: true})
				host, port, _ := net.SplitHostPort(s.Addr)
				out, err := exec.CommandContext(within30s(t), path, "-W", "ignore", "-c", telnetlibEvery, host, port).CombinedOutput()
				if err != nil || string(out) != "fine\n" {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

func within30s(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestTutorial77_ClientsAtOurServer has people's clients say lines, each when
// the prompt has come.
func TestTutorial77_ClientsAtOurServer(t *testing.T) {
	for _, c := range []struct{ name, program, args string }{
		{"inetutils", "inetutils-telnet", "HOST PORT"},
		{"busybox", "busybox", "telnet HOST PORT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := foreign.Program(t, c.program)
			s := telnettest.New(t, again, telnettest.Options{Login: true})
			host, port, _ := net.SplitHostPort(s.Addr)
			args := strings.Fields(strings.NewReplacer("HOST", host, "PORT", port).Replace(c.args))
			cmd := exec.CommandContext(within30s(t), path, args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var heard bytes.Buffer
			talk := func(until, line string) {
				t.Helper()
				for !strings.HasSuffix(heard.String(), until) {
					b := make([]byte, 1)
					if _, err := out.Read(b); err != nil {
						t.Fatalf("%v instead of %q, behind %q", err, until, heard.String())
					}
					heard.Write(b)
				}
				io.WriteString(in, line+"\n")
			}
			talk("login: ", telnettest.User)
			talk("Password: ", telnettest.Password)
			talk("% ", "hello")
			talk("% ", "exit")
			rest, _ := io.ReadAll(out)
			cmd.Wait() // some say by their status that the server hung up
			if all := heard.String() + string(rest); !strings.Contains(all, "[hello]") || !strings.Contains(all, "bye") {
				t.Errorf("%q", all)
			}
		})
	}
}

// TestTutorial77_CurlAtOurServer pipes all lines at once: curl waits for its
// input and for the server by turns.
func TestTutorial77_CurlAtOurServer(t *testing.T) {
	path := foreign.Program(t, "curl")
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			s := telnettest.New(t, again, telnettest.Options{Login: true, Engine: e()})
			cmd := exec.CommandContext(within30s(t), path, "-sN", "telnet://"+s.Addr)
			cmd.Stdin = strings.NewReader(telnettest.User + "\n" + telnettest.Password + "\nhello\nexit\n")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "[hello]\r\n") || !strings.HasSuffix(string(out), "bye\r\n") {
				t.Errorf("%v, %q", err, out)
			}
		})
	}
}

// telnetd starts inetutils' server as inetd would, and gives its address.
func telnetd(t *testing.T) string {
	t.Helper()
	socat := foreign.Program(t, "socat")
	daemon := ""
	for _, at := range []string{"/usr/sbin/telnetd", "/opt/*peers/inetutils-telnetd/usr/sbin/telnetd"} {
		if found, _ := filepath.Glob(at); len(found) > 0 {
			daemon = found[0]
		}
	}
	if daemon == "" {
		t.Skip("inetutils-telnetd is not installed")
	}
	login := filepath.Join(t.TempDir(), "login")
	if err := os.WriteFile(login, []byte("#!/bin/sh\nexec /bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f, err := c.(*net.TCPConn).File()
			c.Close()
			if err != nil {
				return
			}
			cmd := exec.CommandContext(t.Context(), socat, "FD:3", "EXEC:"+daemon+" -h -E "+login+",nofork")
			cmd.ExtraFiles = []*os.File{f}
			_ = cmd.Start() // the client tells when it has not
			f.Close()
			go cmd.Wait()
		}
	}()
	return l.Addr().String()
}

// TestTutorial77_OurClientAtTelnetd logs in, asks for its terminal and its
// window, and changes that.
func TestTutorial77_OurClientAtTelnetd(t *testing.T) {
	ctx, marks := within30s(t), 0
	c, err := telnet.Dial(ctx, "tcp:"+telnetd(t), telnet.ClientOptions{Options: telnet.Options{
		Will: []telnet.Option{telnet.SGA, telnet.Binary, telnet.Status}, Do: []telnet.Option{telnet.Echo, telnet.SGA, telnet.Status},
		Terminals: []string{"VT100"}, Window: true, Speed: "38400,38400", Display: "host.test:0.0", Flow: true, Editing: true,
		Variables: []telnet.Variable{{Name: "FAREND", Value: "a\x01b\xff", User: true}},
	}, Notify: func(e telnet.Event) error {
		if e.Kind == telnet.Told && e.Command == telnet.DM {
			marks++
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	size := func(w, h int) {
		if err := c.Do(func(n *telnet.NVT) { n.SetWindow(w, h) }); err != nil {
			t.Fatal(err)
		}
	}
	size(255, 60)
	ask := func(line, until string) {
		t.Helper()
		if err := c.WriteText(line + "\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := c.ReadUntil(ctx, until); err != nil {
			t.Fatalf("%q: %q, %v", line, got, err)
		}
	}
	ask("echo $TERM; stty size; echo done$((40+2))", "60 255\r\n")
	if got, err := c.ReadUntil(ctx, "done42\r\n"); err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	size(80, 24)
	ask("stty size", "24 80\r\n")
	ask("printf 'x\\377y'; echo", "x\xffy\r\n")
	var ours, theirs bool
	c.Do(func(n *telnet.NVT) { ours, theirs = n.Ours(telnet.TTYPE), n.Theirs(telnet.Echo) })
	if !ours || !theirs {
		t.Errorf("TERMINAL-TYPE is on here: %v, ECHO there: %v", ours, theirs)
	}
	c.Do(func(n *telnet.NVT) { n.Tell(telnet.AO) })
	ask("", "not found\r\n") // for a terminal of today it is a ^O that was typed
	ask("echo still$((1+1))", "still2\r\n")
	if marks != 1 {
		t.Errorf("%d Synchs in answer to AO", marks)
	}
	ask("exit", "exit")
	if _, err := c.ReadAll(ctx); err != nil {
		t.Error(err)
	}
}
