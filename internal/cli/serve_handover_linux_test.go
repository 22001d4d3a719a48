package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/internal/servertest"
)

// hammer converses on new connections with the first n listeners until it is
// told to end. Each has to be answered, whoever serves.
func (f *served) hammer(n int) (answers *atomic.Int64, end func()) {
	answers = &atomic.Int64{}
	over := make(chan struct{})
	var wg sync.WaitGroup
	at := f.ready.Services
	for i := range 3 * n {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				c, err := net.DialTimeout(at[i%n].Network, at[i%n].Address, 15*time.Second)
				if err != nil {
					f.t.Error("refused: ", err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(15 * time.Second))
				if got, err := back(c, "x"); got != "x" {
					f.t.Errorf("lost at %s: %q, %v", at[i%n].Network, got, err)
				}
				c.Close()
				answers.Add(1)
			}
		})
	}
	return answers, func() { close(over); wg.Wait() }
}

func TestServeHandsOver(t *testing.T) {
	for _, engine := range []string{"goroutines", "events", ""} {
		t.Run("--engine="+engine, func(t *testing.T) {
			dir := servertest.Dir(t)
			f := serveProcess(t, "--handover", "--engine="+engine, "--listen", "echo=tcp::0", "--listen", "echo=unix:"+filepath.Join(dir, "s"),
				"--listen", "echo=:0", "--listen", "echo=unixgram:"+filepath.Join(dir, "g"))
			early, err := f.dial(0)
			if err != nil {
				t.Fatal(err)
			}
			defer early.Close()
			if got, err := back(early, "early"); got != "early" {
				t.Fatal(got, err)
			}
			answers, end := f.hammer(3)
			for range 3 {
				for _, soon := range []bool{true, false} {
					want := answers.Load() + 200
					f.until("there are answers", func() bool { return answers.Load() > want || t.Failed() })
					if soon {
						f.signal(syscall.SIGHUP)
						f.succeeded()
					}
				}
			}
			end()
			if got, err := back(early, "still"); got != "still" {
				t.Errorf("a conversation of before: %q, %v", got, err)
			}
			udp, err := f.dial(3)
			if err != nil {
				t.Fatal(err)
			}
			defer udp.Close()
			if got, err := back(udp, "datagram"); got != "datagram" {
				t.Errorf("after the hand-over, over datagrams: %q, %v", got, err)
			}
			f.until("three hand-overs are told", func() bool { return strings.Count(f.err.String(), " serves from here on; ") >= 3 })
			early.Close()
			if paths, _ := filepath.Glob(filepath.Join(dir, "*")); len(paths) != 2 {
				t.Errorf("while it serves there are %v", paths)
			}
			f.stop()
			f.until("its paths are gone", func() bool {
				paths, _ := filepath.Glob(filepath.Join(dir, "*"))
				return len(paths) == 0
			})
		})
	}
}

// What cannot take over is said in one line, and nothing else has changed; the
// next program at the same path takes over.
func TestServeOutlivesABrokenSuccessor(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "farend")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	f := serveProgram(t, program, nil, "-q", "--handover", "--listen", "echo=:0")
	install := func(make func(path string) error) {
		t.Helper()
		next := program + ".new"
		if err := make(next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, program); err != nil {
			t.Fatal(err)
		}
		f.signal(syscall.SIGHUP)
	}
	script := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o700) } //nolint:gosec // it is run
	}
	for i, c := range []struct{ program, why string }{
		{"#!/bin/sh\nexit 3\n", "exit status 3"},
		{"#!/nowhere/sh\n", "no such file or directory"},
		{"no program", "exec format error"},
	} {
		install(script(c.program))
		f.until("it complains", func() bool { return strings.Count(f.err.String(), "\n") > i })
		lines := strings.Split(strings.TrimSuffix(f.err.String(), "\n"), "\n")
		if line := lines[len(lines)-1]; len(lines) != i+1 || !strings.HasPrefix(line, "farend: serve: hand over: ") ||
			!strings.Contains(line, c.why) || !strings.HasSuffix(line, fmt.Sprintf("; process %d serves on", f.ready.PID)) {
			t.Errorf("%q: it said\n%s", c.program, f.err.String())
		}
		conn, err := f.dial(0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back(conn, "still here"); got != "still here" {
			t.Errorf("%q, %v", got, err)
		}
		conn.Close()
		if r := waitForFile(t, f.file); r.PID != f.ready.PID {
			t.Errorf("the ready file is that of process %d", r.PID)
		}
	}
	install(func(path string) error { return os.Symlink(self, path) })
	f.succeeded()
}

func TestServeDoesNotWaitForASuccessor(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "farend")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	f := serveProgram(t, program, nil, "--handover", "--handover-timeout", "50ms", "--listen", "echo=:0")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 100\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	f.signal(syscall.SIGHUP)
	f.until("it complains", func() bool {
		return strings.Contains(f.err.String(), "nothing was heard of it within 50ms (process ")
	})
}

// What the old process does not let go of by itself it ends after the grace.
func TestServeEndsAfterTheGrace(t *testing.T) {
	f := serveProcess(t, "--handover", "--handover-grace", "1ms", "--listen", "echo=tcp::0")
	idle, err := f.dial(0)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if got, err := back(idle, "x"); got != "x" {
		t.Fatal(got, err)
	}
	f.signal(syscall.SIGHUP)
	f.succeeded()
	if n, err := idle.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("the idle conversation of before: %d, %v", n, err)
	}
}

func TestServeWithoutHandOverStopsAtHangup(t *testing.T) {
	s := startServe(t, nil, "--listen", "echo=:0")
	if code := s.stop(syscall.SIGHUP); code != 0 {
		t.Errorf("status %d", code)
	}
}

// The ports of a server that can hand over are not for another server, though
// its sockets share them.
func TestServeTakenPortOfAHandover(t *testing.T) {
	for _, engine := range []string{"goroutines", "events", ""} {
		s := startServe(t, nil, "--handover", "--engine="+engine, "--listen", "echo=:0")
		for _, flag := range []string{"-q", "--handover"} {
			address := s.ready.Services[0].Address
			code, _, said := mainOf(t, "serve", flag, "--listen", "echo="+address)
			if code != 1 || !strings.HasPrefix(said, "farend: serve: listening for echo on tcp "+address+": address already in use") {
				t.Errorf("%s, %s: status %d, %q", engine, flag, code, said)
			}
		}
		s.stop(syscall.SIGTERM)
	}
}

func TestServeTellsSystemd(t *testing.T) {
	path := filepath.Join(servertest.Dir(t), "n")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	if err := notify.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	heard := func() string {
		t.Helper()
		b := make([]byte, 512)
		n, err := notify.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := serveProgram(t, self, []string{"NOTIFY_SOCKET=" + path}, "--handover", "--listen", "echo=:0")
	if got := heard(); got != "READY=1" {
		t.Errorf("at the start: %q", got)
	}
	f.signal(syscall.SIGHUP)
	if got := heard(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("at SIGHUP: %q", got)
	}
	f.succeeded()
	came := fmt.Sprintf("MAINPID=%d\nREADY=1", f.ready.PID)
	if one, two := heard(), heard(); (one != "READY=1" || two != came) && (one != came || two != "READY=1") {
		t.Errorf("from the successor and from its predecessor: %q, %q", one, two)
	}
	f.stop()
	if got := heard(); got != "STOPPING=1" {
		t.Errorf("at the end: %q", got)
	}
}
