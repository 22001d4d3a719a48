package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timerfd sleeps on a descriptor. Go's own timers on an idle Linux are up to a
// millisecond late, because its poller waits in whole ones; a descriptor that
// becomes readable wakes it at once.
type timerfd struct {
	f   *os.File
	fd  int
	buf [8]byte
}

func newSleeper() sleeper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return napper{}
	}
	return &timerfd{f: os.NewFile(uintptr(fd), "timerfd"), fd: fd}
}

func (t *timerfd) sleep(d time.Duration) bool {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(d), 1))}
	if err := unix.TimerfdSettime(t.fd, 0, &spec, nil); err != nil {
		return false
	}
	_, err := t.f.Read(t.buf[:])
	return err == nil
}

func (t *timerfd) close() { t.f.Close() }
