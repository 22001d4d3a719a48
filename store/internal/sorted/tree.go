package sorted

import (
	"bytes"
	"iter"
	"math/rand/v2"
)

// A Tree is a map in order that is changed where it lies: for one who hands
// out no snapshots, and need not pay for them. Its zero value is empty. It may
// be read by many goroutines while nobody changes it.
type Tree struct{ m Map }

// Len is the number of keys.
func (t *Tree) Len() int { return t.m.n }

// Get gives the value at key, which must not be changed, and whether there is
// one.
func (t *Tree) Get(key []byte) ([]byte, bool) { return t.m.Get(key) }

// Set puts value at key. It takes both over.
func (t *Tree) Set(key, value []byte) {
	for n := t.m.root; n != nil; {
		switch c := bytes.Compare(key, n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			n.value = value
			return
		}
	}
	in := &node{key: key, value: value, priority: rand.Uint64()}
	at := &t.m.root
	for *at != nil && (*at).priority >= in.priority {
		if bytes.Compare(key, (*at).key) < 0 {
			at = &(*at).left
		} else {
			at = &(*at).right
		}
	}
	in.cut(*at)
	*at = in
	t.m.n++
}

// cut takes the nodes of a tree as what is below in and what is above.
func (in *node) cut(n *node) {
	below, above := &in.left, &in.right
	for n != nil {
		if bytes.Compare(in.key, n.key) < 0 {
			*above = n
			above = &n.left
			n = n.left
		} else {
			*below = n
			below = &n.right
			n = n.right
		}
	}
	*below, *above = nil, nil
}

// Ascend goes over the keys from, inclusive, to to, exclusive, in order; nil
// is no bound. Nobody changes the tree meanwhile.
func (t *Tree) Ascend(from, to []byte) iter.Seq2[[]byte, []byte] { return t.m.Ascend(from, to) }

// Descend goes over the same keys from the last to the first.
func (t *Tree) Descend(from, to []byte) iter.Seq2[[]byte, []byte] { return t.m.Descend(from, to) }
