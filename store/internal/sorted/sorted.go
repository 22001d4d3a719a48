// Package sorted is a map of byte strings in order that is never changed: every
// change gives a new map, which shares with the old one all that is the same.
// It is the heir of Python's sortedcontainers.SortedDict, with snapshots that
// cost nothing.
//
// It is a treap: a search tree by key that is a heap by a random priority, so
// that it is balanced whatever the order of insertion.
package sorted

import (
	"bytes"
	"iter"
	"math/rand/v2"
)

// A Map is a snapshot; its zero value is empty. It may be used by many
// goroutines.
type Map struct {
	root *node
	n    int
}

type node struct {
	key, value  []byte
	priority    uint64
	left, right *node
}

// Len is the number of keys.
func (m Map) Len() int { return m.n }

// Get gives the value at key, which must not be changed, and whether there is
// one.
func (m Map) Get(key []byte) ([]byte, bool) {
	for n := m.root; n != nil; {
		switch c := bytes.Compare(key, n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.value, true
		}
	}
	return nil, false
}

// Set gives the map with value at key. It takes both over.
func (m Map) Set(key, value []byte) Map {
	if _, ok := m.Get(key); ok {
		return Map{replace(m.root, key, value), m.n}
	}
	return Map{insert(m.root, &node{key: key, value: value, priority: rand.Uint64()}), m.n + 1}
}

// Delete gives the map without key.
func (m Map) Delete(key []byte) Map {
	if _, ok := m.Get(key); !ok {
		return m
	}
	return Map{remove(m.root, key), m.n - 1}
}

func replace(n *node, key, value []byte) *node {
	out := *n
	switch c := bytes.Compare(key, n.key); {
	case c < 0:
		out.left = replace(n.left, key, value)
	case c > 0:
		out.right = replace(n.right, key, value)
	default:
		out.value = value
	}
	return &out
}

// insert puts a node whose key is not in the tree n into it.
func insert(n, in *node) *node {
	if n == nil {
		return in
	}
	if in.priority > n.priority {
		in.left, in.right = split(n, in.key)
		return in
	}
	out := *n
	if bytes.Compare(in.key, n.key) < 0 {
		out.left = insert(n.left, in)
	} else {
		out.right = insert(n.right, in)
	}
	return &out
}

// split parts a tree at a key that is not in it.
func split(n *node, key []byte) (below, above *node) {
	if n == nil {
		return nil, nil
	}
	out := *n
	if bytes.Compare(key, n.key) < 0 {
		below, out.left = split(n.left, key)
		return below, &out
	}
	out.right, above = split(n.right, key)
	return &out, above
}

func remove(n *node, key []byte) *node {
	c := bytes.Compare(key, n.key)
	if c == 0 {
		return join(n.left, n.right)
	}
	out := *n
	if c < 0 {
		out.left = remove(n.left, key)
	} else {
		out.right = remove(n.right, key)
	}
	return &out
}

// join makes one tree of two, where all keys of a are below those of b.
func join(a, b *node) *node {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	if a.priority > b.priority {
		out := *a
		out.right = join(a.right, b)
		return &out
	}
	out := *b
	out.left = join(a, b.left)
	return &out
}

// Ascend goes over the keys from, inclusive, to to, exclusive, in order; nil
// is no bound.
func (m Map) Ascend(from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) { ascend(m.root, from, to, yield) }
}

// Descend goes over the same keys from the last to the first.
func (m Map) Descend(from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) { descend(m.root, from, to, yield) }
}

func ascend(n *node, from, to []byte, yield func(k, v []byte) bool) bool {
	if n == nil {
		return true
	}
	notBefore := from == nil || bytes.Compare(n.key, from) >= 0
	before := to == nil || bytes.Compare(n.key, to) < 0
	if notBefore && !ascend(n.left, from, to, yield) {
		return false
	}
	if notBefore && before && !yield(n.key, n.value) {
		return false
	}
	return !before || ascend(n.right, from, to, yield)
}

func descend(n *node, from, to []byte, yield func(k, v []byte) bool) bool {
	if n == nil {
		return true
	}
	notBefore := from == nil || bytes.Compare(n.key, from) >= 0
	before := to == nil || bytes.Compare(n.key, to) < 0
	if before && !descend(n.right, from, to, yield) {
		return false
	}
	if notBefore && before && !yield(n.key, n.value) {
		return false
	}
	return !notBefore || descend(n.left, from, to, yield)
}
