package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/farend-go/farend/store"
)

// Op is what an engine does to the disk.
type Op string

// What an engine asks a [Fault] for. Commit is the moment where an Update
// becomes durable, where the engine leaves that to others.
const (
	Create Op = "create"
	Write  Op = "write"
	Sync   Op = "sync"
	Remove Op = "remove"
	Commit Op = "commit"
)

// A Fault is asked before each thing done to the disk, and to which file or
// directory; where it gives an error the thing is not done, and fails with it.
// nil lets everything succeed.
type Fault func(op Op, path string) error

// FailFrom lets everything fail from the n-th thing on (the first is 1), as a
// power cut does.
func FailFrom(n int64, err error) Fault {
	var done atomic.Int64
	return func(Op, string) error {
		if done.Add(1) >= n {
			return err
		}
		return nil
	}
}

// OpenDisk opens an engine in a directory.
type OpenDisk func(dir string, fault Fault) (store.Engine, error)

// RunDisk tests an engine that keeps what it has in a directory. It starts the
// test's own binary again, as a process to be killed. crash, where
// it is not nil, does to the directory of an engine that has just been stopped
// by a fault what a power cut would have done: it takes away what was not
// synced.
func RunDisk(t *testing.T, open OpenDisk, crash func(t *testing.T, dir string)) {
	d := &disk{open, crash}
	t.Run("Reopen", d.testReopen)
	t.Run("Twice", d.testTwice)
	t.Run("CrashAtEveryStep", d.testCrash)
	t.Run("FullAtEveryStep", d.testFull)
	t.Run("SyncFails", d.testSyncFails)
	t.Run("Kill", d.testKill)
}

type disk struct {
	open  OpenDisk
	crash func(t *testing.T, dir string)
}

func (d *disk) must(t *testing.T, dir string, fault Fault) store.Engine {
	t.Helper()
	e, err := d.open(dir, fault)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return e
}

// A letterbox is a chain of Updates, each of which adds a letter, counts it,
// and now and then takes an older one away: from the count follows what must
// be there.
type letterbox struct{ name string }

func (l letterbox) key(n int) string { return fmt.Sprintf("%s/letter/%06d", l.name, n) }

// body is small, or too large to be held in a buffer.
func (l letterbox) body(n int) []byte {
	size := 3000 + n%7*1000
	if n%7 == 2 {
		size = 270_000
	}
	return pattern(n+len(l.name), size)
}

// takes says which letter the n-th Update takes away.
func (l letterbox) takes(n int) (int, bool) { return n - 2, n >= 2 && n%2 == 0 }

func (l letterbox) step(e store.Engine, n int) error {
	return add(context.Background(), e, l.key(n), l.body(n), func(w store.Writer) error {
		if old, ok := l.takes(n); ok {
			ref, err := w.Get([]byte(l.key(old)))
			if err != nil {
				return err
			}
			if err := errors.Join(w.Drop(store.Ref(ref)), w.Delete([]byte(l.key(old)))); err != nil {
				return err
			}
		}
		return count(w, l.name+"/count")
	})
}

// steps runs until n steps are done, or one fails.
func (l letterbox) steps(e store.Engine, from, n int) (int, error) {
	for i := from; i < n; i++ {
		if err := l.step(e, i); err != nil {
			return i, err
		}
	}
	return n, nil
}

