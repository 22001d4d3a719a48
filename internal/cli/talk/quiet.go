package talk

import (
	"sync"
	"time"
)

// quiet is a clock that runs while nobody says anything.
type quiet struct {
	mu    sync.Mutex
	after time.Duration
	timer *time.Timer
	C     <-chan time.Time
}

func newQuiet() *quiet {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &quiet{timer: t, C: t.C}
}

// limit starts the clock; 0 stops it.
func (q *quiet) limit(after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.after = after
	if after <= 0 {
		q.timer.Stop()
		return
	}
	q.timer.Reset(after)
}

// heard starts it again.
func (q *quiet) heard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.after > 0 {
		q.timer.Reset(q.after)
	}
}
