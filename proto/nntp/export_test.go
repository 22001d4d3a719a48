package nntp

import "time"

// For tests.
var (
	MatchesOld    = matchesOld
	ParseTime     = parseTime
	ParseSelected = parseSelected
)

func AppendSelected(g Group) []byte { return g.appendSelected(nil) }

// SetClock makes h believe that it is always now.
func SetClock(h *Handler, now time.Time) { h.now = func() time.Time { return now } }
