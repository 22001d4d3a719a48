package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/farend-go/farend/store"
)

func testOrder(t *testing.T, e store.Engine) {
	put(t, e, "b", "2", "a", "1", "c", "3", "b\x00", "4", "\xff", "5", "bb", "")
	all := []string{"a=1", "b=2", "b\x00=4", "bb=", "c=3", "\xff=5"}
	view(t, e, func(r store.Reader) error {
		same(t, "all", list(r, "", "", false), all)
		same(t, "b to c", list(r, "b", "c", false), all[1:4])
		same(t, "from bb", list(r, "bb", "", false), all[3:])
		same(t, "to b", list(r, "", "b", false), all[:1])
		same(t, "between keys", list(r, "aa", "ba", false), all[1:3])
		same(t, "empty range", list(r, "c", "c", false), nil)
		same(t, "range the wrong way", list(r, "c", "a", false), nil)
		down := slices.Clone(all)
		slices.Reverse(down)
		same(t, "all, down", list(r, "", "", true), down)
		same(t, "b to c, down", list(r, "b", "c", true), down[2:5])
		same(t, "between keys, down", list(r, "aa", "ba", true), down[3:5])
		same(t, "beyond the end, down", list(r, "\xff", "\xff\xff", true), down[:1])
		same(t, "empty range, down", list(r, "c", "c", true), nil)
		for k := range r.Ascend(nil, nil) {
			if string(k) != "a" {
				t.Errorf("a walk that was left went on to %q", k)
			}
			break
		}
		return nil
	})
}

func testOrderInUpdate(t *testing.T, e store.Engine) {
	put(t, e, "a", "1", "c", "3", "e", "5", "g", "7")
	update(t, e, func(w store.Writer) error {
		err := errors.Join(w.Put([]byte("b"), []byte("2")), w.Delete([]byte("c")), w.Put([]byte("e"), []byte("five")),
			w.Put([]byte("h"), []byte("8")), w.Delete([]byte("g")), w.Put([]byte("g"), []byte("seven")), w.Delete([]byte("x")))
		all := []string{"a=1", "b=2", "e=five", "g=seven", "h=8"}
		same(t, "all", list(w, "", "", false), all)
		same(t, "b to h", list(w, "b", "h", false), all[1:4])
		slices.Reverse(all)
		same(t, "all, down", list(w, "", "", true), all)
		same(t, "b to h, down", list(w, "b", "h", true), all[1:4])
		var passed []string
		for k := range w.Ascend(nil, nil) { // may be written to where it has passed
			passed = append(passed, string(k))
			err = errors.Join(err, w.Delete(k))
		}
		same(t, "deleted in passing", passed, []string{"a", "b", "e", "g", "h"})
		same(t, "left", list(w, "", "", false), nil)
		return err
	})
	view(t, e, func(r store.Reader) error {
		same(t, "left for a View", list(r, "", "", true), nil)
		return nil
	})
}

func testAtomic(t *testing.T, e store.Engine) {
	put(t, e, "a", "1", "b", "2")
	err := e.Update(context.Background(), func(w store.Writer) error {
		return errors.Join(w.Put([]byte("a"), []byte("changed")), w.Delete([]byte("b")), w.Put([]byte("c"), nil), errStop)
	})
	if !errors.Is(err, errStop) {
		t.Errorf("Update: %v, want the function's error", err)
	}
	view(t, e, func(r store.Reader) error {
		same(t, "after an Update that failed", list(r, "", "", false), []string{"a=1", "b=2"})
		return nil
	})
	put(t, e, "d", "4")
	if got := get(t, e, "d"); got != "4" {
		t.Errorf("the Update after one that failed wrote %q", got)
	}
	if err := e.View(context.Background(), func(store.Reader) error { return errStop }); !errors.Is(err, errStop) {
		t.Errorf("View: %v, want the function's error", err)
	}
}

