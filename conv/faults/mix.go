package faults

import (
	"math/rand/v2"
	"time"
)

// Mix makes trouble from a seed, for tests of clients and sessions: small
// pieces, small delays, and in two of three cases an end of some kind, a stall
// among them, within the first kilobytes. What remains possible is the right
// answer or an error: nothing is garbled. The test needs a deadline, and prints
// the seed or the rules when it fails; the same seed gives the same rules.
func Mix(seed uint64) []Rule {
	rng := rand.New(rand.NewPCG(seed, 0x6d6978))
	dir := func() Dir { return Dir(rng.IntN(3)) }
	rules := []Rule{{Do: Slice, Dir: dir(), After: rng.Int64N(64), Size: 1 + rng.Int64N(7)}}
	if rng.IntN(3) == 0 {
		rules = append(rules, Rule{
			Do: Delay, Dir: dir(), After: rng.Int64N(256), Seed: seed,
			Delay: time.Duration(rng.Int64N(int64(200 * time.Microsecond))), Jitter: 100 * time.Microsecond,
		})
	}
	if rng.IntN(3) > 0 {
		ends := []Deed{Cut, Reset, Close, HalfClose, Truncate, Stall}
		after := rng.Int64N(1 << (1 + rng.IntN(12))) // small numbers as often as large ones
		rules = append(rules, Rule{Do: ends[rng.IntN(len(ends))], Dir: dir(), After: after})
	}
	return rules
}
