package server

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// start runs command with the sockets from descriptor 3 on, and ready after
// them. It does not use os.File's for them, which may turn a descriptor to
// blocking, for this process as well, when asked for its number.
func start(command, env []string, all []kept, ready *os.File) (*os.Process, error) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, err
	}
	rc, err := ready.SyscallConn()
	if err != nil {
		return nil, err
	}
	files := []uintptr{0, 1, 2}
	for _, k := range all {
		files = append(files, uintptr(k.fd))
	}
	pid := 0
	var ferr error
	err = rc.Control(func(fd uintptr) {
		pid, ferr = syscall.ForkExec(path, command, &syscall.ProcAttr{Env: env, Files: append(files, fd)})
	})
	if err != nil {
		return nil, err
	}
	if ferr != nil {
		return nil, &os.PathError{Op: "fork/exec", Path: path, Err: ferr}
	}
	return os.FindProcess(pid)
}

// monotonicMicros is the time since boot as systemd counts it.
func monotonicMicros() string {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return "0"
	}
	return strconv.FormatInt(ts.Nano()/1000, 10)
}
