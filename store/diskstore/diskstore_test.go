package diskstore

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/store"
	"github.com/farend-go/farend/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openTest(t *testing.T, dir string, o Options) *Engine {
	t.Helper()
	e, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Engine { return openTest(t, t.TempDir(), Options{}) })
}

// The suite passes with segments so short that they are sealed and compacted
// all the time.
func TestEngineShortSegments(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Engine { return openTest(t, t.TempDir(), Options{SegmentSize: 8000}) })
}

func TestDisk(t *testing.T) {
	for name, size := range map[string]int64{"usual segments": 0, "short segments": 12_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var power power
			storetest.RunDisk(t, func(dir string, f storetest.Fault) (store.Engine, error) {
				e, err := Open(dir, Options{SegmentSize: size, fault: power.watch(f)})
				if err != nil {
					return nil, err // not a nil *Engine
				}
				return e, nil
			}, power.cut)
		})
	}
}

// power knows what a power cut leaves of a directory: of each file what was
// synced, and those names that were in the directory when it was synced. The
// index looks after itself.
type power struct {
	mu     sync.Mutex
	synced map[string]int64 // files: their size
	named  map[string]bool
	cuts   int
}

func (p *power) watch(f storetest.Fault) func(operation, string) error {
	return func(op operation, path string) error {
		if f != nil {
			if err := f(storetest.Op(op), path); err != nil {
				return err
			}
		}
		if op == opSync {
			p.note(path)
		}
		return nil
	}
}

// note takes down what a sync that begins now makes durable.
func (p *power) note(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.synced == nil {
		p.synced, p.named = map[string]int64{}, map[string]bool{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if !info.IsDir() {
		p.synced[path] = info.Size()
		return
	}
	names, _ := filepath.Glob(filepath.Join(path, "*"))
	for _, name := range names {
		p.named[name] = true
	}
}

// cut takes away what was not synced; every second time there is rubbish in
// its place.
func (p *power) cut(t *testing.T, dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts++
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		switch ext := filepath.Ext(name); {
		case !p.named[name]:
			err = os.Remove(name)
		case ext == suffixShared || ext == suffixOwn:
			err = spoil(name, p.synced[name], p.cuts%2 == 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A power cut just after the first Update takes nothing away, not even the
// index, which was a new name then.
func TestPowerCutAtFirst(t *testing.T) {
	dir := t.TempDir()
	var power power
	e := openTest(t, dir, Options{fault: power.watch(nil)})
	put(t, e, "a", "1")
	e.Close()
	power.cut(t, dir)
	e = openTest(t, dir, Options{})
	defer e.Close()
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
}

func spoil(name string, from int64, rubbish bool) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if err := os.Truncate(name, from); err != nil || !rubbish {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	n := max(info.Size()-from, 0)
	_, err = f.WriteAt(make([]byte, n), from)
	return errors.Join(err, f.Close())
}
