package storetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// killDir is the variable that makes a process the one to be killed: its
// directory.
const killDir = "FAREND_STORETEST_KILL"

const (
	killRounds  = 2
	killWriters = 4
	killAfter   = 25 // Updates acknowledged
	ackMark     = "storetest: acknowledged "
)

// testKill kills a process in the middle of its Updates, again and again, and
// looks each time for what it had acknowledged.
func (d *disk) testKill(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		d.toBeKilled(t, dir)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Skipf("no binary to start: %v", err)
	}
	dir := t.TempDir()
	for round := range killRounds {
		acked := killOne(t, self, dir)
		e := d.must(t, dir, nil)
		for w := range killWriters {
			l := letterbox{fmt.Sprint("writer", w)}
			if n, err := l.check(e); err != nil || n < acked[w] {
				t.Errorf("round %d: writer %d had %d acknowledged, found %d, %v", round, w, acked[w], n, err)
			}
		}
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// killOne starts a process, kills it, and gives how many steps of each writer
// it had acknowledged.
func killOne(t *testing.T, self, dir string) (acked [killWriters]int) {
	t.Helper()
	var pattern []string
	for level := range strings.SplitSeq(t.Name(), "/") {
		pattern = append(pattern, "^"+level+"$")
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run="+strings.Join(pattern, "/"), "-test.count=1")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Skipf("cannot start a process: %v", err)
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		_, ack, ok := strings.Cut(lines.Text(), ackMark)
		writer, steps, ok2 := strings.Cut(ack, " ")
		w, err1 := strconv.Atoi(writer)
		done, err2 := strconv.Atoi(steps)
		if !ok || !ok2 || err1 != nil || err2 != nil || w >= killWriters {
			continue
		}
		acked[w] = max(acked[w], done)
		if n++; n == killAfter {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || n < killAfter {
		t.Fatalf("the process ended by itself after %d Updates: %v", n, err)
	}
	return acked
}

// toBeKilled writes until it is killed.
func (d *disk) toBeKilled(t *testing.T, dir string) {
	e := d.must(t, dir, nil)
	defer e.Close()
	var wg sync.WaitGroup
	for w := range killWriters {
		wg.Go(func() {
			l := letterbox{fmt.Sprint("writer", w)}
			n, err := l.check(e)
			for ; err == nil; n++ {
				if err = l.step(e, n); err == nil {
					_, err = fmt.Fprintf(os.Stdout, "\n%s%d %d\n", ackMark, w, n+1)
				}
			}
			t.Errorf("writer %d stopped after %d: %v", w, n, err)
		})
	}
	wg.Wait()
}