func testReadYourWrites(t *testing.T, e store.Engine) {
	put(t, e, "a", "1")
	update(t, e, func(w store.Writer) error {
		for _, step := range []struct {
			do   error
			key  string
			want string
			err  error
		}{
			{w.Put([]byte("a"), []byte("2")), "a", "2", nil},
			{w.Put([]byte("b"), []byte{}), "b", "", nil},
			{w.Put([]byte("c"), nil), "c", "", nil},
			{nil, "d", "", store.ErrNotFound},
		} {
			v, err := w.Get([]byte(step.key))
			if step.do != nil || !errors.Is(err, step.err) || string(v) != step.want {
				t.Errorf("%s: %v, %q, %v", step.key, step.do, v, err)
			}
		}
		err := w.Delete([]byte("a"))
		if _, gone := w.Get([]byte("a")); !errors.Is(gone, store.ErrNotFound) {
			t.Errorf("Get of what was deleted: %v", gone)
		}
		return err
	})
	if got := get(t, e, "b"); got != "" {
		t.Errorf("an empty value came back as %q", got)
	}
	if got := get(t, e, "a"); got != "(none)" {
		t.Errorf("what was deleted came back as %q", got)
	}
}

// A panic in a function comes through, and fails that Update alone.
func testPanic(t *testing.T, e store.Engine) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was swallowed")
			}
		}()
		_ = e.Update(context.Background(), func(w store.Writer) error {
			_ = w.Put([]byte("a"), []byte("1"))
			panic("storetest")
		})
	}()
	put(t, e, "b", "2")
	view(t, e, func(r store.Reader) error {
		same(t, "after a panic", list(r, "", "", false), []string{"b=2"})
		return nil
	})
}

func testRev(t *testing.T, e store.Engine) {
	var last store.Rev
	for range 3 {
		var inside, seen store.Rev
		update(t, e, func(w store.Writer) error {
			inside = w.Rev()
			return w.Put([]byte("a"), []byte("1"))
		})
		view(t, e, func(r store.Reader) error {
			seen = r.Rev()
			return nil
		})
		if inside <= last || seen != inside {
			t.Errorf("after %d came %d in the Update and %d in the View", last, inside, seen)
		}
		last = seen
	}
}

func testLimits(t *testing.T, e store.Engine) {
	long := bytes.Repeat([]byte("k"), store.MaxKey)
	update(t, e, func(w store.Writer) error {
		if err := w.Put(append(long, 'k'), nil); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("a key too long: %v", err)
		}
		if err := w.Put([]byte("k"), make([]byte, store.MaxValue+1)); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("a value too long: %v", err)
		}
		if err := w.Put(nil, nil); !errors.Is(err, store.ErrEmptyKey) {
			t.Errorf("an empty key: %v", err)
		}
		return w.Put(long, pattern(1, store.MaxValue))
	})
	view(t, e, func(r store.Reader) error {
		v, err := r.Get(long)
		if !bytes.Equal(v, pattern(1, store.MaxValue)) {
			t.Errorf("the longest value came back with %d bytes", len(v))
		}
		return err
	})
}

// Put copies: the caller may use its buffers again.
func testCopies(t *testing.T, e store.Engine) {
	update(t, e, func(w store.Writer) error {
		key, value := []byte("a"), []byte("1")
		err := w.Put(key, value)
		key[0], value[0] = 'z', '9'
		same(t, "in the Update", list(w, "", "", false), []string{"a=1"})
		return err
	})
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("a value changed with the caller's buffer: %q", got)
	}
}

// testModel compares the engine with a map under random changes.
func testModel(t *testing.T, e store.Engine) {
	rng := rand.New(rand.NewPCG(3, 4))
	key := func() string { return fmt.Sprintf("%03d", rng.IntN(300)) }
	model := map[string]string{}
	for round := range 200 {
		next := maps.Clone(model)
		fail := rng.IntN(4) == 0
		err := e.Update(context.Background(), func(w store.Writer) error {
			for range rng.IntN(20) {
				k, v := key(), key()
				if rng.IntN(3) == 0 {
					delete(next, k)
					_ = w.Delete([]byte(k))
				} else {
					next[k] = v
					_ = w.Put([]byte(k), []byte(v))
				}
			}
			compare(t, w, next, key(), key())
			if fail {
				return errStop
			}
			return nil
		})
		switch {
		case fail && !errors.Is(err, errStop), !fail && err != nil:
			t.Fatalf("round %d: %v", round, err)
		case !fail:
			model = next
		}
		view(t, e, func(r store.Reader) error {
			compare(t, r, model, key(), key())
			return nil
		})
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

func compare(t *testing.T, r store.Reader, model map[string]string, from, to string) {
	t.Helper()
	var want []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if from <= k && k < to {
			want = append(want, k+"="+model[k])
		}
	}
	same(t, "up", list(r, from, to, false), want)
	slices.Reverse(want)
	same(t, "down", list(r, from, to, true), want)
}
