package diskstore

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/farend-go/farend/store"
)

// stalling is an engine whose next operation of a kind, once it is armed, says
// that it is at the disk, and ends as on tells.
type stalling struct {
	*Engine
	armed  bool
	atDisk chan struct{}
	on     chan error
}

func openStalling(t *testing.T, at operation) *stalling {
	s := &stalling{atDisk: make(chan struct{}), on: make(chan error)}
	s.Engine = openTest(t, t.TempDir(), Options{fault: func(op operation, _ string) error {
		if op != at || !s.armed {
			return nil
		}
		s.armed = false
		s.atDisk <- struct{}{}
		return <-s.on
	}})
	t.Cleanup(func() { s.Close() })
	return s
}

// An Update that ran while another was on its way to the disk has seen it. Where
// that one then finds no room it runs again, without it.
func TestUpdateAboveOneThatFails(t *testing.T) {
	e := openStalling(t, opCommit)
	e.armed = true
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		first <- e.Update(t.Context(), func(w store.Writer) error { return w.Put([]byte("a"), []byte("1")) })
	}()
	<-e.atDisk
	ran := make(chan bool, 2)
	go func() {
		second <- e.Update(t.Context(), func(w store.Writer) error {
			_, err := w.Get([]byte("a"))
			ran <- err == nil
			return w.Put([]byte("b"), []byte("2"))
		})
	}()
	if !<-ran {
		t.Error("an Update does not see the one before it")
	}
	e.on <- syscall.ENOSPC
	if err := <-first; !errors.Is(err, store.ErrFull) {
		t.Errorf("without room: %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the one above: %v", err)
	}
	if <-ran {
		t.Error("it saw what has not happened, and stays")
	}
	if got := get(t, e.Engine, "b"); got != "2" {
		t.Errorf("b is %q", got)
	}
	err := e.View(t.Context(), func(r store.Reader) error {
		_, err := r.Get([]byte("a"))
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a: %v", err)
	}
}

// An Update that fails because of what it has seen does so when that is durable,
// so that a View behind it sees it too. Where that has failed it runs again.
func TestUpdateThatFailsAboveAnother(t *testing.T) {
	errSeen := errors.New("seen")
	for _, full := range []error{nil, syscall.ENOSPC} {
		e := openStalling(t, opCommit)
		e.armed = true
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			first <- e.Update(t.Context(), func(w store.Writer) error { return w.Put([]byte("a"), []byte("1")) })
		}()
		<-e.atDisk
		ran := make(chan struct{}, 2)
		go func() {
			second <- e.Update(t.Context(), func(w store.Writer) error {
				defer func() { ran <- struct{}{} }()
				if _, err := w.Get([]byte("a")); err == nil {
					return errSeen
				}
				return nil
			})
		}()
		<-ran
		for range 100 {
			runtime.Gosched() // it may return now, and must not
		}
		select {
		case err := <-second:
			t.Errorf("it ended before what it had seen was durable: %v", err)
			second <- err
		default:
		}
		e.on <- full
		err1, err2 := <-first, <-second
		if full == nil && (err1 != nil || !errors.Is(err2, errSeen)) || full != nil && (!errors.Is(err1, store.ErrFull) || err2 != nil) {
			t.Errorf("%v: the first %v, the one above %v", full, err1, err2)
		}
	}
}

// What Updates have written that are not yet durable is read in order, the
// latest of each key, by the next Update, and by no View.
func TestReadAboveWhatIsOnItsWay(t *testing.T) {
	e := openStalling(t, opCommit)
	for _, key := range []string{"b", "d", "f"} {
		put(t, e.Engine, key, "old")
	}
	e.armed = true
	done := make(chan error, 2)
	go func() {
		done <- e.Update(t.Context(), func(w store.Writer) error {
			return errors.Join(w.Put([]byte("a"), []byte("way")), w.Delete([]byte("b")), w.Put([]byte("d"), []byte("way")))
		})
	}()
	<-e.atDisk
	var up, down []string
	ran := make(chan struct{})
	go func() {
		done <- e.Update(t.Context(), func(w store.Writer) error {
			defer close(ran)
			err := errors.Join(w.Put([]byte("b"), []byte("new")), w.Delete([]byte("d")), w.Put([]byte("e"), []byte("new")))
			for k, v := range w.Ascend(nil, nil) {
				up = append(up, string(k)+string(v))
			}
			for k, v := range w.Descend([]byte("b"), []byte("f")) {
				down = append(down, string(k)+string(v))
			}
			return err
		})
	}()
	<-ran
	if got := list(up); got != "away bnew enew fold" {
		t.Errorf("upwards: %s", got)
	}
	if got := list(down); got != "enew bnew" {
		t.Errorf("downwards: %s", got)
	}
	if got := get(t, e.Engine, "d"); got != "old" {
		t.Errorf("a View sees d as %q", got)
	}
	close(e.on)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := get(t, e.Engine, "b") + get(t, e.Engine, "a"); got != "newway" {
		t.Errorf("b and a are %q", got)
	}
}

// An index that has to move to grow does so while an Update gathers above it.
func TestIndexGrowsUnderAnUpdate(t *testing.T) {
	var e *Engine
	second := make(chan error, 1)
	armed := false
	e = openTest(t, t.TempDir(), Options{tight: true, fault: func(op operation, _ string) error {
		if op != opCommit || !armed {
			return nil
		}
		armed = false
		ran := make(chan struct{})
		go func() {
			second <- e.Update(t.Context(), func(w store.Writer) error {
				defer close(ran)
				return w.Put([]byte("b"), []byte("2"))
			})
		}()
		<-ran
		return nil
	}})
	armed = true
	first := make(chan error, 1)
	go func() {
		first <- e.Update(t.Context(), func(w store.Writer) error { return w.Put([]byte("a"), make([]byte, store.MaxValue)) })
	}()
	for name, done := range map[string]chan error{"the first": first, "the one above": second} {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s waits for ever", name) // and so would Close
		}
	}
	if got := get(t, e, "b"); got != "2" {
		t.Errorf("b is %q", got)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func list(all []string) string { return strings.Join(all, " ") }

// A blob that was dropped and kept again gets a new place while its group is on
// its way to the disk. A compaction that found it at its old one looks at it at
// that moment, and leaves it: the race detector watches.
func TestMoveOfBlobKeptAgain(t *testing.T) {
	e := openStalling(t, opWrite)
	blob, ref := finish(t, e.Engine, []byte("abc"))
	defer blob.Close()
	keepIt := func() error {
		return e.Update(t.Context(), func(w store.Writer) error { return w.Keep(ref) })
	}
	if err := keepIt(); err != nil {
		t.Fatal(err)
	}
	drop(t, e.Engine, ref)
	e.armed = true
	again := make(chan error, 1)
	go func() { again <- keepIt() }()
	<-e.atDisk
	id, _ := ref2id(ref)
	err := e.update(t.Context(), true, func(w *writer) error {
		close(e.on)
		w.move(id, math.MaxUint64, place{segment: math.MaxUint64, size: 3})
		return nil
	})
	if err := errors.Join(err, <-again); err != nil {
		t.Fatal(err)
	}
	if got, err := read(e.Engine, ref); string(got) != "abc" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
