package imap

import "sort"

// view is what a session has told its client of a mailbox: which UID has which
// sequence number. It changes only where the session says so to the client: by
// EXISTS, EXPUNGE and VANISHED. Mailboxes have few gaps, so it is ranges.
type view struct {
	spans []span
}

// span is a range of UIDs, and how many messages come before it.
type span struct {
	Range
	before uint32
}

// newView shows the UIDs of a set in order.
func newView(uids Set) *view {
	v := &view{}
	v.add(uids)
	return v
}

// count is how many messages there are.
func (v *view) count() uint32 {
	if len(v.spans) == 0 {
		return 0
	}
	return v.spans[len(v.spans)-1].end()
}

// end is the sequence number of the span's last message.
func (s span) end() uint32 { return s.before + s.Last - s.First + 1 }

// largest is the last UID, 0 where there is none.
func (v *view) largest() uint32 {
	if len(v.spans) == 0 {
		return 0
	}
	return v.spans[len(v.spans)-1].Last
}

// uid is the UID of a sequence number; 0: there is none.
func (v *view) uid(seq uint32) uint32 {
	i := sort.Search(len(v.spans), func(i int) bool { return v.spans[i].end() >= seq })
	if seq == 0 || i == len(v.spans) {
		return 0
	}
	return v.spans[i].First + (seq - v.spans[i].before - 1)
}

// seq is the sequence number of a UID; 0: it has none.
func (v *view) seq(uid uint32) uint32 {
	i := v.at(uid)
	if i == len(v.spans) || uid < v.spans[i].First {
		return 0
	}
	return v.spans[i].before + (uid - v.spans[i].First) + 1
}

// at is the first span that ends at uid or later.
func (v *view) at(uid uint32) int {
	return sort.Search(len(v.spans), func(i int) bool { return v.spans[i].Last >= uid })
}

// uids are the UIDs of sequence numbers, a set in order; numbers that there are
// not are left out.
func (v *view) uids(seqs Set) Set {
	var out Set
	i := 0
	for _, r := range seqs {
		last := min(r.Last, v.count())
		for seq := r.First; seq <= last; {
			for v.spans[i].end() < seq {
				i++
			}
			s := v.spans[i]
			stop := min(last, s.end())
			out = out.with(Range{s.First + (seq - s.before - 1), s.First + (stop - s.before - 1)})
			seq = stop + 1
		}
	}
	return out
}

// seqs are the sequence numbers of UIDs, a set in order; UIDs that are not
// there are left out.
func (v *view) seqs(uids Set) Set {
	var out Set
	for _, r := range v.within(uids) {
		out = out.with(Range{v.seq(r.First), v.seq(r.Last)})
	}
	return out
}

// within are those of the UIDs, a set in order, that are there.
func (v *view) within(uids Set) Set {
	var out Set
	for _, r := range uids {
		for i := v.at(r.First); i < len(v.spans) && v.spans[i].First <= r.Last; i++ {
			out = append(out, Range{max(r.First, v.spans[i].First), min(r.Last, v.spans[i].Last)})
		}
	}
	return out
}

// all are the UIDs that are there.
func (v *view) all() Set {
	out := make(Set, len(v.spans))
	for i, s := range v.spans {
		out[i] = s.Range
	}
	return out
}

// add shows UIDs above all that are there, and tells whether there were any.
func (v *view) add(uids Set) bool {
	n := v.count()
	for _, r := range uids {
		if r.First = max(r.First, v.largest()+1); r.First > r.Last {
			continue
		}
		if k := len(v.spans); k > 0 && v.spans[k-1].Last+1 == r.First {
			v.spans[k-1].Last = r.Last
			continue
		}
		v.spans = append(v.spans, span{r, v.count()})
	}
	return v.count() > n
}

// remove takes UIDs away, a set in order that is within the view. It gives the
// number of each at the moment when those before it are gone, as EXPUNGE tells
// it.
func (v *view) remove(uids Set, gone func(seq uint32)) {
	removed := uint32(0)
	if gone != nil {
		for uid := range uids.All() {
			gone(v.seq(uid) - removed)
			removed++
		}
	}
	left := v.all().Minus(uids)
	v.spans = v.spans[:0]
	for _, r := range left {
		v.spans = append(v.spans, span{r, v.count()})
	}
}
