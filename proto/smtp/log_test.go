package smtp_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// testLog stands in for a test that fails, to see what its log would be.
type testLog struct {
	mu      sync.Mutex
	text    strings.Builder
	cleanup []func()
	failed  bool
}

func (l *testLog) Helper()                   {}
func (l *testLog) Failed() bool              { return l.failed }
func (l *testLog) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (l *testLog) Cleanup(f func())          { l.cleanup = append(l.cleanup, f) }

func (l *testLog) Logf(f string, a ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, f+"\n", a...)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// end ends the test.
func (l *testLog) end() {
	for _, f := range slices.Backward(l.cleanup) {
		f()
	}
}
