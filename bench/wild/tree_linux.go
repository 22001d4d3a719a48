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
	cmd   *exec.Cmd
	group string // its control group, which counts for all of them; "": there is none
}

// start runs a command in a process group, and where that can be had in a
// control group, of its own.
func start(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	group := newGroup()
	if group != "" { // it joins before it begins, so that nobody it starts is left out
		cmd.Args = append([]string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}
	p := &process{cmd, group}
	err := cmd.Start()
	if err != nil {
		p.ungroup()
	}
	return p, err
}

// newGroup makes a control group of either version (cgroups(7)).
func newGroup() string {
	for _, root := range []string{"/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup"} {
		dir := fmt.Sprintf("%s/farend-wild-%d-%d", root, os.Getpid(), time.Now().UnixNano())
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if p := (&process{group: dir}); p.countable() {
			return dir
		}
		_ = os.Remove(dir) // it is no such group
	}
	return ""
}

func (p *process) countable() bool {
	_, err := p.counted()
	return err == nil
}

// counted is the time of the control group.
func (p *process) counted() (time.Duration, error) {
	if text, err := os.ReadFile(p.group + "/cpuacct.usage"); err == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(n), err
	}
	text, err := os.ReadFile(p.group + "/cpu.stat")
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, errors.New("cpu.stat has no usage_usec")
}

func (p *process) ungroup() {
	if p.group == "" {
		return
	}
	for range 100 { // it can go when its last process has
		if text, err := os.ReadFile(p.group + "/cgroup.procs"); err == nil {
			for pid := range strings.FieldsSeq(string(text)) {
				if n, err := strconv.Atoi(pid); err == nil {
					_ = syscall.Kill(n, syscall.SIGKILL) // a child that outlived its group
				}
			}
		}
		if os.Remove(p.group) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
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
	p.ungroup()
}

// hertz is the unit of proc_pid_stat(5) on every Linux there is.
const hertz = 100

// usage is the processor time of a process, of its children that have ended,
// and of those that run. Without a control group, children that nobody waited
// for are missing, and the unit is a hundredth of a second.
func (p *process) usage() (time.Duration, error) {
	if p.group != "" {
		return p.counted()
	}
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
