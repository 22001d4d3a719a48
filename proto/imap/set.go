package imap

import (
	"iter"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// A Range is the numbers from First to Last, both included. In what stands on
// the wire 0 is "*", the largest number there is, and the order is free.
type Range struct{ First, Last uint32 }

// A Set is a set of UIDs or of sequence numbers (RFC 9051 section 4.1.1). It is
// in order when its ranges ascend, do not touch, and have no "*": so are all
// that this package hands out, and Resolve puts others in order.
type Set []Range

// One is the set of a single number.
func One(n uint32) Set { return Set{{n, n}} }

// ParseSet reads a sequence-set, without "$". The error is ErrSyntax.
func ParseSet(text string) (Set, error) {
	l := token.New([]byte(text))
	s := lexSet(l)
	return s, l.End()
}

func lexSet(l *token.Lexer) Set {
	var s Set
	for {
		var r Range
		r.First = lexNumber(l)
		r.Last = r.First
		if l.Take(':') {
			r.Last = lexNumber(l)
		}
		s = append(s, r)
		if l.Err() != nil {
			return nil
		}
		if !l.Take(',') {
			return s
		}
	}
}

func lexNumber(l *token.Lexer) uint32 {
	if l.Take('*') {
		return 0
	}
	return l.Positive()
}

// Append writes the set as ParseSet reads it; an empty one is nothing.
func (s Set) Append(b []byte) []byte {
	for i, r := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, r.First)
		if r.Last != r.First {
			b = appendNumber(append(b, ':'), r.Last)
		}
	}
	return b
}

func appendNumber(b []byte, n uint32) []byte {
	if n == 0 {
		return append(b, '*')
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// String is the set as it stands on the wire.
func (s Set) String() string { return string(s.Append(nil)) }

// Resolve gives the set in order, with largest in the place of "*"; where
// largest is 0 there is no number that "*" could be, and its ranges vanish.
func (s Set) Resolve(largest uint32) Set {
	out := make(Set, 0, len(s))
	for _, r := range s {
		if r.First == 0 {
			r.First = largest
		}
		if r.Last == 0 {
			r.Last = largest
		}
		if r.First > r.Last {
			r.First, r.Last = r.Last, r.First
		}
		if r.First > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Range) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	return out.joined()
}

// joined joins the ranges of an ascending set that overlap or touch, in place.
func (s Set) joined() Set {
	out := s[:0]
	for _, r := range s {
		out = out.with(r)
	}
	return out
}

// with adds a range that begins no earlier than the last one.
func (s Set) with(r Range) Set {
	if n := len(s); n > 0 && uint64(r.First) <= uint64(s[n-1].Last)+1 {
		s[n-1].Last = max(s[n-1].Last, r.Last)
		return s
	}
	return append(s, r)
}

// Add puts n into a set in order. At the end that costs nothing.
func (s *Set) Add(n uint32) {
	if k := len(*s); k == 0 || n >= (*s)[k-1].First {
		*s = s.with(Range{n, n})
		return
	}
	*s = s.Union(One(n))
}

// Count is how many numbers are in a set in order.
func (s Set) Count() int {
	n := 0
	for _, r := range s {
		n += int(r.Last-r.First) + 1
	}
	return n
}

// Contains tells whether n is in a set in order.
func (s Set) Contains(n uint32) bool {
	i := s.at(n)
	return i < len(s) && s[i].First <= n
}

// at is the first range that ends at n or later.
func (s Set) at(n uint32) int {
	return sort.Search(len(s), func(i int) bool { return s[i].Last >= n })
}

// All gives the numbers of a set in order.
func (s Set) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, r := range s {
			for n := uint64(r.First); n <= uint64(r.Last); n++ {
				if !yield(uint32(n)) {
					return
				}
			}
		}
	}
}

// Largest is the last number of a set in order; 0 where it is empty.
func (s Set) Largest() uint32 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Last
}

// Union is what is in one of two sets in order, or in both.
func (s Set) Union(t Set) Set {
	out := make(Set, 0, len(s)+len(t))
	for len(s) > 0 || len(t) > 0 {
		if len(t) == 0 || len(s) > 0 && s[0].First <= t[0].First {
			out, s = out.with(s[0]), s[1:]
		} else {
			out, t = out.with(t[0]), t[1:]
		}
	}
	return out
}

// Intersect is what is in both of two sets in order.
func (s Set) Intersect(t Set) Set {
	var out Set
	for len(s) > 0 && len(t) > 0 {
		first, last := max(s[0].First, t[0].First), min(s[0].Last, t[0].Last)
		if first <= last {
			out = append(out, Range{first, last})
		}
		if s[0].Last < t[0].Last {
			s = s[s.at(t[0].First):].after(s)
		} else {
			t = t[t.at(s[0].First):].after(t)
		}
	}
	return out
}

// after is s, or what follows the first range of whole where that would be no
// step.
func (s Set) after(whole Set) Set {
	if len(s) == len(whole) {
		return whole[1:]
	}
	return s
}

// Minus is what is in s and not in t, both in order.
func (s Set) Minus(t Set) Set {
	var out Set
	for _, r := range s {
		first := uint64(r.First)
		for _, cut := range t[t.at(r.First):] {
			if cut.First > r.Last {
				break
			}
			if uint64(cut.First) > first {
				out = append(out, Range{uint32(first), cut.First - 1})
			}
			first = uint64(cut.Last) + 1
		}
		if first <= uint64(r.Last) {
			out = append(out, Range{uint32(first), r.Last})
		}
	}
	return out
}

// Where is which messages a command is about: by UID or by sequence number,
// told, or saved by the last SEARCH (RFC 5182, "$").
type Where struct {
	UID   bool // UIDs, not sequence numbers; not part of what is appended
	Saved bool // "$"; then Set is empty
	Set   Set
}

// Append writes the set or "$".
func (w Where) Append(b []byte) []byte {
	if w.Saved {
		return append(b, '$')
	}
	return w.Set.Append(b)
}

func lexWhere(l *token.Lexer, uid bool) Where {
	if l.Take('$') {
		return Where{UID: uid, Saved: true}
	}
	return Where{UID: uid, Set: lexSet(l)}
}

// everything is all numbers.
var everything = Range{1, math.MaxUint32}
