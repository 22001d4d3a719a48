package server

import (
	"math"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A loop's own descriptors may have any number.
func TestLoopAmongManyDescriptors(t *testing.T) {
	for range 200 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skip("no descriptors here: ", err)
		}
		defer f.Close()
	}
	lp, err := newLoop(newPool(), EventOptions{}, ringSize{})
	if err != nil {
		t.Fatal(err)
	}
	defer lp.close()
	lp.asleep.Store(true)
	lp.kick()
	if n := lp.look(); n != 1 || int(lp.events[0].Fd) != lp.event {
		t.Fatalf("%d events, %+v", n, lp.events[0])
	}
	lp.dispatch(&lp.events[0])
	var b [8]byte
	if _, err := unix.Read(lp.event, b[:]); err != unix.EAGAIN {
		t.Errorf("the event was not taken: %v", err)
	}
}

func TestTicks(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		1: 1, tickLength: 1, tickLength + 1: 2, time.Second: 20, math.MaxInt64: 1 << 31, math.MaxInt64 - time.Millisecond: 1 << 31,
	} {
		if got := ticks(d); got != want {
			t.Errorf("%v is %d ticks, not %d", d, got, want)
		}
	}
}
