package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that runs, with all that it started.
type process struct {
	cmd *exec.Cmd
}

// start runs a command in a process group of its own.
func start(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return &process{cmd}, cmd.Start()
}

// stop ends the server and its children.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // the group follows
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.cmd.Wait() // it was told to end
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-done
}

// hertz is the unit of proc_pid_stat(5) on every Linux there is.
const hertz = 100

// usage is the processor time of a process, of its children that have ended,
// and of those that run.
func (p *process) usage() (time.Duration, error) {
	parents, times, err := processes()
	if err != nil {
		return 0, err
	}
	if _, ok := times[p.cmd.Process.Pid]; !ok {
		return 0, errors.New("the server has ended")
	}
	var sum int
	for pid := range times {
		for at := pid; at > 1; at = parents[at] {
			if at == p.cmd.Process.Pid {
				sum += times[pid]
				break
			}
		}
	}
	return time.Duration(sum) * time.Second / hertz, nil
}

// processes gives every process's parent and time.
func processes() (parents, times map[int]int, err error) {
	dir, err := os.ReadDir("/proc")
	if err != nil {
		return nil, nil, err
	}
	parents, times = map[int]int{}, map[int]int{}
	for _, e := range dir {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		_, rest, ok := strings.Cut(string(text), ") ") // after the name, which may hold anything but that
		f := strings.Fields(rest)
		if !ok || len(f) < 15 {
			return nil, nil, fmt.Errorf("/proc/%d/stat is no line that is known", pid)
		}
		for _, at := range []int{11, 12, 13, 14} { // utime stime cutime cstime
			n, err := strconv.Atoi(f[at])
			if err != nil {
				return nil, nil, err
			}
			times[pid] += n
		}
		if parents[pid], err = strconv.Atoi(f[1]); err != nil {
			return nil, nil, err
		}
	}
	return parents, times, nil
}
