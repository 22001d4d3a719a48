//go:build interop

// Package foreign runs programs that others wrote beside ours, in tests: it
// finds them, gives them a home and a port, and ends them. It is the heir of
// Python's test.support.script_helper.
package foreign

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Program finds the first of several programs that is there, on the PATH or in
// /usr/sbin; $NAME stands for what that variable holds. Where none is, the test
// is skipped.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		name = os.ExpandEnv(name)
		for _, at := range []string{name, filepath.Join("/usr/sbin", name)} {
			if path, err := exec.LookPath(at); name != "" && err == nil {
				return path
			}
		}
	}
	t.Skipf("%s is not installed", strings.Join(names, " or "))
	return ""
}

// Run runs a program to its end in a directory that is its home too, and gives
// what it prints. It fails the test when it fails, or takes more than a minute.
func Run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	return RunWith(t, dir, "", name, args...)
}

// RunWith is Run with something to read.
func RunWith(t testing.TB, dir, input, name string, args ...string) string {
	t.Helper()
	out, err := Try(t, dir, input, name, args...)
	if err != nil {
		t.Errorf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
	}
	return out
}

// Try is RunWith for a program that may fail.
func Try(t testing.TB, dir, input, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	cmd.Env = append(os.Environ(), "HOME="+dir, "NO_PROXY=*", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Port is a port of 127.0.0.1 that nobody had a moment ago.
func Port(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Serve starts a server on a port of 127.0.0.1 and waits until it listens there;
// it is ended with the test. command is its command line for a port. Somebody
// else may have taken the port meanwhile, so it gets several tries; one that does
// not start then is a failure, not a skip.
func Serve(t testing.TB, command func(port string) *exec.Cmd) (port string) {
	t.Helper()
	for range 3 {
		port = Port(t)
		cmd := command(port)
		said, ok := listens(t, port, cmd)
		if ok {
			return port
		}
		t.Logf("%s ended before it listened on port %s: %s", cmd, port, said)
	}
	t.Fatal("it does not start")
	return ""
}

// listens starts a server, and tells whether it has come to listen; if not, what
// it said.
func listens(t testing.TB, port string, cmd *exec.Cmd) (said string, ok bool) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is made to end
	}()
	end := func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended by itself
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
	}
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("%s: %s", cmd, out.String())
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if nc, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			nc.Close()
			return "", true
		}
		select {
		case <-ended:
			return out.String(), false
		case <-tick.C:
		}
	}
	end()
	t.Fatalf("%s does not listen: %s", cmd, out.String())
	return "", false
}
