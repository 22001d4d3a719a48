package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// process is a server that runs.
type process struct {
	name string
	cmd  *exec.Cmd
	addr map[string]string // network to address
}

// cpu is the time that all threads of the process have used, by its clock
// (clock_getcpuclockid(3): the number is made of the process's).
func (p *process) cpu() (time.Duration, error) {
	var ts unix.Timespec
	const processSched = 2 // CPUCLOCK_SCHED, of a whole process
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|processSched), &ts); err != nil {
		return 0, fmt.Errorf("%s: its clock: %w", p.name, err)
	}
	return time.Duration(ts.Nano()), nil
}

// rss is the memory that the process has in use, in bytes (proc_pid_statm(5)).
func (p *process) rss() (int, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, errors.New("statm has no second field")
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
}

// startFarend starts the binary as a user would, with one service.
func startFarend(name, binary, service string, cpus *unix.CPUSet, args ...string) (*process, error) {
	cmd := exec.Command(binary, append([]string{"serve", service, "--listen", service + "=127.0.0.1:0", "--json", "-q"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := startOn(cmd, cpus); err != nil {
		return nil, err
	}
	p := &process{name, cmd, map[string]string{}}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct {
		Services []struct{ Network, Address string }
	}
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s did not get ready: %w", name, err)
	}
	for _, s := range ready.Services {
		p.addr[s.Network] = s.Address
	}
	return p, nil
}

// startPeer starts this program as one of the others.
func startPeer(name, kind, network string, cpus *unix.CPUSet) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(network)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "peer", kind, address)
	cmd.Stderr = os.Stderr
	if err := startOn(cmd, cpus); err != nil {
		return nil, err
	}
	p := &process{name, cmd, map[string]string{network: address}}
	if err := answers(network, address); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// freeAddress is one that nobody listens on, for servers that cannot tell which
// one they have got.
func freeAddress(network string) (string, error) {
	if network == "udp" {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		return pc.LocalAddr().String(), pc.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// answers waits until somebody listens, which on a busy machine may take long.
func answers(network, address string) error {
	var last error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		c, err := net.Dial(network, address)
		if err == nil && network == "udp" {
			_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond)) // the read tells
			if _, err = c.Write([]byte("hello")); err == nil {
				_, err = c.Read(make([]byte, 16))
			}
		}
		if c != nil {
			c.Close()
		}
		if err == nil {
			return nil
		}
		last = err
		time.Sleep(10 * time.Millisecond)
	}
	return last
}

// startOn starts cmd on some cores only: a process inherits those of the
// thread that starts it.
func startOn(cmd *exec.Cmd, cpus *unix.CPUSet) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, cpus); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.SchedSetaffinity(0, &own))
}

// split gives the generator one core and the servers another, of those that we
// may use; with one core both share it.
func split() (generator, servers *unix.CPUSet, err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, nil, err
	}
	var cores []int
	for i := range len(all) * 64 {
		if all.IsSet(i) {
			cores = append(cores, i)
		}
	}
	generator, servers = &unix.CPUSet{}, &unix.CPUSet{}
	generator.Set(cores[0])
	servers.Set(cores[min(1, len(cores)-1)])
	return generator, servers, nil
}

// confine puts every thread of this process on those cores; new threads follow
// the one that makes them.
func confine(cpus *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, cpus); err != nil && err != unix.ESRCH {
			return err
		}
	}
	runtime.GOMAXPROCS(cpus.Count())
	return nil
}
