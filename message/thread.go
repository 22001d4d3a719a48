package message

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Threadable is what threads want to know of a message.
type Threadable struct {
	// MessageID is one of [ParseMessageIDs], or nothing.
	MessageID string
	// References are those of the References field, or the first of In-Reply-To
	// if there are none; see [Envelope.Threadable].
	References []string
	// Subject is the field's value, not decoded.
	Subject string
	// Date is the sent date; where there is none, the date of arrival
	// (RFC 5256 2.2).
	Date time.Time
}

// maxReferences is how many references of a message are looked at, the last: a
// message can be nothing else, and linking them is not for nothing.
const maxReferences = 1000

// Threadable gives what threads want to know; date is the sent date, or where
// the field cannot be read the date of arrival.
func (e *Envelope) Threadable(arrival time.Time) Threadable {
	t := Threadable{MessageID: first(ParseMessageIDs(e.MessageID)), References: e.References, Subject: e.Subject, Date: arrival}
	if date, err := ParseDate(e.Date); err == nil {
		t.Date = date
	}
	if n := len(t.References); n > maxReferences {
		t.References = t.References[n-maxReferences:]
	}
	if len(t.References) == 0 {
		if ids := ParseMessageIDs(e.InReplyTo); len(ids) > 0 {
			t.References = ids[:1]
		}
	}
	return t
}

// Thread is a message and the answers to it.
type Thread struct {
	// Item is the message's place in what was put into threads, or -1 for one
	// that is not there, which its Replies have in common.
	Item    int
	Replies []Thread
}

// Equal dates are ordered by place: RFC 5256 3 says by sequence number.
func byDate(items []Threadable) func(a, b int) int {
	return func(a, b int) int {
		return cmp.Or(items[a].Date.Compare(items[b].Date), cmp.Compare(a, b))
	}
}

// subjectKey is a base subject for comparison, without regard to case.
func subjectKey(base string) string { return strings.ToLower(strings.ToUpper(base)) }

// OrderedSubject puts messages of one base subject into one thread: the
// earliest, and all others as its replies. Items are in the order of their
// sequence numbers. RFC 5256 3, ORDEREDSUBJECT.
func OrderedSubject(items []Threadable) []Thread {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, byDate(items))
	var threads []Thread
	place := map[string]int{}
	for _, i := range order {
		base, _ := BaseSubject(items[i].Subject)
		key := subjectKey(base)
		if at, ok := place[key]; ok {
			threads[at].Replies = append(threads[at].Replies, Thread{Item: i})
			continue
		}
		place[key] = len(threads)
		threads = append(threads, Thread{Item: i})
	}
	return threads
}

// References puts messages into threads by the identifiers that they refer to,
// and those that nobody refers to by their base subject. Items are in the
// order of their sequence numbers. RFC 5256 3, REFERENCES.
func References(items []Threadable) []Thread {
	f := forest{items: items, byID: map[string]*knot{}}
	f.link()
	f.gather()
	f.mergeSubjects()
	order := byDate(items)
	for _, k := range f.roots {
		k.sort(order)
	}
	sortKnots(f.roots, order)
	return threadsOf(f.roots)
}

// knot is a message in the making of threads, or a dummy: item is -1 then.
type knot struct {
	item     int
	parent   *knot
	children []*knot
}

func (k *knot) dummy() bool { return k.item < 0 }

// below tells whether k is a descendant of other, or other itself.
func (k *knot) below(other *knot) bool {
	if len(other.children) == 0 {
		return k == other
	}
	for ; k != nil; k = k.parent {
		if k == other {
			return true
		}
	}
	return false
}

func (k *knot) adopt(child *knot) {
	child.parent = k
	k.children = append(k.children, child)
}

// leave takes k from its parent.
func (k *knot) leave() {
	if k.parent == nil {
		return
	}
	siblings := k.parent.children
	if i := slices.Index(siblings, k); i >= 0 {
		k.parent.children = slices.Delete(siblings, i, i+1)
	}
	k.parent = nil
}

