package diskstore

import (
	"math"
	"testing"
)

// Where there are many segments, a reader that lets go of one lets its file be
// closed, but not while it is still to be synced.
func TestSegmentStaysOpenUntilItIsSynced(t *testing.T) {
	var e *Engine
	var second *segment
	e = openTest(t, t.TempDir(), Options{fault: func(op operation, _ string) error {
		if op == opSync && second != nil && e.segments.pin(second) {
			e.segments.unpin(second) // as a reader does
		}
		return nil
	}})
	defer e.Close()
	s := &e.segments
	made := func() *segment {
		s.mu.Lock()
		seg, err := s.create(false)
		if err != nil {
			t.Fatal(err)
		}
		seg.live, seg.sealed = 1, true
		s.mu.Unlock()
		s.soil(seg)
		return seg
	}
	made()
	second = made()
	s.mu.Lock()
	for n := range uint64(maxOpenFiles) {
		s.all[1000+n] = &segment{number: 1000 + n, sealed: true, live: 1}
	}
	s.mu.Unlock()
	if err := s.sync(); err != nil {
		t.Error(err)
	}
	if s.isDirty(second) {
		t.Error("it is still to be synced")
	}
}

// Any size may be promised.
func TestSizeHints(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	defer e.Close()
	for _, size := range []int64{math.MaxInt64, math.MaxInt64 - chunk - 7000, maxHint, 0, -1, math.MinInt64} {
		w, err := e.Blobs().Create(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
