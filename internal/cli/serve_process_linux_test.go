package cli

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/app"
)

// served is a farend serve in a process of its own, and what took its place.
type served struct {
	*exec.Cmd
	t        *testing.T
	file     string
	ready    app.Ready
	out, err lockedBuffer
}

func serveProcess(t *testing.T, args ...string) *served {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return serveProgram(t, self, nil, args...)
}

// serveProgram is serveProcess for a path that leads to this test binary.
func serveProgram(t *testing.T, path string, environ []string, args ...string) *served {
	t.Helper()
	f := &served{Cmd: exec.Command(path, "-test.run=^TestRunCommand$"), t: t, file: filepath.Join(t.TempDir(), "ready")}
	args = append([]string{"serve", "--ready-file", f.file}, args...)
	f.Env = append(os.Environ(), runAsVariable+"=farend", runArgsVariable+"="+strings.Join(args, " "))
	f.Env = append(f.Env, environ...)
	f.Stdout, f.Stderr = &f.out, &f.err
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f.ready.PID != 0 && f.ready.PID != f.Process.Pid {
			f.stop() // it has our stdout, and Wait waits for that
		}
		_ = f.Process.Signal(syscall.SIGTERM)
		if err := f.Wait(); err != nil {
			t.Errorf("farend serve: %v: %s", err, f.err.String())
		}
	})
	f.ready = waitForFile(t, f.file)
	return f
}

// signal goes to the process that serves.
func (f *served) signal(sig syscall.Signal) {
	f.t.Helper()
	if err := syscall.Kill(f.ready.PID, sig); err != nil {
		f.t.Error(err)
	}
}

// stop ends the process that serves.
func (f *served) stop() {
	f.t.Helper()
	f.signal(syscall.SIGTERM)
	f.ready.PID = f.Process.Pid
}

// succeeded waits until another process has become ready.
func (f *served) succeeded() {
	f.t.Helper()
	before := f.ready
	f.until("a successor is ready", func() bool {
		b, err := os.ReadFile(f.file)
		if err != nil {
			f.t.Fatal("the ready file is gone: ", err)
		}
		f.ready = app.Ready{}
		if err := json.Unmarshal(b, &f.ready); err != nil {
			f.t.Fatalf("%q: %v", b, err)
		}
		return f.ready.PID != before.PID
	})
	for i, l := range f.ready.Services {
		if l != before.Services[i] {
			f.t.Errorf("%v was %v", l, before.Services[i])
		}
	}
}

func (f *served) until(what string, happened func() bool) {
	f.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !happened() {
		select {
		case <-tick.C:
		case <-end:
			f.t.Fatalf("waiting until %s; it said\n%s", what, f.err.String())
		}
	}
}

// dial connects to listener i.
func (f *served) dial(i int) (net.Conn, error) {
	l := f.ready.Services[i]
	c, err := net.DialTimeout(l.Network, l.Address, 15*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(15 * time.Second))
}

// back says text and reads as much.
func back(c net.Conn, text string) (string, error) {
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	b := make([]byte, len(text))
	n, err := io.ReadFull(c, b)
	return string(b[:n]), err
}
