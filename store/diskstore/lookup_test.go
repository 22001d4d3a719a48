package diskstore

import (
	"bytes"
	"errors"
	"testing"

	"github.com/farend-go/farend/store"
)

// Blobs that are read in the order in which they came are found by what was
// remembered of their neighbours, and that is forgotten when one goes, comes or
// is moved.
func TestReadInOrder(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{SegmentSize: 20_000})
	defer e.Close()
	e.compactor.stop() // the test does its work
	var refs []store.Ref
	gone := map[int]bool{}
	check := func(when string) {
		t.Helper()
		for range 2 {
			for i, ref := range refs {
				got, err := read(e, ref)
				if gone[i] {
					if !errors.Is(err, store.ErrNotFound) {
						t.Errorf("%s: blob %d, which is gone: %v", when, i, err)
					}
				} else if err != nil || !bytes.Equal(got, body(i, 500)) {
					t.Errorf("%s: blob %d: %d bytes, %v", when, i, len(got), err)
				}
			}
		}
	}
	for i := range 100 {
		refs = append(refs, keep(t, e, body(i, 500)))
	}
	check("all")
	if _, ok, _ := e.lookups.find(90, e.version.Load()); !ok {
		t.Error("nothing is remembered")
	}
	var some []store.Ref
	for i, ref := range refs {
		if gone[i] = i%4 > 0; gone[i] {
			some = append(some, ref)
		}
	}
	drop(t, e, some...)
	check("some dropped")
	for number, ok := e.segments.sparse(); ok; number, ok = e.segments.sparse() {
		if err := e.compact(t.Context(), number); err != nil {
			t.Fatal(err)
		}
	}
	check("moved")
	refs = append(refs, keep(t, e, body(100, 500)))
	check("one more")
}
