package load

import "time"

// sleeper waits a moment, as exactly as the system can.
type sleeper interface {
	sleep(d time.Duration) bool // false: it cannot any more
	close()
}

// napper sleeps on Go's timers.
type napper struct{}

func (napper) sleep(d time.Duration) bool {
	<-time.After(d)
	return true
}

func (napper) close() {}
