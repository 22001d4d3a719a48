package mailbox

import (
	"iter"
	"math"
	"slices"
	"sort"
)

// UID is the unique identifier of a message in its mailbox (RFC 9051 section
// 2.3.1.1): at least 1.
type UID = uint32

// A Range is the UIDs from First to Last, both included.
type Range struct{ First, Last UID }

// A Set is a set of UIDs: ranges that ascend and do not touch.
type Set []Range

// All is the set of all UIDs.
func All() Set { return Set{{1, math.MaxUint32}} }

// One is the set of one UID.
func One(uid UID) Set { return Set{{uid, uid}} }

// SetOf makes a set of UIDs in any order.
func SetOf(uids ...UID) Set {
	sorted := slices.Sorted(slices.Values(uids))
	var s Set
	for _, uid := range sorted {
		s = s.with(Range{uid, uid})
	}
	return s
}

// with adds a range that begins at or behind the start of the last one.
func (s Set) with(r Range) Set {
	if n := len(s); n > 0 && uint64(r.First) <= uint64(s[n-1].Last)+1 {
		s[n-1].Last = max(s[n-1].Last, r.Last)
		return s
	}
	return append(s, r)
}

// Len is how many UIDs are in the set.
func (s Set) Len() int {
	n := 0
	for _, r := range s {
		n += int(r.Last-r.First) + 1
	}
	return n
}

// at is the index of the first range that ends at uid or later.
func (s Set) at(uid UID) int {
	return sort.Search(len(s), func(i int) bool { return s[i].Last >= uid })
}

// Contains tells whether uid is in the set.
func (s Set) Contains(uid UID) bool {
	i := s.at(uid)
	return i < len(s) && s[i].First <= uid
}

// next is the first UID of the set that is uid or greater.
func (s Set) next(uid UID) (UID, bool) {
	i := s.at(uid)
	if i == len(s) {
		return 0, false
	}
	return max(uid, s[i].First), true
}

// Each goes over the UIDs.
func (s Set) Each() iter.Seq[UID] {
	return func(yield func(UID) bool) {
		for _, r := range s {
			for uid := uint64(r.First); uid <= uint64(r.Last); uid++ {
				if !yield(UID(uid)) {
					return
				}
			}
		}
	}
}

// And is what is in both sets.
func (s Set) And(t Set) Set {
	var out Set
	for i, j := 0, 0; i < len(s) && j < len(t); {
		r := Range{max(s[i].First, t[j].First), min(s[i].Last, t[j].Last)}
		if r.First <= r.Last {
			out = append(out, r)
		}
		if s[i].Last < t[j].Last {
			i++
		} else {
			j++
		}
	}
	return out
}

// Or is what is in one of the sets.
func (s Set) Or(t Set) Set {
	all := slices.Concat(s, t)
	slices.SortFunc(all, func(a, b Range) int { return int(int64(a.First) - int64(b.First)) })
	var out Set
	for _, r := range all {
		out = out.with(r)
	}
	return out
}

// Minus is what is in s and not in t.
func (s Set) Minus(t Set) Set {
	var out Set
	for _, r := range s {
		first, open := r.First, true
		for i := t.at(r.First); open && i < len(t) && t[i].First <= r.Last; i++ {
			if t[i].First > first {
				out = append(out, Range{first, t[i].First - 1})
			}
			open = t[i].Last < r.Last
			first = t[i].Last + 1
		}
		if open {
			out = append(out, Range{first, r.Last})
		}
	}
	return out
}
