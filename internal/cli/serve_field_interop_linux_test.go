//go:build interop

package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/servertest"
)

// startForeign starts a program that others wrote; it is ended with the test.
func startForeign(t *testing.T, said io.Writer, files []*os.File, environ []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), foreign.Program(t, name), args...)
	cmd.Env = append(os.Environ(), environ...)
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = files, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
	})
	return cmd
}

func TestServeBehindHAProxy(t *testing.T) {
	for _, engine := range []string{"goroutines", "events", ""} {
		for _, how := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2 check inter 50ms"} {
			s := startServe(t, nil, "--engine="+engine, "--explain", "--proxy-from", "127.0.0.0/8", "--proxy-required", "--listen", "echo=tcp::0")
			front := foreign.HAProxy(t, s.ready.Services[0].Address, how)
			c, err := net.DialTimeout("tcp", front.String(), 15*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(15 * time.Second))
			if got, err := back(c, "through haproxy"); got != "through haproxy" {
				t.Errorf("%s, %s: %q, %v", engine, how, got, err)
			}
			c.Close()
			s.stop(syscall.SIGTERM)
			if want := fmt.Sprintf("accepted %v by echo at %v\n", c.LocalAddr(), front); !strings.Contains(s.err.String(), want) {
				t.Errorf("%s, %s: no %q in\n%s", engine, how, want, s.err.String())
			}
		}
	}
}

// dialSoon connects to what another program will serve soon.
func dialSoon(t *testing.T, path string) net.Conn {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			return c
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("nobody serves ", path)
		}
	}
}

// asFarend has this test binary be farend.
func asFarend(args string) (environ []string, self string) {
	return []string{runAsVariable + "=farend", runArgsVariable + "=" + args}, os.Args[0]
}

func TestServeUnderSocat(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "s")
	environ, self := asFarend("serve --json --listen upper=inetd:")
	var said lockedBuffer
	startForeign(t, &said, nil, environ, "socat", "UNIX-LISTEN:"+path+",fork", "EXEC:"+self+" -test.run=^TestRunCommand$,nofork,stderr")
	for range 2 {
		c := dialSoon(t, path)
		if _, err := io.WriteString(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(c); err != nil || string(b) != "HELLO" {
			t.Errorf("%q, %v; %s", b, err, said.String())
		}
		c.Close()
	}
}

func TestServeUnderSystemdSocketActivate(t *testing.T) {
	for _, how := range []struct{ listen, accept string }{
		{"upper=systemd:web", ""}, {"upper=systemd:", ""}, {"upper=fd:3", ""}, {"upper=inetd:", "--inetd"}, {"upper=systemd:", "--accept"}, {"upper=inetd:", "--accept --inetd"},
	} {
		path := filepath.Join(servertest.Dir(t), "s")
		file := filepath.Join(t.TempDir(), "ready")
		environ, self := asFarend("serve -q --ready-file " + file + " --listen " + how.listen)
		args := append(strings.Fields("-l "+path+" "+how.accept), "-E", environ[0], "-E", environ[1])
		if how.accept == "" {
			args = append(args, "--fdname=web")
		}
		var said lockedBuffer
		cmd := startForeign(t, &said, nil, nil, "systemd-socket-activate", append(args, self, "-test.run=^TestRunCommand$")...)
		for range 2 {
			c := dialSoon(t, path)
			if _, err := io.WriteString(c, "hello\n"); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(c); err != nil || string(b) != "HELLO" {
				t.Errorf("%v: %q, %v; %s", how, b, err, said.String())
			}
			c.Close()
		}
		if strings.HasPrefix(how.accept, "--accept") {
			continue // one process for each connection
		}
		if r := waitForFile(t, file); r.PID != cmd.Process.Pid || len(r.Services) != 1 || r.Services[0].Network != "unix" || r.Services[0].Address != path {
			t.Errorf("%v: it serves %+v", how, r)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", how, err, said.String())
		}
	}
}