// first is the message that stands for k in sorting and by its subject.
func (k *knot) first() int {
	if k.dummy() {
		return k.children[0].first()
	}
	return k.item
}

func (k *knot) sort(order func(a, b int) int) {
	for _, c := range k.children {
		c.sort(order)
	}
	sortKnots(k.children, order)
}

func sortKnots(list []*knot, order func(a, b int) int) {
	slices.SortFunc(list, func(a, b *knot) int { return order(a.first(), b.first()) })
}

func threadsOf(list []*knot) []Thread {
	var out []Thread
	for _, k := range list {
		out = append(out, Thread{Item: k.item, Replies: threadsOf(k.children)})
	}
	return out
}

type forest struct {
	items []Threadable
	byID  map[string]*knot
	all   []*knot // in the order they were made
	roots []*knot
}

func (f *forest) add(id string, item int) *knot {
	k := &knot{item: item}
	f.all = append(f.all, k)
	if id != "" {
		f.byID[id] = k
	}
	return k
}

// link is step 1.
func (f *forest) link() {
	knots := make([]*knot, len(f.items))
	for i, it := range f.items {
		id := it.MessageID
		if f.byID[id] != nil {
			id = "" // the second message with an identifier is as one without
		}
		knots[i] = f.add(id, i)
	}
	for i, it := range f.items {
		var last *knot
		for _, id := range it.References {
			k := f.byID[id]
			if k == nil {
				k = f.add(id, -1)
			}
			if last != nil && k.parent == nil && !last.below(k) {
				last.adopt(k)
			}
			last = k
		}
		k := knots[i]
		k.leave()
		if last != nil && !last.below(k) {
			last.adopt(k)
		}
	}
}

// gather is steps 2 and 3; step 4 only orders what step 6 orders again, and
// matters for which of two equal messages step 5 finds first.
func (f *forest) gather() {
	for _, k := range f.all {
		if k.parent != nil {
			continue
		}
		k.prune()
		switch {
		case !k.dummy() || len(k.children) > 1:
			f.roots = append(f.roots, k)
		case len(k.children) == 1:
			k.children[0].parent = nil
			f.roots = append(f.roots, k.children[0])
		}
	}
	order := byDate(f.items)
	for _, k := range f.roots {
		if k.dummy() {
			sortKnots(k.children, order)
		}
	}
	sortKnots(f.roots, order)
}

// prune takes the dummies out below k: their children take their place.
func (k *knot) prune() {
	var kept []*knot
	for _, c := range k.children {
		c.prune()
		if !c.dummy() {
			kept = append(kept, c)
			continue
		}
		for _, grandchild := range c.children {
			grandchild.parent = k
			kept = append(kept, grandchild)
		}
	}
	k.children = kept
}

// mergeSubjects is step 5.
func (f *forest) mergeSubjects() {
	type heading struct {
		key   string
		reply bool
	}
	headings := make([]heading, len(f.roots))
	table := map[string]*knot{}
	replies := map[*knot]bool{}
	for i, k := range f.roots {
		base, reply := BaseSubject(f.items[k.first()].Subject)
		headings[i] = heading{subjectKey(base), reply}
		replies[k] = reply
		old := table[headings[i].key]
		if old == nil || !old.dummy() && (k.dummy() || replies[old] && !reply) {
			table[headings[i].key] = k
		}
	}
	var roots []*knot
	for i, k := range f.roots {
		key := headings[i].key
		into := table[key]
		switch {
		case k.parent != nil: // merged already, under a dummy
		case key == "" || into == k:
			roots = append(roots, k)
		case into.dummy() && k.dummy():
			for _, c := range k.children {
				into.adopt(c)
			}
		case into.dummy() || replies[k] && !replies[into]:
			into.adopt(k)
		default:
			both := &knot{item: -1}
			roots = slices.DeleteFunc(roots, func(r *knot) bool { return r == into })
			both.adopt(into)
			both.adopt(k)
			table[key] = both
			roots = append(roots, both)
		}
	}
	f.roots = roots
}
