//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"runtime"
	"testing"
)

// collect has garbage collected until something comes out of ch.
func collect[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	for t.Context().Err() == nil {
		select {
		case v := <-ch:
			return v
		default:
			runtime.GC()
		}
	}
	t.Fatal("the test ended before anything was collected")
	return v
}

// untilDescriptors has garbage collected until that many are open.
func untilDescriptors(t *testing.T, want int) {
	t.Helper()
	for openDescriptors(t) > want {
		if t.Context().Err() != nil {
			t.Fatalf("%d descriptors are open, want %d", openDescriptors(t), want)
		}
		runtime.GC()
		runtime.Gosched()
	}
}
