package diskstore

import (
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
	storetest.Run(t, func(t *testing.T) store.Engine { return openTest(t, t.TempDir(), Options{}) })
}

// The suite passes with segments so short that they are sealed and compacted
// all the time.
func TestEngineShortSegments(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine { return openTest(t, t.TempDir(), Options{SegmentSize: 8000}) })
}

// A test's fault is the suite's.
func fault(f storetest.Fault) func(operation) error {
	if f == nil {
		return nil
	}
	return func(op operation) error { return f(storetest.Op(op)) }
}

func TestDisk(t *testing.T) {
	for name, size := range map[string]int64{"usual segments": 0, "short segments": 12_000} {
		t.Run(name, func(t *testing.T) {
			storetest.RunDisk(t, func(dir string, f storetest.Fault) (store.Engine, error) {
				e, err := Open(dir, Options{SegmentSize: size, fault: fault(f)})
				if err != nil {
					return nil, err // not a nil *Engine
				}
				return e, nil
			}, nil)
		})
	}
}
