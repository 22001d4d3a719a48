package load

import (
	"runtime"
	"time"
)

// effort is the beginning of a measurement.
type effort struct {
	at        time.Time
	cpu       time.Duration
	busy, all float64
}

func startEffort() effort {
	busy, all := machineTime()
	return effort{time.Now(), ownCPU(), busy, all}
}

func (e effort) end() Effort {
	wall := max(time.Since(e.at), 1)
	out := Effort{CPU: ownCPU() - e.cpu, Cores: min(runtime.GOMAXPROCS(0), runtime.NumCPU())}
	out.Busy = min(float64(out.CPU)/float64(wall)/float64(out.Cores), 1)
	if busy, all := machineTime(); all > e.all {
		out.Machine = min((busy-e.busy)/(all-e.all), 1)
	}
	return out
}
