package transfer

import (
	"math/rand/v2"
	"testing"
)

// TestCover adds extents at random, and compares with a byte for each byte.
func TestCover(t *testing.T) {
	const size = 60
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		var c cover
		var here [size]bool
		for range 12 {
			from := r.Int64N(size)
			to := from + r.Int64N(size-from+1)
			c = c.add(extent{from, to})
			for i := from; i < to; i++ {
				here[i] = true
			}
			same(t, c, here[:], size)
		}
		cut := r.Int64N(size)
		for i := cut; i < size; i++ {
			here[i] = false
		}
		same(t, c.cut(cut), here[:], cut)
	}
	for _, bad := range []cover{{{3, 3}}, {{4, 2}}, {{-2, 3}}, {{0, 2}, {2, 3}}, {{5, 6}, {1, 2}}, {{0, 61}}} {
		if bad.valid(size) {
			t.Errorf("%v is valid", bad)
		}
	}
}

// same compares a cover with what it should be.
func same(t *testing.T, c cover, here []bool, limit int64) {
	t.Helper()
	got := make([]bool, len(here))
	for _, e := range c {
		for i := e[0]; i < e[1]; i++ {
			got[i] = true
		}
	}
	holes := make([]bool, len(here))
	for _, e := range c.holes(int64(len(here))) {
		for i := e[0]; i < e[1]; i++ {
			holes[i] = true
		}
	}
	n, begin := int64(0), int64(0)
	for i := range here {
		if got[i] != here[i] || holes[i] == here[i] {
			t.Fatalf("%v at %d: %v, a hole %v, want %v", c, i, got[i], holes[i], here[i])
		}
		if here[i] {
			n++
		}
		if here[i] && begin == int64(i) {
			begin++
		}
	}
	if !c.valid(limit) || c.size() != n || c.begin() != begin {
		t.Fatalf("%v: %d bytes, %d from the beginning; want %d, %d", c, c.size(), c.begin(), n, begin)
	}
}
