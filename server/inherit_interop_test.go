//go:build interop && linux

package server_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/servertest"
)

// telling starts a program of others, whose standard error is read by lines.
func telling(t *testing.T, name string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.CommandContext(context.Background(), foreign.Program(t, name), args...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c.Stderr = w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		r.Close()
	})
	return c, bufio.NewScanner(r)
}

func TestSystemdSocketActivate(t *testing.T) {
	for _, tt := range []struct{ address, name string }{{"systemd:web", "web"}, {"systemd:", "web"}, {"fd:3", "web"}} {
		t.Run(tt.address, func(t *testing.T) {
			path := filepath.Join(servertest.Dir(t), "s")
			c, out := telling(t, "systemd-socket-activate", "-l", path, "--fdname="+tt.name, "-E", serviceAddress+"="+tt.address,
				os.Args[0], "-test.run=^TestServiceProgram$", "-test.timeout=60s")
			for out.Scan() && !strings.HasPrefix(out.Text(), "Listening on") {
			}
			for _, line := range []string{"who", "who", "quit"} {
				g := &generations{network: "unix", address: path}
				if pid, err := g.say(line); err != nil || pid != strconv.Itoa(c.Process.Pid) {
					t.Errorf("%s: got %q, %v", line, pid, err)
				}
			}
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSystemdSocketActivateDatagrams(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	c, out := telling(t, "systemd-socket-activate", "-d", "-l", path, "--fdname=dns", "-E", serviceAddress+"=packet systemd:dns",
		os.Args[0], "-test.run=^TestServiceProgram$", "-test.timeout=60s")
	for out.Scan() && !strings.HasPrefix(out.Text(), "Listening on") {
	}
	asks(t, "unixgram", path, c.Process.Pid)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// Each connection is a process of its own, with the connection as systemd
// passes it under Accept=yes, and as inetd does.
func TestSystemdSocketActivateAccept(t *testing.T) {
	for _, tt := range []struct{ flag, address string }{{"--fdname=connection", "systemd:"}, {"--inetd", "inetd:"}} {
		t.Run(tt.address, func(t *testing.T) {
			path := filepath.Join(servertest.Dir(t), "s")
			_, out := telling(t, "systemd-socket-activate", "-a", tt.flag, "-l", path, "-E", serviceAddress+"="+tt.address,
				os.Args[0], "-test.run=^TestServiceProgram$", "-test.timeout=60s")
			for out.Scan() && !strings.HasPrefix(out.Text(), "Listening on") {
			}
			seen := map[string]bool{}
			for range 3 {
				g := &generations{network: "unix", address: path}
				pid, err := g.say("who")
				if err != nil {
					t.Fatal(err)
				}
				seen[pid] = true
			}
			if len(seen) != 3 {
				t.Errorf("%v answered three connections", seen)
			}
		})
	}
}

func TestSocatExec(t *testing.T) {
	t.Setenv(serviceAddress, "inetd:")
	_, out := telling(t, "socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", "EXEC:"+os.Args[0]+" -test.run=TestServiceProgram -test.timeout=60s,nofork")
	address := ""
	for out.Scan() {
		if _, rest, ok := strings.Cut(out.Text(), "listening on AF=2 "); ok {
			address = rest
			break
		}
	}
	seen := map[string]bool{}
	for range 3 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(15 * time.Second))
		pid, err := say(c, "who")
		if err != nil {
			t.Fatal(err)
		}
		seen[pid] = true
	}
	if len(seen) != 3 {
		t.Errorf("%v answered three connections", seen)
	}
}