// check finds out how many steps have happened, and that all of each has.
func (l letterbox) check(e store.Engine) (int, error) {
	var n int
	got := map[string]store.Ref{}
	err := e.View(context.Background(), func(r store.Reader) error {
		clear(got)
		v, err := r.Get([]byte(l.name + "/count"))
		if err == nil {
			n = int(binary.BigEndian.Uint64(v))
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for k, v := range r.Ascend([]byte(l.name+"/letter/"), []byte(l.name+"/letter0")) {
			got[string(k)] = store.Ref(v)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	want := map[string]int{}
	for i := range n {
		want[l.key(i)] = i
		if old, ok := l.takes(i); ok {
			delete(want, l.key(old))
		}
	}
	if len(got) != len(want) {
		return n, fmt.Errorf("%d letters after %d steps, want %d", len(got), n, len(want))
	}
	for key, i := range want {
		if err := holds(e, got[key], l.body(i)); err != nil {
			return n, fmt.Errorf("%s: %w", key, err)
		}
	}
	return n, nil
}

func (d *disk) testReopen(t *testing.T) {
	dir, l := t.TempDir(), letterbox{"box"}
	var rev store.Rev
	for round := range 4 {
		e := d.must(t, dir, nil)
		if now := revision(t, e); now < rev {
			t.Errorf("revision %d after %d", now, rev)
		}
		if n, err := l.check(e); err != nil || n != round*10 {
			t.Errorf("opened again with %d letters: %v", n, err)
		}
		if _, err := l.steps(e, round*10, round*10+10); err != nil {
			t.Error(err)
		}
		rev = revision(t, e)
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func (d *disk) testTwice(t *testing.T) {
	dir := t.TempDir()
	e := d.must(t, dir, nil)
	if _, err := d.open(dir, nil); !errors.Is(err, store.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	put(t, e, "a", "1")
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	e = d.must(t, dir, nil)
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

const faultSteps = 5

// testCrash stops the disk at its first, second, third … thing, and looks each
// time what a new engine finds: what was acknowledged, and nothing by halves.
func (d *disk) testCrash(t *testing.T) {
	power := errors.New("storetest: the power is gone")
	l := letterbox{"box"}
	for n := int64(1); ; n++ {
		dir := t.TempDir()
		acked := 0
		e, err := d.open(dir, FailFrom(n, power))
		if err == nil {
			acked, err = l.steps(e, 0, faultSteps)
			_ = e.Close()
		}
		if err != nil && !errors.Is(err, power) {
			t.Fatalf("stopped at %d: %v", n, err)
		}
		if d.crash != nil {
			d.crash(t, dir)
		}
		e = d.must(t, dir, nil)
		got, err2 := l.check(e)
		if err2 != nil || got < acked || got > acked+1 {
			t.Fatalf("stopped at %d with %d acknowledged: found %d, %v", n, acked, got, err2)
		}
		if _, err := l.steps(e, got, got+2); err != nil {
			t.Errorf("stopped at %d, then: %v", n, err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("stopped at %d, then Close: %v", n, err)
		}
		if err == nil {
			return // it did not come to n
		}
	}
}

// testFull lets the disk be full at each step in turn: that Update fails with
// ErrFull and has not happened, and when there is room again all goes on.
func (d *disk) testFull(t *testing.T) {
	l := letterbox{"box"}
	for n := int64(1); ; n++ {
		dir := t.TempDir()
		var on atomic.Bool
		var grown, refused atomic.Int64
		e := d.must(t, dir, func(op Op, _ string) error {
			if on.Load() && slices.Contains([]Op{Create, Write, Commit}, op) && grown.Add(1) >= n {
				refused.Add(1)
				return syscall.ENOSPC
			}
			return nil
		})
		on.Store(true)
		done, err := l.steps(e, 0, faultSteps)
		on.Store(false)
		if err != nil && !errors.Is(err, store.ErrFull) {
			t.Fatalf("full at %d: %v", n, err)
		}
		if got, err := l.check(e); err != nil || got != done {
			t.Fatalf("full at %d: %d done, %d found, %v", n, done, got, err)
		}
		if _, err := l.steps(e, done, faultSteps+2); err != nil {
			t.Fatalf("full at %d, then room again: %v", n, err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("full at %d, then Close: %v", n, err)
		}
		e = d.must(t, dir, nil)
		if got, err := l.check(e); err != nil || got != faultSteps+2 {
			t.Fatalf("full at %d, then opened again: %d found, %v", n, got, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if refused.Load() == 0 {
			return
		}
	}
}

// After a sync that failed nothing that the disk says can be trusted: the
// kernel may have thrown the pages away and call them clean. So the engine
// changes nothing any more.
func (d *disk) testSyncFails(t *testing.T) {
	for _, after := range []int{1, 2} { // a small body is next, or a large one
		d.syncFails(t, after)
	}
}

func (d *disk) syncFails(t *testing.T, after int) {
	dir, l := t.TempDir(), letterbox{"box"}
	var failing atomic.Bool
	e := d.must(t, dir, func(op Op, _ string) error {
		if op == Sync && failing.CompareAndSwap(true, false) { // once
			return syscall.EIO
		}
		return nil
	})
	done, err := l.steps(e, 0, after)
	if err != nil {
		t.Fatal(err)
	}
	failing.Store(true)
	for range 3 {
		if err := l.step(e, done); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "sync") {
			t.Errorf("Update at and after a sync that failed: %v", err)
		}
	}
	if err := e.Update(context.Background(), nothing); !errors.Is(err, syscall.EIO) {
		t.Errorf("an Update that needs no blob: %v", err)
	}
	if n, err := l.check(e); err != nil || n != done {
		t.Errorf("read afterwards: %d, %v", n, err)
	}
	_ = e.Close()
	e = d.must(t, dir, nil)
	if n, err := l.check(e); err != nil || n != done {
		t.Errorf("opened afterwards: %d, %v", n, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
